#!/usr/bin/python3
"""The interposer installed while programs run, missing, and truncated: SPNEGO goes on, with the identity it had.

Usage: install.py INTERPOSER MECHANISM    PASS and FAIL lines; exit status 1 on any FAIL, 77 without python3-gssapi

A child has bob's credential, made with SPNEGO before the interposer is registered; the account that the process logs in
with by default is alice's. Where the interposer came to this process, alice would log in: the mechglue finds no part of
bob's credential for it and uses the default one. A context that was started before would be handed to the interposer,
which does not know it.
"""
import ctypes
import os
import sys
import time

from harness import Report, Scratch, is_loaded, need_gssapi

OURS = "the peer's SPNEGO token"  # a text of the interposer's


class Process:
    """What a child does. The parent has no registration, so that GSSAPI is imported here."""

    def __init__(self, directory):
        import gssapi.raw as g
        self.g, self.directory = g, directory
        self.spnego = g.OID.from_int_seq("1.3.6.1.5.5.2")
        self.target = g.import_name(b"host@server.example", g.NameType.hostbased_service)

    def install(self):
        """As a package does while this process runs."""
        with open(os.path.join(self.directory, "mend.conf"), encoding="ascii") as f:
            text = f.read()
        with open(os.environ["GSS_MECH_CONFIG"], "w", encoding="ascii") as f:
            f.write(text)

    def register(self):
        """The mechglue looks at most once a second, for a newer file."""
        time.sleep(1.1)
        self.install()
        time.sleep(1.1)
        self.g.indicate_mechs()

    def bob(self):
        store = {b"ntlmssp_keyfile": os.path.join(self.directory, "bob").encode()}
        return self.g.acquire_cred_from(store, mechs=[self.spnego], usage="initiate").creds

    def init(self, creds, context=None, token=None):
        return self.g.init_sec_context(self.target, mech=self.spnego, creds=creds, context=context, input_token=token)

    def log_in(self, creds, started=None):
        """Whom the acceptor, in this process too, takes the client for."""
        client = started or self.init(creds)
        server = self.g.accept_sec_context(client.token)
        for _ in range(4):
            if server.token:
                client = self.init(creds, client.context, server.token)
            if not client.token:
                break
            server = self.g.accept_sec_context(client.token, context=server.context)
        return self.g.display_name(server.initiator_name, name_type=False).name.decode()

    def active(self):
        """The interposer is in front of SPNEGO."""
        creds = self.bob()
        client = self.init(creds)
        try:
            self.init(creds, client.context, b"\xa1\x80")
        except self.g.GSSError as error:
            return OURS in str(error)
        return False


def said(process, *words):
    print(*words, "active" if process.active() else "inactive", "mapped" if is_loaded() else "absent", flush=True)


def child_old(process):
    creds = process.bob()
    process.register()
    said(process, process.log_in(creds))


def child_half_open(process):
    creds = process.bob()
    started = process.init(creds)
    process.register()
    said(process, process.log_in(creds, started))


def in_worker(task):
    sys.stdout.flush()
    worker = os.fork()
    if worker == 0:
        try:
            task()
        finally:
            os._exit(0)
    os.waitpid(worker, 0)


def child_forked(process):
    """A worker that is younger than the file, with the memory of a process that is older."""
    creds = process.bob()
    time.sleep(1.1)
    process.install()
    time.sleep(1.1)

    def work():
        process.g.indicate_mechs()
        said(process, process.log_in(creds))

    in_worker(work)


def child_forked_first_use(process):
    """The process has not used GSSAPI itself; the worker cannot know that, and declines."""
    process.install()
    time.sleep(0.1)
    in_worker(lambda: said(process, process.log_in(process.bob())))


def child_forked_after(process):
    in_worker(lambda: said(process, process.log_in(process.bob())))


def child_young(process):
    said(process, process.log_in(process.bob()))


CHILDREN = {"old": child_old, "unfinished": child_half_open, "forked": child_forked, "young": child_young,
            "forked-after": child_forked_after, "forked-first-use": child_forked_first_use}


def check_running(report, scratch):
    for kind, what in (("old", "bob's credential from before"), ("unfinished", "a context from before"),
                       ("forked", "bob's credential in a worker forked afterwards"),
                       ("forked-first-use", "a worker forked afterwards, the first to log in")):
        scratch.write("running.conf", scratch.line())
        scratch.settle()
        status, seen = scratch.child(__file__, kind, scratch.path, config="running.conf")
        good = status == 0 and seen.startswith("CORP\\bob inactive")
        # The interposer was offered: without that the test would show nothing.
        report.check(good and seen.endswith("mapped"), "installed while a program runs, " + what,
                     "status %d, %s" % (status, seen))


def check_later(report, scratch):
    for kind, what in (("young", "a program that started afterwards has it"),
                       ("forked-after", "and so have its workers")):
        status, seen = scratch.child(__file__, kind, scratch.path)
        report.check(status == 0 and seen == "CORP\\bob active mapped", what, "status %d, %s" % (status, seen))


def check_broken_files(report, scratch):
    with open(scratch.interposer, "rb") as f:
        module = f.read()
    broken = scratch.file("broken.so")
    scratch.write("broken.conf", scratch.line() + scratch.interposer_line(broken))
    scratch.settle()
    status, seen = scratch.child(__file__, "young", scratch.path, config="broken.conf")
    report.check(status == 0 and seen.startswith("CORP\\bob inactive"), "the file is missing", "status %d, %s" % (status, seen))
    for size in (0, 4096, len(module) // 2, len(module) - 1):
        with open(broken, "wb") as f:
            f.write(module[:size])
        scratch.settle()
        status, seen = scratch.child(__file__, "young", scratch.path, config="broken.conf")
        report.check(status == 0 and seen.startswith("CORP\\bob inactive"),
                     "the file is truncated to %d of %d bytes" % (size, len(module)), "status %d, %s" % (status, seen))
    status, seen = scratch.child(__file__, "load", broken, scratch.interposer)
    report.check(status == 0, "no beginning of the file can be loaded", "status %d, %s" % (status, seen))


def child_load(broken, whole):
    with open(whole, "rb") as f:
        module = f.read()
    for size in range(0, len(module), 64):
        with open(broken, "wb") as f:
            f.write(module[:size])
        try:
            ctypes.CDLL(broken, mode=os.RTLD_NOW)
        except OSError:
            continue
        sys.exit("%d bytes were loaded" % size)
    ctypes.CDLL(whole, mode=os.RTLD_NOW)


def main():
    need_gssapi()
    report = Report("install")
    scratch = Scratch(*sys.argv[1:3])
    check_later(report, scratch)
    check_running(report, scratch)
    check_broken_files(report, scratch)
    report.exit()


if sys.argv[1] != "--child":
    main()
elif sys.argv[2] == "load":
    child_load(*sys.argv[3:5])
else:
    CHILDREN[sys.argv[2]](Process(sys.argv[3]))
