#!/usr/bin/python3
"""Samba's ntlm_auth as the other side of an exchange: keys and MIC are compared.

Usage: ntlm_auth.py PROTOCOL USER DOMAIN PASSWORD mic|no-mic
PROTOCOL is one of ntlm_auth's: ntlmssp-client-1 and gss-spnego-client log in to our acceptor,
squid-2.5-ntlmssp and gss-spnego let our initiator in. Prints one line, "ok" or what went wrong.
"""
import base64
import hashlib
import hmac
import struct
import subprocess
import sys

import gssapi
from gssapi.raw import RequirementFlag

NTLM = gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10")
SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
SESSION_KEY = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2.5.5")


class Helper:
    def __init__(self, protocol, user=None, domain=None, password=None):
        command = ["ntlm_auth", f"--helper-protocol={protocol}"]
        if user is not None:
            command += [f"--username={user}", f"--domain={domain}", f"--password={password}"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.ask("SF NTLMSSP_FEATURE_SESSION_KEY")

    def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().rstrip("\n").split(" ")

    def exchange(self, command, token):
        """The answer's code, its token if it has one, and its last word."""
        text = f" {base64.b64encode(token).decode()}" if token else ""
        code, *words = self.ask(command + text)
        answer = b""
        if words and words[0] != "*" and code in ("YR", "TT", "KK", "AF"):
            try:
                answer = base64.b64decode(words[0], validate=True)
            except ValueError:
                pass
        if code in ("BH", "NA"):
            raise RuntimeError(f"ntlm_auth says {code} {' '.join(words)}")
        return code, answer, words[-1] if words else ""

    def key(self):
        code, *words = self.ask("GK")
        if code != "GK" and words:
            raise RuntimeError(f"no key: {code} {words}")
        return base64.b64decode(words[-1] if words else "")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def ntlm_of(token):
    """The NTLM message inside a SPNEGO token; a mechListMIC may follow it."""
    at = token.find(b"NTLMSSP\0")
    return token[at:] if at >= 0 else b""


def message_of(token):
    """The same, cut at the end of its payload."""
    message = ntlm_of(token)
    kind = struct.unpack("<I", message[8:12])[0]
    fields = {1: (16, 24), 2: (12, 40), 3: (12, 20, 28, 36, 44, 52)}[kind]
    ends = [40 if kind == 1 else 56 if kind == 2 else 88]
    for at in fields:
        length, _, offset = struct.unpack("<HHI", message[at:at + 8])
        ends.append(offset + length if length else 0)
    return message[:max(ends)]


def check_mic(key, tokens, wanted):
    negotiate, challenge, authenticate = (message_of(t) for t in tokens)
    if wanted == "no-mic":
        # Neither announced in the pairs, which the proof covers, nor there.
        if bytes.fromhex("0600040002000000") in authenticate:
            raise RuntimeError("there is a MIC")
        return
    blank = authenticate[:72] + bytes(16) + authenticate[88:]
    made = hmac.new(key, negotiate + challenge + blank, hashlib.md5).digest()
    if made != authenticate[72:88]:
        raise RuntimeError("the MIC is not that of the three messages")


def accept(protocol, mech, user, domain, password, _):
    helper = Helper(protocol, user, domain, password)
    creds = gssapi.Credentials(usage="accept", mechs=[mech])
    context = gssapi.SecurityContext(creds=creds, usage="accept")
    code, token, _ = helper.exchange("YR", b"")
    tokens = [token]
    while True:
        answer = context.step(token)
        if answer and ntlm_of(answer):
            tokens.append(answer)
        if context.complete and code == "AF":
            break
        if not answer:
            break
        code, token, _ = helper.exchange("TT", answer)
        if ntlm_of(token):
            tokens.append(token)
        if context.complete:
            break
    return helper, context, tokens


def offers_signing_alone(token):
    """Of NEGOTIATE's flags SIGN and SEAL."""
    return struct.unpack("<I", ntlm_of(token)[12:16])[0] & 0x30 == 0x10


def initiate(protocol, mech, user, domain, password, flags):
    helper = Helper(protocol)
    creds = gssapi.raw.acquire_cred_with_password(
        gssapi.Name(f"{domain}\\{user}", gssapi.NameType.user), password.encode(), mechs=[mech],
        usage="initiate").creds
    context = gssapi.SecurityContext(
        name=gssapi.Name("host@member1.corp.example", gssapi.NameType.hostbased_service),
        creds=gssapi.Credentials(creds), usage="initiate", mech=mech, flags=flags)
    token = context.step(None)
    if offers_signing_alone(token) != (flags == RequirementFlag.integrity):
        raise RuntimeError("NEGOTIATE offers other protection than was asked for")
    tokens = [token]
    command = "YR"
    while True:
        code, answer, word = helper.exchange(command, token)
        if ntlm_of(answer):
            tokens.append(answer)
        if code == "AF":
            if user.lower() not in word.lower():
                raise RuntimeError(f"accepted as {word}")
            if answer and not context.complete:
                context.step(answer)
            break
        token = context.step(answer)
        if token and ntlm_of(token):
            tokens.append(token)
        command = "KK"
    return helper, context, tokens


def main():
    protocol, user, domain, password, mic = sys.argv[1:]
    mech = SPNEGO if "spnego" in protocol else NTLM
    role = accept if "client" in protocol else initiate
    sealed = RequirementFlag.integrity | RequirementFlag.confidentiality
    try:
        for flags in (sealed,) if role == accept else (sealed, RequirementFlag.integrity):
            helper, context, tokens = role(protocol, mech, user, domain, password, flags)
            if not context.complete:
                raise RuntimeError("the context is not complete")
            key = gssapi.raw.inquire_sec_context_by_oid(context, SESSION_KEY)[0]
            if helper.key() != key:
                raise RuntimeError("the session keys differ")
            check_mic(key, tokens, mic)
            helper.close()
    except (RuntimeError, gssapi.exceptions.GSSError) as error:
        print(f"failed: {error}")
        return
    print("ok")


main()
