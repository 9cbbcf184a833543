#!/usr/bin/python3
"""What python3-gssapi's users do: contexts in both roles, raw and inside SPNEGO, messages, IOV, contexts that
move, also from process to process while half open, credentials from stores and passwords, bindings, attributes.

Usage: python_gssapi.py    GSS_MECH_CONFIG names the module. PASS and FAIL lines; exit status 1 on any FAIL.
"""
import base64
import os
import subprocess
import sys

import ours
from ours import NTLM, attempt, expect, gssapi
from rows import row, version

from gssapi.raw import ChannelBindings, IOV, IOVBufferType, NameType, RequirementFlag
from gssapi.raw.misc import GSSError

raw = gssapi.raw
SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
FLAGS = (RequirementFlag.integrity | RequirementFlag.confidentiality | RequirementFlag.replay_detection
         | RequirementFlag.out_of_sequence_detection)
ATTRIBUTES = {"user": ours.USER, "domain": ours.DOMAIN, "version": "NTLMv2", "channel-bound": "0",
              "key-bits": "128", "target": "HTTP/server.example"}


def client(mech, creds=None, bindings=None, target="HTTP@server.example"):
    return gssapi.SecurityContext(name=gssapi.Name(target, NameType.hostbased_service), mech=mech, usage="initiate",
                                  creds=creds, flags=FLAGS, channel_bindings=bindings)


def server(mech, creds=None, bindings=None):
    creds = creds or gssapi.Credentials(usage="accept", mechs=[mech])
    return gssapi.SecurityContext(usage="accept", creds=creds, channel_bindings=bindings)


def log_in(i, a):
    token = i.step()
    while not (i.complete and a.complete):
        token = a.step(token)
        if token is not None or not i.complete:
            token = i.step(token)
    return i, a


def pair(mech, **keys):
    return log_in(client(mech, **keys), server(mech))


def talk(i, a):
    for one, other in ((i, a), (a, i)):
        for size in (0, 1, 1000, 100000):
            text = os.urandom(size)
            sealed = one.wrap(text, True)
            expect(sealed.encrypted, "sealed")
            expect(text not in sealed.message or size < 2, "not readable")
            got = other.unwrap(sealed.message)
            expect(got.message == text and got.encrypted, "unwrap")
            other.verify_signature(text, one.get_signature(text))


def refused(call, *arguments):
    try:
        call(*arguments)
    except GSSError:
        return True
    return False


def check_handshake(mech):
    i, a = pair(mech)
    expect(str(a.initiator_name) == "CORP\\alice", "the initiator's name")
    expect(not i.locally_initiated == a.locally_initiated, "the roles")
    expect(RequirementFlag.confidentiality in i.actual_flags, "flags")
    talk(i, a)


