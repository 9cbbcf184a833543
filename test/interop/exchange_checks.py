"""What two ends of pair.py say to each other after a login: messages of many sizes, MICs, and what is damaged."""
import os

from pair import meet

SIZES = (0, 1, 16, 100, 5000, 300000)
BINDINGS = "tls-server-end-point:certificate"


def talk(command, sizes=SIZES):
    """Messages both ways, made by `command` and read by the other end."""
    def run(a, b):
        for size in sizes:
            for one, other in ((a, b), (b, a)):
                message = os.urandom(size)
                token = one.ask(command, message)
                if command == b"wrap" and size > 16 and message in token:
                    raise RuntimeError("it is readable")
                if other.ask(b"unwrap", token) != message:
                    raise RuntimeError("unwrapped text differs")
    return run


def sign(a, b):
    for size in SIZES[1:]:
        for one, other in ((a, b), (b, a)):
            message = os.urandom(size)
            other.ask(b"verify", one.ask(b"mic", message) + message)
            damaged = bytes([message[0] ^ 1]) + message[1:]
            mic = one.ask(b"mic", damaged)
            if not fails(other, b"verify", mic + message):
                raise RuntimeError("a MIC of another message is taken")
            other.ask(b"verify", mic + damaged)


def fails(end, command, data):
    try:
        end.ask(command, data)
    except RuntimeError:
        return True
    return False


def all_of(*parts):
    def run(a, b):
        for part in parts:
            part(a, b)
    return run


def flags_are(bits):
    """Of .NET's client and server: INTEG 0x20 and CONF 0x10."""
    def run(a, b):
        for end in (a, b):
            got = int(end.ask(b"flags"), 16) & 0x30
            if got != bits:
                raise RuntimeError("the flags are %x" % got)
            if end.ask(b"mech") != b"ntlm":
                raise RuntimeError("it is not NTLM")
    return run


def target_is(name):
    """What the acceptor, python3-gssapi's, was told that the initiator wanted to reach: nothing where no MIC covers it."""
    def run(_, acceptor):
        got = acceptor.ask(b"attribute", b"urn:gss-ntlm:target").decode()
        covered = acceptor.ask(b"attribute", b"urn:gss-ntlm:mic") == b"1"
        if got != (name if covered else ""):
            raise RuntimeError("the target is " + got)
    return run


def refuses_messages(a, b):
    for end in (a, b):
        if not fails(end, b"wrap0", b"message"):
            raise RuntimeError("a message is signed without having been asked for")


def tampered(a, b):
    token = a.ask(b"wrap", b"a message")
    if not fails(b, b"unwrap", token[:-1] + bytes([token[-1] ^ 1])):
        raise RuntimeError("a damaged message is taken")
    if b.ask(b"unwrap", token) != b"a message":
        raise RuntimeError("the message itself is not taken afterwards")


def refused(initiator, acceptor, words):
    """What is wrong with a refusal; empty if it was one, for that reason."""
    why = meet(initiator, acceptor, lambda a, b: None)
    if not why:
        return "it went through"
    return "" if words in why else why


def carries_mic(initiator, acceptor):
    """Whether a MIC covers the exchange of these two; inside SPNEGO that depends on the library. Where none does, the
    initiator's bindings and target are no evidence."""
    seen = []
    meet(initiator, acceptor, lambda a, b: seen.append(b.ask(b"attribute", b"urn:gss-ntlm:mic")))
    return seen == [b"1"]
