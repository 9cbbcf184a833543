"""What the tests of `gss-ntlm decode` share: a published exchange, SPNEGO tokens around it, and counting."""
import json
import os
import sys

PROGRAM = os.path.abspath(sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as vectors:
    FOUND = next(v for v in json.load(vectors)["vectors"] if v["id"] == "exchange.v2.cbt")["out"]
N, C, A = (bytes.fromhex(FOUND[name]) for name in ("negotiate", "challenge", "authenticate"))
COUNT = {"checks": 0, "failures": 0}


def expect(condition, what):
    COUNT["checks"] += 1
    if not condition:
        COUNT["failures"] += 1
        print("FAIL", what)


def run_tests(names, call):
    """Calls each test among `names`, a module's globals, by call(NAME, TEST); ends the program."""
    for name, test in list(names.items()):
        if name.startswith("test_"):
            before = COUNT["failures"]
            call(name, test)
            print("PASS" if COUNT["failures"] == before else "FAIL", name, flush=True)
    print(f"{COUNT['checks']} checks, {COUNT['failures']} failed")
    sys.exit(1 if COUNT["failures"] else 0)


def der(tag, *content):
    data = b"".join(content)
    size = len(data)
    length = bytes([size]) if size < 0x80 else bytes([0x82, size >> 8, size & 0xFF])
    return bytes([tag]) + length + data


NTLM_OID = bytes.fromhex("060a2b06010401823702020a")


def init(token):
    return der(0x60, bytes.fromhex("06062b0601050502"), der(0xA0, der(0x30, der(0xA0, der(0x30, NTLM_OID)), der(
        0xA2, der(0x04, token)))))


def response(token=None, state=None):
    return der(0xA1, der(0x30, *([der(0xA0, der(10, bytes([state])))] if state is not None else []),
                         *([der(0xA2, der(0x04, token))] if token else [])))