def check_bad_messages(mech):
    i, a = pair(mech)
    sealed = i.wrap(b"hello", True).message
    for bad in (b"", sealed[:15], sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        expect(refused(a.unwrap, bad), "a damaged token")
    expect(a.unwrap(sealed).message == b"hello", "the token itself, afterwards")
    mic = a.get_signature(b"hello")
    expect(refused(i.verify_signature, b"hallo", mic), "another text")
    i.verify_signature(b"hello", mic)


def check_iov(mech):
    i, a = pair(mech)
    kinds = (IOVBufferType.header, (IOVBufferType.sign_only, False, b"seen, "), (IOVBufferType.data, False, b"hidden"),
             IOVBufferType.padding, IOVBufferType.trailer)
    sent = IOV(*kinds, std_layout=False)
    raw.wrap_iov(i, sent, confidential=True)
    expect(sent[2].value != b"hidden" and sent[1].value == b"seen, ", "what is sealed")
    header = sent[0].value
    got = IOV((IOVBufferType.header, False, header), (IOVBufferType.sign_only, False, b"seen, "),
              (IOVBufferType.data, False, sent[2].value), std_layout=False)
    expect(raw.unwrap_iov(a, got).encrypted and got[2].value == b"hidden", "unwrap_iov")
    text = b"stream"
    stream = IOV((IOVBufferType.stream, False, i.wrap(text, True).message), (IOVBufferType.data, True, None),
                 std_layout=False)
    raw.unwrap_iov(a, stream)
    expect(stream[1].value == text, "a stream")


def check_moved(mech):
    i, a = pair(mech)
    talk(i, a)
    i = gssapi.SecurityContext(token=i.export())
    a = gssapi.SecurityContext(token=a.export())
    expect(str(a.initiator_name) == "CORP\\alice", "the name after the move")
    talk(i, a)


def check_bindings(mech):
    right = ChannelBindings(application_data=b"tls-server-end-point:right")
    other = ChannelBindings(application_data=b"tls-server-end-point:other")
    log_in(client(mech, bindings=right), server(mech, bindings=right))
    expect(refused(log_in, client(mech, bindings=other), server(mech, bindings=right)), "other bindings")


def check_attributes(mech):
    _, a = pair(mech)
    name = a.initiator_name
    # The library's SPNEGO may lose the MIC; the target is no evidence then.
    covered = mech == NTLM or raw.get_name_attribute(name, b"urn:gss-ntlm:mic").values == [b"1"]
    for key, value in dict(ATTRIBUTES, **({} if covered else {"mic": "0", "target": ""})).items():
        got = raw.get_name_attribute(name, ("urn:gss-ntlm:" + key).encode())
        expect(got.values == [value.encode()] and got.authenticated, key)
    listed = {str(key, "ascii") if isinstance(key, bytes) else key for key in name.attributes}
    expect({"urn:gss-ntlm:" + key for key in ATTRIBUTES} <= listed, "the list of attributes")


def check_credentials(workshop):
    name = gssapi.Name("CORP\\alice", NameType.user)
    creds = raw.acquire_cred_with_password(name, ours.PASSWORD.encode(), mechs=[NTLM], usage="initiate").creds
    pair(NTLM, creds=creds)
    wrong = raw.acquire_cred_with_password(name, b"guess", mechs=[NTLM], usage="initiate").creds
    expect(refused(lambda: pair(NTLM, creds=wrong)), "a wrong password")
    path = os.path.join(workshop.directory.name, "kept")
    store = {b"ntlmssp_keyfile": path.encode()}
    raw.store_cred_into(store, creds, usage="initiate", mech=NTLM, overwrite=True)
    found = gssapi.Credentials(usage="initiate", mechs=[NTLM], store={"ntlmssp_keyfile": path})
    expect(str(found.name) == "CORP\\alice", "whose it is")
    pair(NTLM, creds=found)
    moved = raw.import_cred(raw.export_cred(found))
    pair(NTLM, creds=moved)
    expect(refused(lambda: gssapi.Credentials(usage="initiate", mechs=[NTLM],
                                              store={"ntlmssp_keyfile": path + ".none"})), "a store that is not there")


# The farm: each step may run in any process, which knows only the token that it receives.

def hand(*parts):
    return b" ".join(base64.b64encode(part or b"") for part in parts) + b"\n"


def ask_process(task, *parts):
    done = subprocess.run([sys.executable, "-B", __file__, task], input=hand(*parts), stdout=subprocess.PIPE, check=True)
    return [base64.b64decode(part) for part in done.stdout.split(b" ")]


def serve(task):
    parts = [base64.b64decode(part) for part in sys.stdin.buffer.readline().rstrip(b"\n").split(b" ")]
    if task == "challenge":
        context = server(NTLM)
        answer = hand(context.step(parts[0]), raw.export_sec_context(context))
    elif task == "authenticate":
        context = gssapi.SecurityContext(base=raw.import_sec_context(parts[1]), usage="accept",
                                         creds=gssapi.Credentials(usage="accept", mechs=[NTLM]))
        token = raw.accept_sec_context(parts[0], acceptor_creds=gssapi.Credentials(usage="accept", mechs=[NTLM]),
                                       context=context).token
        answer = hand(token, raw.export_sec_context(context))
    else:
        context = gssapi.SecurityContext(token=parts[1])
        text = context.unwrap(parts[0]).message
        answer = hand(text, context.wrap(text[::-1], True).message, str(context.initiator_name).encode())
    sys.stdout.buffer.write(answer)


def check_farm():
    i = client(NTLM)
    challenge, half_open = ask_process("challenge", i.step())
    token, context = ask_process("authenticate", i.step(challenge), half_open)
    expect(not token and i.complete, "the end of the handshake")
    text, answer, name = ask_process("unwrap", i.wrap(b"to whom it may concern", True).message, context)
    expect(text == b"to whom it may concern" and name == b"CORP\\alice", "what the third process read")
    expect(i.unwrap(answer).message == text[::-1], "what it answered")


def check_farm_wrong_password(workshop):
    users = os.environ["NTLM_USER_FILE"]
    wrong = os.path.join(workshop.directory.name, "wrong")
    with open(wrong, "w", encoding="ascii") as f:
        f.write("CORP:alice:guess\n")
    os.environ["NTLM_USER_FILE"] = wrong
    i = client(NTLM, creds=gssapi.Credentials(usage="initiate", mechs=[NTLM]))
    os.environ["NTLM_USER_FILE"] = users
    challenge, half_open = ask_process("challenge", i.step())
    try:
        ask_process("authenticate", i.step(challenge), half_open)
    except subprocess.CalledProcessError:
        return
    raise AssertionError("it was accepted")


def main():
    workshop = ours.Workshop()
    if len(sys.argv) > 1:
        try:
            serve(sys.argv[1])
        except GSSError:
            sys.exit(1)
        return
    for mech, label in ((NTLM, "raw"), (SPNEGO, "spnego")):
        for what, check in (("handshake and messages", check_handshake), ("damaged messages", check_bad_messages),
                            ("IOV", check_iov), ("a context that moves", check_moved),
                            ("channel bindings", check_bindings), ("attributes", check_attributes)):
            attempt("python3-gssapi, %s: %s" % (label, what), lambda c=check, m=mech: c(m))
    attempt("python3-gssapi: credentials from passwords and stores, moved", lambda: check_credentials(workshop))
    attempt("login farm: three processes serve one login", check_farm)
    attempt("login farm: a wrong password is refused", lambda: check_farm_wrong_password(workshop))
    row("GSSAPI", "python3-gssapi", version("python3-gssapi"), "both",
        "raw and SPNEGO: sealed, MIC, IOV, channel bindings, attributes, credentials from stores and passwords, "
        "exported contexts; wrong password", "fails" if ours.failures else "works")
    ours.finish()


main()
