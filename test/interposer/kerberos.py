#!/usr/bin/python3
"""Kerberos with and without the interposer: the same answers from SPNEGO, with a KDC of MIT's on the loopback interface.

Usage: kerberos.py INTERPOSER MECHANISM [PROGRAMS]    PASS and FAIL lines; exit status 1 on any FAIL, 77 without a KDC

Each probe's answer is text: majors, names, flags, texts of errors. A child prints all of them, once without the
interposer and once with it; minor codes are the mechglue's own numbers and are left out. PROGRAMS is
a directory with MIT's own programs (src/tests/gssapi/t_*.c), compiled: they are run both ways too.
"""
import ctypes
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

from harness import SYSTEM_PYTHON, Report, Scratch, need_gssapi

REALM = "KRBTEST.EXAMPLE"
SERVICE = "HTTP@localhost"
PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")


# --- The KDC -----------------------------------------------------------------------------------

class Kdc:
    def __init__(self, scratch):
        self.scratch = scratch
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        scratch.write("krb5.conf", "[libdefaults]\ndefault_realm = %s\ndns_lookup_kdc = false\nrdns = false\n"
                      "dns_canonicalize_hostname = false\nforwardable = true\n[realms]\n%s = {\nkdc = 127.0.0.1:%d\n}\n"
                      "[domain_realm]\nlocalhost = %s\n" % (REALM, REALM, self.port, REALM))
        scratch.write("kdc.conf", "[kdcdefaults]\nkdc_listen = 127.0.0.1:%d\nkdc_tcp_listen = 127.0.0.1:%d\n[realms]\n%s = {\n"
                      "database_name = %s\nkey_stash_file = %s\n}\n" % (
                          self.port, self.port, REALM, scratch.file("db"), scratch.file("stash")))
        self.env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "KRB5_CONFIG": scratch.file("krb5.conf"),
                    "KRB5_KDC_PROFILE": scratch.file("kdc.conf"), "KRB5CCNAME": "FILE:" + scratch.file("ccache"),
                    "KRB5_KTNAME": "FILE:" + scratch.file("keytab"), "KRB5RCACHENAME": "file2:" + scratch.file("rcache")}
        self.run("kdb5_util", "create", "-s", "-P", "master")
        for name in ("alice", "bob"):
            self.run("kadmin.local", "addprinc", "-pw", "Passw0rd", name)
        for name in ("HTTP/localhost", "host/localhost"):
            self.run("kadmin.local", "addprinc", "-randkey", name)
            self.run("kadmin.local", "ktadd", "-k", scratch.file("keytab"), name)
        self.process = subprocess.Popen(["krb5kdc", "-n"], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            time.sleep(0.05)
            if not subprocess.run(["kinit", "alice"], input=b"Passw0rd\n", env=self.env, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, check=False).returncode:
                return
        raise RuntimeError("the KDC gives no tickets")

    def run(self, *command):
        subprocess.run(command, env=self.env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=10)


# --- The probes --------------------------------------------------------------------------------

def child():
    import gssapi.raw as g
    from gssapi.raw import RequirementFlag as F

    spnego = g.OID.from_int_seq("1.3.6.1.5.5.2")
    krb5 = g.OID.from_int_seq("1.2.840.113554.1.2.2")
    target = g.import_name(SERVICE.encode(), g.NameType.hostbased_service)
    all_flags = F.mutual_authentication | F.integrity | F.confidentiality | F.replay_detection | F.out_of_sequence_detection

    def meet(flags=all_flags, mech=spnego, name=target, creds=None, acceptor=None, bindings=(None, None), limit=6):
        one = g.init_sec_context(name, mech=mech, flags=flags, creds=creds, channel_bindings=bindings[0])
        two, legs, tokens = None, 1, [one.token]
        while one.token and legs < limit:
            two = g.accept_sec_context(one.token, acceptor_creds=acceptor, context=two and two.context,
                                       channel_bindings=bindings[1])
            if not one.more_steps and not two.token:
                break
            one = g.init_sec_context(name, mech=mech, flags=flags, creds=creds, context=one.context,
                                     input_token=two.token, channel_bindings=bindings[0])
            legs += 1
            tokens.append(two.token)
        return one, two, legs

    def flags_of(value):
        return "0x%x" % int(value)

    def describe(one, two, legs):
        name = g.display_name(two.initiator_name, name_type=True)
        return (legs, str(one.mech), str(two.mech), flags_of(one.flags), flags_of(two.flags), name.name.decode(),
                str(name.name_type), one.lifetime is None or one.lifetime > 0, two.lifetime is None or two.lifetime > 0)

    def handshake(**how):
        return lambda: describe(*meet(**how))

    def messages(pair):
        one, two = pair[0].context, pair[1].context
        out = []
        for a, b in ((one, two), (two, one)):
            for confidential in (True, False):
                opened = g.unwrap(b, g.wrap(a, b"text", confidential).message)
                out.append((opened.message, opened.encrypted))
            mic = g.get_mic(a, b"text")
            out.append(g.verify_mic(b, b"text", mic))
        return out

    def inquire(context):
        i = g.inquire_context(context)
        return (g.display_name(i.initiator_name).name, g.display_name(i.target_name).name, str(i.mech), flags_of(i.flags),
                i.locally_init, i.complete, i.lifetime is None or i.lifetime > 0)

    def bad_mic():
        one, two, _ = meet()
        return g.verify_mic(two.context, b"other", g.get_mic(one.context, b"text"))

    def replayed():
        one, two, _ = meet()
        token = g.wrap(one.context, b"text", True).message
        g.unwrap(two.context, token)
        return g.unwrap(two.context, token).message

    def aead():
        one, two, _ = meet()
        sealed = g.wrap_aead(one.context, b"text", b"associated")
        opened = g.unwrap_aead(two.context, sealed.message, b"associated")
        return opened.message, opened.encrypted

    def size_limit():
        one, _, _ = meet()
        return [g.wrap_size_limit(one.context, size, confidential) for size in (100, 4096) for confidential in (True, False)]

    def exported():
        one, two, _ = meet()
        again = (g.import_sec_context(g.export_sec_context(one.context)), g.import_sec_context(g.export_sec_context(two.context)))

        class Made:
            def __init__(self, context):
                self.context = context
        return messages([Made(c) for c in again]), [inquire(c) for c in again]

    def exported_cred():
        creds = g.import_cred(g.export_cred(g.acquire_cred(None, mechs=[spnego], usage="initiate").creds))
        return describe(*meet(creds=creds))

    def inquire_cred(**how):
        def ask():
            i = g.inquire_cred(g.acquire_cred(None, mechs=[spnego], **how).creds)
            return g.display_name(i.name).name if i.name else None, i.usage, sorted(map(str, i.mechs)), bool(i.lifetime)
        return ask

    def password():
        creds = g.acquire_cred_with_password(g.import_name(b"bob", g.NameType.user), b"Passw0rd", mechs=[spnego]).creds
        return describe(*meet(creds=creds))

    def neg_mechs():
        creds = g.acquire_cred(None, mechs=[spnego], usage="initiate").creds
        g.set_neg_mechs(creds, [krb5])
        return describe(*meet(creds=creds))

    def delegation():
        _, two, _ = meet(flags=all_flags | F.delegate_to_peer)
        return g.display_name(g.inquire_cred(two.delegated_creds).name).name

    def named_acceptor():
        return describe(*meet(acceptor=g.acquire_cred(target, mechs=[spnego], usage="accept").creds))

    def names():
        _, two, _ = meet()
        exported_name = g.export_name(two.initiator_name)
        back = g.import_name(exported_name, g.NameType.export)
        mn = g.canonicalize_name(g.import_name(b"alice", g.NameType.user), spnego)
        return (exported_name.hex(), g.display_name(back).name, g.display_name(mn).name,
                g.export_name(mn).hex(), g.compare_name(mn, g.duplicate_name(mn)),
                g.display_name(g.duplicate_name(two.initiator_name)).name, g.compare_name(two.initiator_name, two.initiator_name))

    def attributes():
        a = g.inquire_attrs_for_mech(spnego)
        s = g.inquire_saslname_for_mech(spnego)
        return (sorted(map(str, a.mech_attrs)), len(a.known_mech_attrs), s.sasl_mech_name, s.mech_name, s.mech_description,
                sorted(map(str, g.inquire_names_for_mech(spnego))), str(g.inquire_mech_for_saslname(b"SPNEGO")),
                sorted(map(str, g.inquire_mechs_for_name(target))), sorted(map(str, g.indicate_mechs())))

    def session_key():
        one, two, _ = meet()
        key = g.OID.from_int_seq("1.2.840.113554.1.2.2.5.5")
        return [len(b) for b in g.inquire_sec_context_by_oid(one.context, key)] == [
            len(b) for b in g.inquire_sec_context_by_oid(two.context, key)]

    def hints():
        return g.accept_sec_context(b"").token.hex()[:40]

    def hints_then_login():
        first = g.accept_sec_context(b"")
        one = g.init_sec_context(target, mech=spnego, flags=all_flags, input_token=first.token)
        two = g.accept_sec_context(one.token, context=first.context)
        return g.display_name(two.initiator_name).name

    def threads():
        out = []

        def work():
            for _ in range(10):
                out.append(describe(*meet()))
        workers = [threading.Thread(target=work) for _ in range(8)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        return len(out), set(out)

    def garbage(token):
        def send():
            return g.accept_sec_context(bytes.fromhex(token)).token
        return send

    def bindings(a, b):
        made = [x and g.ChannelBindings(application_data=x) for x in (a, b)]
        return lambda: describe(*meet(bindings=made))

    def impersonate():
        # Without the right in the KDC: the same refusal.
        own = g.acquire_cred(None, mechs=[spnego], usage="both").creds
        got = g.acquire_cred_impersonate_name(own, g.import_name(b"bob", g.NameType.user), mechs=[spnego], usage="initiate")
        return g.display_name(g.inquire_cred(got.creds).name).name

    def finished():
        one, two, _ = meet()
        return g.accept_sec_context(one.token or b"\xa1\x06\x30\x04\xa2\x02\x04\x00", context=two.context).token

    def context_time():
        one, two, _ = meet()
        return g.context_time(one.context) > 0, g.context_time(two.context) > 0

    no_service = g.import_name(b"none@nowhere.example", g.NameType.hostbased_service)
    dce = 0x1000
    probes = {
        "login": handshake(), "login without mutual authentication": handshake(flags=F.integrity),
        "login without integrity": handshake(flags=[]), "login, raw Kerberos": handshake(mech=krb5),
        "login, DCE style": handshake(flags=int(all_flags) | dce), "login, named acceptor": named_acceptor,
        "login with a password": password, "login with Kerberos alone": neg_mechs, "delegation": delegation,
        "bindings, same": bindings(b"x", b"x"), "bindings, different": bindings(b"x", b"y"),
        "bindings, client's": bindings(b"x", None), "bindings, server's": bindings(None, b"x"),
        "messages": lambda: messages(meet()), "bad MIC": bad_mic, "replayed message": replayed, "AEAD": aead, "size limits": size_limit, "exported contexts": exported, "exported credential": exported_cred,
        "credential, initiate": inquire_cred(usage="initiate"), "credential, accept": inquire_cred(usage="accept"),
        "credential, both": inquire_cred(usage="both"), "names": names, "attributes": attributes, "session key": session_key,
        "context, initiator": lambda: inquire(meet()[0].context), "context, acceptor": lambda: inquire(meet()[1].context),
        "context time": context_time, "hints": hints, "login after hints": hints_then_login, "threads": threads,
        "unknown service": handshake(name=no_service), "impersonation without the right": impersonate,
        "a token after the last": finished, "PRF and local user": prf,
        "Kerberos inside that is garbage": garbage("602706062b0601050502a01d301ba00d300b06092a864886f712010202a20a0408"
                                                   "6e06010203040506"),
        "a mechanism that there is not": garbage("601706062b0601050502a00d300ba009300706052a03040506"),
    }
    for name, probe in probes.items():
        try:
            answer = repr(probe())
        except g.GSSError as error:
            answer = re.sub(r"Minor \(\d+\)", "Minor", "%s %s" % (type(error).__name__, error))
        except Exception as error:
            answer = "BROKEN %s %s" % (type(error).__name__, error)
        print("%s\t%s" % (name, answer.replace("\n", " ")), flush=True)


class Buffer(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("value", ctypes.c_void_p)]


class Oid(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint32), ("elements", ctypes.c_char_p)]


def prf():
    """python-gssapi has no gss_pseudo_random and gss_localname: both ends by hand."""
    lib = ctypes.CDLL("libgssapi_krb5.so.2")
    minor, p = ctypes.c_uint32(), ctypes.c_void_p
    spnego, hostbased = Oid(6, bytes.fromhex("2b0601050502")), Oid(10, bytes.fromhex("2a864886f71201020104"))
    text = SERVICE.encode()
    name, one, two = p(), p(), p()
    service = Buffer(len(text), ctypes.cast(text, p))
    lib.gss_import_name(ctypes.byref(minor), ctypes.byref(service), ctypes.byref(hostbased), ctypes.byref(name))
    to, back = Buffer(), Buffer()
    majors = []
    for _ in range(3):
        majors.append(lib.gss_init_sec_context(ctypes.byref(minor), None, ctypes.byref(one), name, ctypes.byref(spnego), 0x2A, 0,
                                               None, ctypes.byref(back), None, ctypes.byref(to), None, None))
        if not to.length:
            break
        back = Buffer()
        majors.append(lib.gss_accept_sec_context(ctypes.byref(minor), ctypes.byref(two), None, ctypes.byref(to), None, None, None,
                                                 ctypes.byref(back), None, None, None))
    outputs = []
    seed = Buffer(4, ctypes.cast(b"seed", p))
    for context in (one, two):
        out = Buffer()
        majors.append(lib.gss_pseudo_random(ctypes.byref(minor), context, 0, ctypes.byref(seed), ctypes.c_ssize_t(24),
                                            ctypes.byref(out)))
        outputs.append(ctypes.string_at(out.value, out.length))
    user = Buffer()
    source = p()
    lib.gss_inquire_context(ctypes.byref(minor), two, ctypes.byref(source), None, None, None, None, None, None)
    majors.append(lib.gss_localname(ctypes.byref(minor), source, None, ctypes.byref(user)))
    majors.append(ctypes.string_at(user.value, user.length))
    return majors, outputs[0] == outputs[1], len(outputs[0])


# --- Both ways, compared -----------------------------------------------------------------------

def answers(scratch, kdc, config):
    env = dict(scratch.environment(config), **{k: v for k, v in kdc.env.items() if k.startswith("KRB5")})
    done = subprocess.run([SYSTEM_PYTHON, "-X", "faulthandler", __file__, "--child"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=120)
    found = dict(line.split("\t", 1) for line in done.stdout.decode(errors="replace").splitlines() if "\t" in line)
    return done.returncode, found, done.stdout.decode(errors="replace")[-300:]


def run_programs(report, scratch, kdc, directory):
    host = "h:HTTP@localhost"
    commands = [["t_spnego", host, kdc.env["KRB5_KTNAME"]], ["t_iov", "-s", host], ["t_err", "--spnego", host],
                ["t_bindings", "-s", host, "a", "a"], ["t_bindings", "-s", host, "a", "b"], ["t_bindings", "-s", host, "a", "-"],
                ["t_inq_cred", "-s", "-i"], ["t_inq_cred", "-s", "-a"], ["t_inq_cred", "-s", "-b"],
                ["t_export_name", "-s", "u:alice"], ["t_export_name", "-s", "-c", "p:alice"], ["t_export_cred", "-s", host],
                ["t_export_cred", "-s", "-i", "p:alice@" + REALM, "-a", host, host]]
    for command in commands:
        seen = []
        for config in ("none.conf", "alone.conf"):
            env = dict(scratch.environment(config), **{k: v for k, v in kdc.env.items() if k.startswith("KRB5")})
            done = subprocess.run([os.path.join(directory, command[0]), *command[1:]], env=env, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, timeout=60)
            said = re.sub(r"lifetime: \d+", "lifetime: N", done.stdout.decode(errors="replace"))
            seen.append((done.returncode, said))
        report.check(seen[0] == seen[1], "MIT's " + " ".join(command), seen[0] if seen[0] == seen[1] else seen)


def main():
    need_gssapi()
    path = os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [name for name in PROGRAMS if not shutil.which(name, path=path)]
    if missing:
        print("SKIP not installed: " + ", ".join(missing))
        sys.exit(77)
    report = Report("kerberos")
    scratch = Scratch(*sys.argv[1:3])
    scratch.write("none.conf", "# nothing\n")
    scratch.write("alone.conf", scratch.interposer_line())
    scratch.settle()
    kdc = Kdc(scratch)
    try:
        plain = answers(scratch, kdc, "none.conf")
        mended = answers(scratch, kdc, "alone.conf")
        if len(sys.argv) > 3:
            run_programs(report, scratch, kdc, sys.argv[3])
    finally:
        kdc.close()
    report.check(plain[0] == 0 and mended[0] == 0, "all probes end", "" if not plain[0] and not mended[0] else (plain[2], mended[2]))
    for name in sorted(set(plain[1]) | set(mended[1])):
        before, after = plain[1].get(name), mended[1].get(name)
        report.check(before == after and not before.startswith("BROKEN"), name, before if before == after else "%s, with the interposer %s" % (before, after))
    report.check(len(plain[1]) == 38, "there are as many probes as there should be", len(plain[1]))
    report.exit()


if sys.argv[1] == "--child":
    child()
else:
    main()
