"""The attacks that the model of the protocol finds, test/model/traces.json, against the module.

The model finds an attack for each defense that is switched off. Here it is carried out step by step, between the module's
initiator, or a third-party client that copies pairs and makes no MIC, and the module's acceptor, which has the
defense.
"""
import json
import os
import struct

import crypto
import glue
import harness
import ntlm
import rows_spnego
import spnego
from harness import check, row
from rows_policy import settings
from rows_relay import binding_hash

PROTECTION = ntlm.SIGN | ntlm.SEAL | ntlm.KEY_EXCH
BOB = ("bob", "CORP", "Secret-of-bob")
OTHER_MECH = spnego.tlv(6, b"\x2a\x03")

# What the trace says of each attack that is rejected: it fails at the defense that the model had switched off.
REASONS = {
    "bindings-without-mic-rule": "no MIC covers the client's channel bindings",
    "bindings-planted-and-mic-ignored": "the MIC does not verify",
    "target-without-mic-rule": "no target that a MIC covers",
    "signing-mic-ignored": "the MIC does not verify",
    "signing-flags-planted": "the MIC does not verify",
    "signing-without-mic": "the MIC does not verify",
    "signing-stolen-key": "made for another server's challenge",
    "application-signs-stolen-key": "made for another server's challenge",
    "unsigned-initiator": "do not have signing",
    "ntlmv1-sent": "no target information",
    "ntlmv1-accepted": "accept_level = 5",
    "late-clock-ignored": "the client's clock differs by",
    "late-time-not-compared": "made for another server's challenge",
    "reflection-answered": "a challenge of its own process",
    # The library rejects these two, and this one is a wrong proof like any other.
    "mechanisms-without-mech-list-mic": "", "mechanisms-without-mic": "", "replay-one-challenge": "",
}


def target_of(host):
    return "HTTP@%s.example" % host


