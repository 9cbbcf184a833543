#!/usr/bin/python3
"""Tokens that crash SPNEGO, in both roles, each in a child: DEFECTIVE_TOKEN with a text where the interposer is.

Usage: tokens.py INTERPOSER MECHANISM    PASS and FAIL lines; exit status 1 on any FAIL, 77 without python3-gssapi
"""
import os
import sys

from harness import Report, Scratch, need_gssapi

# krb5 ticket 9213: a responseToken, then [4] that is not an OCTET STRING. 1.21.0 to 1.22.1 crash; 1.22.2 would for [3].
TICKET_9213 = ["a106a2020400a400", "a107a2020400a40130", "a108a2020400a4020500", "a1083006a2020400a400",
               "a1083006a2020400a300", "a10a3008a2020400a3020500"]
# 1.20.1 reads beyond the end of these.
OVERREAD = ["a180", "a100"]
OTHERS = ["a1", "a103300100", "a1023080", "30", "00", "a20430020500"]
# Rejected without a crash: by the acceptor that cannot go on, or by the mechanism inside.
WHOLE = ["a1023000", "a1073005a0030a0101", "a1083006a2040402abcd"]


def child(role, token):
    import gssapi.raw as g  # the parent has no registration
    spnego = g.OID.from_int_seq("1.3.6.1.5.5.2")
    target = g.import_name(b"host@server.example", g.NameType.hostbased_service)
    creds = g.acquire_cred(None, mechs=[spnego], usage="initiate").creds
    try:
        first = g.init_sec_context(target, mech=spnego, creds=creds)
        if role == "initiate":
            g.init_sec_context(target, mech=spnego, creds=creds, context=first.context, input_token=token)
        else:
            context = g.accept_sec_context(first.token).context
            try:
                g.accept_sec_context(token, context=context)
            except g.GSSError as error:
                print(type(error).__name__, str(error))
                # The context has ended: no later token revives it.
                g.accept_sec_context(first.token, context=context)
        print("taken")
    except g.GSSError as error:
        print(type(error).__name__, str(error))


def main():
    need_gssapi()
    report = Report("tokens")
    scratch = Scratch(*sys.argv[1:3])
    for role in ("initiate", "accept"):
        for token in TICKET_9213 + OVERREAD + OTHERS:
            status, seen = scratch.child(__file__, role, token, users="alice")
            good = status == 0 and "InvalidTokenError" in seen and ("SPNEGO token" in seen or "not SPNEGO" in seen)
            if role == "accept":
                good = good and "MissingContextError" in seen
            report.check(good, "%s %s is rejected with a text" % (role, token), "status %d, %s" % (status, seen[-300:]))
        for token in WHOLE:
            status, seen = scratch.child(__file__, role, token, users="alice")
            report.check(status == 0 and "the peer's SPNEGO" not in seen, "%s %s is left to MIT's SPNEGO" % (role, token),
                         "status %d, %s" % (status, seen[-300:]))
        crashed = [token for token in TICKET_9213
                   if scratch.child(__file__, role, token, config="plain.conf", users="alice")[0] < 0]
        print("NOTE tokens: without the interposer %d of %d crash this library (%s): %s" % (
            len(crashed), len(TICKET_9213), role, ", ".join(crashed)))
    report.exit()


if sys.argv[1] == "--child":
    child(sys.argv[2], bytes.fromhex(sys.argv[3]))
else:
    # Paths of the arguments are of the directory of the caller.
    sys.argv[1:] = [os.path.abspath(path) for path in sys.argv[1:]]
    os.chdir("/")
    main()
