#!/usr/bin/python3
"""impacket's NTLM against ours: NTLMv2, NTLMv1 with and without extended session security, LM.

impacket's client logs in to our acceptor; our initiator's answers are checked, and its messages opened,
with impacket's functions. Where impacket makes the keys of messages without extended session security it
shortens them whether LM_KEY was agreed or not, which [MS-NLMP] 3.4.5.3 does not say: there only the login and
the key are compared.
"""
import hashlib
import hmac
import struct
import sys

import ours
from ours import DOMAIN, OPEN, PASSWORD, USER
from rows import row, skipped, version

try:
    from impacket import ntlm
    from Cryptodome.Cipher import ARC4
except ImportError:
    skipped("SSPI family", "impacket", "python3-impacket is not installed")
    print("SKIP python3-impacket is not installed")
    sys.exit(77)

CHALLENGE = bytes(range(0x10, 0x18))

its_kxkey = ntlm.KXKEY


def kxkey(flags, base, lm, challenge, password, *args, **kwargs):
    """impacket's KXKEY, but for LM_KEY, where it adds an int to bytes and fails."""
    if not flags & ours.ESS and flags & ours.LM_KEY and not kwargs.get("use_ntlmv2"):
        block, owf = getattr(ntlm, "__DES_block"), ntlm.LMOWFv1(password)
        return block(owf[:7], lm[:8]) + block(owf[7:8] + b"\xbd" * 6, lm[:8])
    return its_kxkey(flags, base, lm, challenge, password, *args, **kwargs)


ntlm.KXKEY = kxkey


class Messages:
    """Session security by impacket's functions, for either end."""

    def __init__(self, flags, key, role):
        self.flags = flags
        self.ends = {}
        for mode in ("Client", "Server"):
            handle = ARC4.new(ntlm.SEALKEY(flags, key, mode)).encrypt
            self.ends[mode] = [ntlm.SIGNKEY(flags, key, mode), ntlm.SEALKEY(flags, key, mode), handle, 0]
        self.own, self.peer = role, "Server" if role == "Client" else "Client"

    def wrap(self, data):
        sign, seal, handle, number = self.ends[self.own]
        body, signature = ntlm.SEAL(self.flags, sign, seal, data, data, number, handle)
        self.ends[self.own][3] += 1
        return signature.getData() + body

    def unwrap(self, token):
        sign, seal, handle, number = self.ends[self.peer]
        data = handle(token[16:])
        signature = ntlm.MAC(self.flags, handle, sign, number, data).getData()
        self.ends[self.peer][3] += 1
        ours.expect(signature == token[:16], "impacket does not verify our signature")
        return data

    def mic(self, data):
        sign, _, handle, number = self.ends[self.own]
        self.ends[self.own][3] += 1
        return ntlm.SIGN(self.flags, sign, data, number, handle).getData()


def converse(context, messages):
    for number in range(20):
        text = b"message %d" % number + b"." * (number * 37)
        ours.expect(context.unwrap(messages.wrap(text)).message == text, "our unwrap")
        ours.expect(messages.unwrap(context.wrap(text, True).message) == text, "our wrap")
        context.verify_signature(text, messages.mic(text))


def log_in(use_ntlmv2, drop=0, add=0, user=USER, password=PASSWORD, protect=True,
           lm_alone=False):
    """impacket's client at our acceptor."""
    acceptor = ours.acceptor()
    type1 = ntlm.getNTLMSSPType1("WKS", DOMAIN, signingRequired=protect, use_ntlmv2=use_ntlmv2)
    type1["flags"] = (type1["flags"] & ~drop) | add
    challenge = acceptor.step(type1.getData())
    type3, key = ntlm.getNTLMSSPType3(type1, challenge, user, password, DOMAIN,
                                      use_ntlmv2=use_ntlmv2)
    if lm_alone:
        type3["ntlm"] = b""
    acceptor.step(type3.getData())
    ours.expect(acceptor.complete, "the context is not open")
    ours.expect(str(acceptor.initiator_name) == DOMAIN + "\\" + USER, "who it is")
    ours.expect(ours.session_key(acceptor) == key, "the keys differ")
    if protect and type3["flags"] & ours.ESS:
        converse(acceptor, Messages(type3["flags"], key, "Client"))


def make_challenge(flags):
    names = ntlm.AV_PAIRS()
    names[ntlm.NTLMSSP_AV_HOSTNAME] = "SERVER".encode("utf-16-le")
    names[ntlm.NTLMSSP_AV_DOMAINNAME] = DOMAIN.encode("utf-16-le")
    names[ntlm.NTLMSSP_AV_TIME] = struct.pack("<Q", 133500000000000000)
    info = names.getData()
    domain = DOMAIN.encode("utf-16-le")
    message = ntlm.NTLMAuthChallenge()
    message["flags"] = flags | ntlm.NTLMSSP_NEGOTIATE_TARGET_INFO | ntlm.NTLMSSP_TARGET_TYPE_DOMAIN
    message["domain_len"] = message["domain_max_len"] = len(domain)
    message["domain_offset"] = 40 + 16
    message["challenge"] = CHALLENGE
    message["domain_name"] = domain
    message["TargetInfoFields_len"] = message["TargetInfoFields_max_len"] = len(info)
    message["TargetInfoFields"] = info
    message["TargetInfoFields_offset"] = 40 + 16 + len(domain)
    message["Version"] = b"\x0a\0\0\0\0\0\0\x0f"
    message["VersionLen"] = 8
    return message.getData()