class Attack:
    """One trace of the model, as the attacker sees it."""

    def __init__(self, trace):
        self.trace = trace
        words = trace["switches"].split()
        self.added = {w for s, w in zip(words[1::2], words[2::2]) if s == "+"}
        self.challenge = trace["challenge"]
        self.by_alice = trace["user"] == "alice"
        self.sessions = trace["accepted"]
        self.offers = not self.by_alice or "asks-signing" in self.added
        self.signs = (self.sessions[0]["sign"] == "true" if self.sessions
                      else "negotiate-no-sign" not in trace["steps"])
        self.key_known = self.challenge.get("names") == "evil"

    def policy(self):
        keys = {"bindings-require": "channel_bindings = require", "require-mic": "require_mic = yes",
                "target-check": "target_check = require\ntarget_names = " + target_of("srv1")}
        return settings("[accounts]\ninitiator = users_file\n[policy]\n" + "".join(
            keys[w] + "\n" for w in sorted(self.added) if w in keys))

    def acceptor(self):
        mech = {"cred": glue.Cred(glue.ACCEPT, mech=glue.SPNEGO), "mech": glue.SPNEGO} if self.inside_spnego else {}
        return harness.acceptor(bindings=b"srv1" if "tls" in self.added else None, **mech)

    @property
    def inside_spnego(self):
        return "spnego" in self.added

    def alice(self):
        channel = self.trace["channel"]
        # A stored login: no other is held back from a challenge of its own process.
        password = None if self.challenge["nonce"] == ["n", "3"] else harness.PASSWORD
        mech = glue.SPNEGO if self.inside_spnego else glue.NTLM
        cred = glue.Cred(glue.INITIATE, "CORP\\alice", password, mech=mech)
        asks = "asks-signing" in self.added or self.inside_spnego
        return glue.Context(True, cred, mech=mech, flags=glue.INTEG if asks else 0, target=target_of(self.trace["target"]),
                            bindings=None if channel == "plain" or "tls" not in self.added else channel[4:-1].encode())

    def edit_first(self, first):
        return with_protection(first, self.signs, ntlm.SIGN | ntlm.KEY_EXCH) if self.signs != self.offers else first

    def edit_second(self, second, offered):
        """CHALLENGE as the user gets it."""
        if self.challenge.get("bare"):
            flags = ntlm.flags_of(second) & ~ntlm.TARGET_INFO
            return ntlm.challenge(flags, second[24:32], ntlm.field(second, 12), b"")
        signs = self.challenge["sign"] == "true"
        flags = ntlm.flags_of(second)
        if signs != self.signs:
            flags = ntlm.flags_of(with_protection(second, signs, PROTECTION & offered))
        pairs = self.edit_pairs(ntlm.pairs_of(ntlm.field(second, 40)))
        if pairs is None and flags == ntlm.flags_of(second):
            return second
        info = ntlm.field(second, 40) if pairs is None else ntlm.pack_pairs(pairs)
        return ntlm.challenge(flags, second[24:32], ntlm.field(second, 12), info)

    def edit_pairs(self, pairs):
        """The pairs of CHALLENGE, or None when they are left alone."""
        before = list(pairs)
        if self.key_known:
            pairs = [(av, ntlm.utf16("EVIL") if av in (1, 2) else v) for av, v in pairs if av not in (3, 4, 5)]
        if self.challenge["time"] == "no-time":
            pairs = [(av, v) for av, v in pairs if av != ntlm.TIMESTAMP]
        elif self.challenge["time"] != ["at", "0"]:
            pairs = [(av, later(v) if av == ntlm.TIMESTAMP else v) for av, v in pairs]
        planted = self.challenge["planted"]
        if planted in ("planted-flags", "planted-all"):
            pairs = [(ntlm.FLAGS, bytes(4))] + pairs
        if planted in ("planted-names", "planted-all"):
            pairs = pairs + self.planted_names()
        return pairs if pairs != before else None

    def planted_names(self):
        return [(ntlm.TARGET_NAME, ntlm.utf16(target_of("srv1").replace("@", "/"))),
                (ntlm.BINDINGS, binding_hash(b"srv1"))]

    def edit_third(self, third, messages, password):
        """AUTHENTICATE as the acceptor gets it: flags that it accepts, and a MIC made again with the stolen key, or none."""
        first, second, answered = messages
        whole = (first, second) == answered
        signs = bool(ntlm.flags_of(second) & ntlm.SIGN)
        # The key of a session, as the domain tells it to a member that the response names.
        key = exported_key(third, password) if self.key_known else None
        if bool(ntlm.flags_of(third) & ntlm.SIGN) != signs:
            third = with_protection(third, signs, PROTECTION & ntlm.flags_of(second))
            third = ntlm.set_field(third, ntlm.PLACES["key"], size=0) if not signs else third
        elif whole:
            return third
        if not self.by_alice:
            return third
        made = crypto.hmac_md5(key, first + second + third[:72] + bytes(16) + third[88:]) if key else bytes(16)
        return third[:72] + made + third[88:]

    def late(self):
        return self.sessions and self.sessions[0]["late"] != "0"


def later(stamp):
    return struct.pack("<Q", struct.unpack("<Q", stamp)[0] + 10**7)


def with_protection(message, on, bits):
    flags = ntlm.flags_of(message)
    return ntlm.with_flags(message, flags | bits if on else flags & ~PROTECTION)


def exported_key(third, password):
    parts = ntlm.parts_of(third)
    user, domain = (parts[n].decode("utf-16-le") for n in ("user", "domain"))
    base = crypto.hmac_md5(crypto.response_key(crypto.nt_hash(password), user, domain), parts["nt"][:16])
    return crypto.rc4(base, parts["key"]) if ntlm.flags_of(third) & ntlm.KEY_EXCH else base


class Alice:
    """The module's initiator, raw or inside SPNEGO."""

    password = harness.PASSWORD

    def __init__(self, attack):
        self.attack, self.context, self.mic = attack, attack.alice(), None

    def first(self):
        token = self.context.step()
        return spnego.parse(token)["token"] if self.attack.inside_spnego else token

    def answer(self, second):
        if not self.attack.inside_spnego:
            return self.context.step(second)
        token = self.context.step(spnego.response(1, spnego.NTLM_OID, second))
        parsed = spnego.parse(token) if token else {}
        self.mic = parsed.get("mic")
        return parsed.get("token", b"")


