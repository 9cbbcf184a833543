#!/usr/bin/env python3
"""Runs `gss-ntlm decode --json` over the captured messages beside the checkout, field by field.

usage: decode_captured.py PROGRAM CAPTURED.JSON [OTHER.JSON]
A MIC may cover messages of the other file. Exit status 77 when there are no captured messages.
"""
import base64
import json
import os
import subprocess
import sys

program, *paths = sys.argv[1:]
absent = [path for path in paths if not os.path.exists(path)]
if absent:
    print("SKIP no captured messages beside this checkout:", *absent)
    sys.exit(77)
files = []
for path in paths:
    with open(path, encoding="utf-8") as f:
        files.append(json.load(f))
captured = files[0]

failures = 0


def decode(token, *options):
    run = subprocess.run([program, "decode", "--json", *options, token], capture_output=True,
                         check=False, timeout=30)
    lines = run.stdout.decode("utf-8").splitlines()
    return run.returncode, [json.loads(line) for line in lines]


def expect(condition, message, what):
    global failures
    if not condition:
        failures += 1
        print("FAIL", message, what)


NAMES = {1: "NEGOTIATE", 2: "CHALLENGE", 3: "AUTHENTICATE"}


def check(message, got):
    fields = message["fields"]
    where = message["id"]
    expect(got.get("message") == NAMES[message["type"]], where, "message")
    expect(int(got["flags"], 16) == int(fields["flags"], 16), where, "flags")
    for key, ours in (("domain", "domain"), ("user", "user"), ("workstation", "workstation"),
                      ("target_name", "target_name"), ("server_challenge", "server_challenge"),
                      ("lm_response", "lm_response"), ("nt_response", "nt_response"),
                      ("encrypted_session_key", "session_key"), ("nt_proof", "nt_proof"),
                      ("client_challenge", "client_challenge"), ("mic", "mic"),
                      ("mic_offset", "mic_offset"), ("version", "version")):
        if key in fields:
            expect(got.get(ours) == fields[key], where,
                   f"{key}: {got.get(ours)!r} is not {fields[key]!r}")
    pairs = fields.get("target_info", fields.get("av_pairs"))
    if pairs is not None:
        ours = got.get("target_info", [])
        expect(len(ours) == len(pairs), where, "number of pairs")
        for mine, theirs in zip(ours, pairs):
            expect((mine["id"], mine["hex"]) == (theirs["id"], theirs["hex"]), where,
                   f"pair {theirs['id']}")
            if theirs["name"].startswith("MsvAv"):
                expect(mine["name"] == theirs["name"], where, f"name of pair {theirs['id']}")
            if "text" in theirs:
                expect(mine["value"] == theirs["text"], where, f"text of pair {theirs['id']}")
    if message["type"] == 3:
        same = {"none": "anonymous", "NTLM2 session": "NTLMv1 with extended session security"}
        wanted = same.get(fields["response"], fields["response"])
        # A flag may promise extended session security that the response does not have.
        expect(got["response"] == wanted or got["response"].split()[0] == wanted, where,
               f"response {got['response']} is not {fields['response']}")


count = 0
for message in captured["messages"]:
    status, lines = decode(message["hex"])
    expect(status == 0 and len(lines) == 1, message["id"], f"status {status}")
    if len(lines) == 1 and "error" not in lines[0]:
        check(message, lines[0])
    else:
        expect(False, message["id"], lines)
    encoded = base64.b64encode(bytes.fromhex(message["hex"])).decode()
    status, again = decode("< WWW-Authenticate: NTLM " + encoded)
    expect(again == lines, message["id"], "as a header")
    if "spnego" in message:
        status, wrapped = decode("Authorization: Negotiate " + base64.b64encode(
            bytes.fromhex(message["spnego"])).decode())
        expect(wrapped and wrapped[0].get("wrapping") and (
            "spnego" in wrapped[0]) == ("SPNEGO" in wrapped[0]["wrapping"]), message["id"], "its wrapping")
        for added in ("wrapping", "spnego", "answer"):
            wrapped[0].pop(added, None)
        expect(wrapped == lines, message["id"], "in SPNEGO")
    count += 1

for message in captured["malformed"]:
    status, lines = decode(message["hex"])
    expect(status == 1 and len(lines) == 1 and "error" in lines[0] and "offset" in lines[0],
           message["id"], lines)
    count += 1

# The verdict on every exchange whose password is known.
by_id = {m["id"]: m for file in files for m in file["messages"]}
judged = 0
for message in captured["messages"]:
    verify = message.get("verify", {})
    if "password" not in verify or len(verify.get("mic_over", [])) != 2:
        continue
    hexes = [by_id[i]["hex"] for i in verify["mic_over"]] + [message["hex"]]
    for password, right in ((verify["password"], True), (verify["password"] + "x", False)):
        run = subprocess.run([program, "decode", "--json", "--password-stdin", *hexes],
                             input=password.encode() + b"\n", capture_output=True, check=False,
                             timeout=30)
        verdict = json.loads(run.stdout.decode().splitlines()[-1])["verdict"]
        parts = {p["part"]: p["good"] for p in verdict}
        expect(parts.get("password") is right, message["id"], f"verdict {verdict}")
        if right:
            expect(parts.get("MIC") is True, message["id"], f"MIC {verdict}")
    judged += 1

print(f"{count} of {len(captured['messages']) + len(captured['malformed'])} messages, {judged} exchanges verified, {failures} failures")
sys.exit(1 if failures else 0)