def exported_key(message, exchange_key):
    if message["flags"] & ours.KEY_EXCH:
        return ntlm.generateEncryptedSessionKey(exchange_key, message["session_key"])
    return exchange_key


def expected_base(message):
    """The session base key, and the check of the response that it comes from."""
    nt, lm = message["ntlm"], message["lanman"]
    if len(nt) > 24:
        key = ntlm.NTOWFv2(USER, PASSWORD, DOMAIN)
        proof = hmac.new(key, CHALLENGE + nt[16:], hashlib.md5).digest()
        ours.expect(proof == nt[:16], "impacket does not verify our NTLMv2 response")
        return True, hmac.new(key, proof, hashlib.md5).digest()
    want_nt, want_lm, base = ntlm.computeResponseNTLMv1(
        message["flags"] & ~ours.LM_KEY, CHALLENGE, lm[:8], b"", DOMAIN, USER, PASSWORD)
    ours.expect(nt == want_nt, "impacket computes another NTLMv1 response")
    ours.expect(lm in (want_lm, want_nt), "impacket computes another LM response")
    return False, base


def answer(level, drop=0, add=0, v2=False):
    """Our initiator, verified by impacket's functions."""
    wanted = (ours.UNICODE | ours.REQUEST_TARGET | ours.NTLM_FLAG | ours.ALWAYS_SIGN | ours.VERSION |
              ours.SIGN | ours.SEAL | ours.ESS | ours.KEY_EXCH | ours.K128 | ours.K56)
    initiator = ours.initiator(flags=0, negotiate_flags=(wanted & ~drop) | add)
    offer = struct.unpack("<I", initiator.step()[12:16])[0]
    ours.expect(offer & drop == 0, "the offer has what it should not")
    challenge = make_challenge(offer)
    token = initiator.step(challenge)
    ours.expect(initiator.complete, "the context is not open")
    message = ntlm.NTLMAuthChallengeResponse()
    message.fromString(token)
    is_v2, base = expected_base(message)
    ours.expect(is_v2 == v2, "level %d sent something else" % level)
    exchange_key = ntlm.KXKEY(message["flags"], base, message["lanman"], CHALLENGE, PASSWORD, "", "",
                              use_ntlmv2=is_v2)
    key = exported_key(message, exchange_key)
    ours.expect(ours.session_key(initiator) == key, "the keys differ")
    if message["flags"] & ours.ESS:
        converse(initiator, Messages(message["flags"], key, "Server"))


def main():
    workshop = ours.Workshop()
    attempt = ours.attempt
    attempt("impacket's client, NTLMv2, default policy", lambda: log_in(True))
    attempt("impacket's client, NTLMv2 without protection", lambda: log_in(True, protect=False))
    attempt("impacket's client, NTLMv2, wrong password", lambda: log_in(True, password="guess"),
            refused="logon failure")
    attempt("impacket's client, NTLMv1, default policy", lambda: log_in(False),
            refused="rejects this version of NTLM")
    workshop.policy(**OPEN)
    for label, drop in (("128", 0), ("56", ours.K128), ("40", ours.K128 | ours.K56)):
        attempt("impacket's client, NTLMv2, %s bits" % label, lambda d=drop: log_in(True, d))
        attempt("impacket's client, NTLMv1 with ESS, %s bits" % label, lambda d=drop: log_in(False, d))
    attempt("impacket's client, NTLMv1 without ESS", lambda: log_in(False, ours.ESS))
    attempt("impacket's client, LM response alone", lambda: log_in(False, ours.ESS, lm_alone=True))
    attempt("impacket's client, LM response alone, wrong password",
            lambda: log_in(False, ours.ESS, lm_alone=True, password="guess"), refused="logon failure")
    attempt("impacket's client, LM response and LM_KEY",
            lambda: log_in(False, ours.ESS | ours.K128, ours.LM_KEY))
    attempt("impacket's client, NTLMv1 without ESS, REQUEST_NON_NT_SESSION_KEY",
            lambda: log_in(False, ours.ESS | ours.K128, ours.NON_NT))
    for drop in (0, ours.ESS):
        attempt("impacket's client, NTLMv1 %s, wrong password" % ("without ESS" if drop else "with ESS"),
                lambda d=drop: log_in(False, d, password="guess"), refused="logon failure")
    workshop.policy(**dict(OPEN, accept_level="4"))
    attempt("impacket's client, LM response alone, at level 4",
            lambda: log_in(False, ours.ESS, lm_alone=True), refused="logon failure")
    for level in range(6):
        workshop.policy(**dict(OPEN, send_level=str(level)))
        for label, drop in (("128", 0), ("56", ours.K128), ("40", ours.K128 | ours.K56),
                            ("no key exchange", ours.KEY_EXCH), ("no ESS", ours.ESS)):
            attempt("impacket verifies our initiator at level %d, %s" % (level, label),
                    lambda l=level, d=drop: answer(l, d, v2=l >= 3))
    workshop.policy(**dict(OPEN, send_level="0"))
    for label, add in (("LM_KEY", ours.LM_KEY), ("REQUEST_NON_NT_SESSION_KEY", ours.NON_NT)):
        attempt("impacket verifies our initiator at level 0, " + label,
                lambda a=add: answer(0, ours.ESS | ours.K128, a))
    row("SSPI family", "impacket", version("python3-impacket"), "both",
        "raw: NTLMv2, and NTLMv1, LM and LM_KEY if policy accepts them; 128, 56 and 40 bits, sealed, MIC; wrong "
        "password", "fails" if ours.failures else "works")
    ours.finish()


main()