class Bob:
    """A client that knows neither MIC nor bindings, copies pairs 9 and 10, and falls back to NTLMv1."""

    password = BOB[2]

    def __init__(self, attack):
        self.attack = attack
        self.client = ntlm.Client(*BOB, mic=False, spn=target_of(attack.trace["target"]).replace("@", "/"),
                                  edit_pairs=self.copy)

    def copy(self, pairs):
        if self.attack.challenge["planted"] not in ("planted-names", "planted-all"):
            return pairs
        return [(av, v) for av, v in pairs if av != ntlm.TARGET_NAME] + self.attack.planted_names()

    def first(self):
        return self.client.negotiate()

    def answer(self, second):
        if self.attack.challenge.get("bare"):
            return self.answer_in_ntlmv1(second)
        if self.attack.late() and self.attack.challenge["time"] != ["at", "1"]:
            self.client.s["timestamp"] = ntlm.filetime() - 37 * ntlm.HOUR
        return self.client.authenticate(second)

    def answer_in_ntlmv1(self, second):
        mixed = crypto.md5(second[24:32] + b"\x07" * 8)[:8]
        parts = {"domain": ntlm.utf16(BOB[1]), "user": ntlm.utf16(BOB[0]), "workstation": b"",
                 "lm": b"\x07" * 8 + bytes(16), "nt": crypto.desl(crypto.nt_hash(BOB[2]), mixed), "key": bytes(16)}
        return ntlm.authenticate(parts, ntlm.flags_of(second) & ntlm.flags_of(self.client.first))


def open_acceptor(attack, first):
    """(acceptor that has sent its CHALLENGE, the CHALLENGE)"""
    acceptor = attack.acceptor()
    if not attack.inside_spnego:
        return acceptor, acceptor.step(first)
    short = attack.sessions[0]["list"] == "short"
    mechs = spnego.mech_list(spnego.NTLM_OID, OTHER_MECH) if short else spnego.mech_list()
    return acceptor, spnego.parse(acceptor.step(spnego.init(mechs, first))).get("token", b"")


def carry_out(attack):
    """Whether all steps of the attack succeed."""
    user = Alice(attack) if attack.by_alice else Bob(attack)
    offered = user.first()
    first = attack.edit_first(offered)
    acceptors = [open_acceptor(attack, first) for _ in attack.sessions or [None]]
    second = acceptors[0][1]
    check(second, attack.trace["claim"], "there is no CHALLENGE")
    shown = attack.edit_second(second, ntlm.flags_of(offered))
    third = user.answer(shown)
    if not third or not attack.sessions:
        return bool(third)
    third = attack.edit_third(third, (first, second, (offered, shown)), user.password)
    for acceptor, _ in acceptors:
        acceptor.step(spnego.response(token=third, mic=user.mic) if attack.inside_spnego else third)
    obeyed = all(acceptor.complete for acceptor, _ in acceptors)
    if obeyed and attack.sessions[0]["obeys"] == "by-attacker":
        check(not acceptors[0][0].flags & glue.CHANNEL_BOUND, attack.trace["claim"], "called channel-bound")
        check(attack.signs or not attack.offers or not acceptors[0][0].flags & glue.INTEG, attack.trace["claim"], "integrity")
    return obeyed


@row(6, "each attack that the model finds without a defense is rejected with it; those that it finds in any case succeed")
def attacks_of_the_model():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "..", "model", "traces.json"), encoding="utf-8") as file:
        traces = json.load(file)
    check(len(traces) >= 20, "there are", len(traces), "traces")
    honest = {t["claim"]: t for t in traces if t["claim"] in ("honest", "honest-strict")}
    for trace in traces:
        attack = Attack(trace)
        # Where the library overlooks mechListMIC, no acceptor sees that the list was changed.
        if attack.inside_spnego and trace["replay"] == "rejected" and not rows_spnego.carries_mic():
            continue
        text = harness.WORLD.path("trace-" + trace["claim"])
        with attack.policy(), harness.environment(GSS_NTLM_TRACE=text):
            check(carry_out(attack) == (trace["replay"] == "accepted"), trace["claim"], "is not", trace["replay"])
            if trace["replay"] == "rejected":
                with open(text, encoding="utf-8") as file:
                    check(REASONS[trace["claim"]] in file.read(), trace["claim"], "is rejected for another reason")
            alike = honest["honest-strict" if "asks-signing" in attack.added else "honest"]
            control = dict(alike, switches=" ".join(["defaults"] + ["+ " + w for w in sorted(attack.added)]))
            check(carry_out(Attack(control)), trace["claim"], "the honest exchange beside it fails")
