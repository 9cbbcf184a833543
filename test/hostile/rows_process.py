"""Rows of the threat table about the process: files, environment, privilege, time."""
import os
import re
import subprocess
import sys
import time

import glue
import harness
import ntlm
from harness import check, expect, honest_to_acceptor, row, to_acceptor, trap

HERE = os.path.dirname(os.path.abspath(__file__))
MECH = os.path.join(HERE, "..", "..", "mech")


def acquire(path):
    with harness.environment(NTLM_USER_FILE=path):
        try:
            glue.Cred(glue.ACCEPT)
            return None
        except glue.Status as refused:
            return refused


@row(41, "users file: modes, owners, kinds of file, and what replaces it")
def users_file_on_disk():
    world = harness.WORLD
    for mode in range(0o1000):
        path = world.write("modes", harness.USERS, 0o600)
        os.chmod(path, mode)
        refused = acquire(path)
        # A file of root may be readable for its group.
        if mode & (0o037 if os.geteuid() == 0 else 0o077):
            check(refused and refused.major == glue.NO_CRED, "mode %o" % mode)
            check("%04o" % mode in str(refused) and "modes" in str(refused), refused)
        else:
            check(refused is None or not mode & 0o400, "mode %o" % mode, refused)
    os.chmod(path, 0o600)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
        refused = acquire(path)
        check(refused and "12345" in str(refused), "foreign owner", refused)
    directory = world.path("directory")
    os.mkdir(directory, 0o700)
    fifo = world.path("fifo")
    os.mkfifo(fifo, 0o600)
    for wrong in (directory, fifo, "/dev/zero", world.path("missing"), world.path("users") + "/x",
                  "relative/missing", "x" * 5000):
        began = time.monotonic()
        refused = acquire(wrong)
        check(refused and refused.major == glue.NO_CRED, wrong)
        check(time.monotonic() - began < 1, wrong, "blocked")
    loop = world.path("loop")
    os.symlink(loop, loop)
    check(acquire(loop), "a symlink to itself")
    # A symlink counts as what it points to: the file that is opened is the file that is checked.
    link = world.path("link")
    os.symlink(world.path("users"), link)
    check(acquire(link) is None, "a symlink to a proper file")
    os.unlink(link)
    os.symlink(world.write("open", harness.USERS, 0o644), link)
    check(acquire(link), "a symlink to an open file")


@row(41, "a users file that turns bad, or is removed, under a running acceptor")
def users_file_replaced():
    world = harness.WORLD
    path = world.write("changing", harness.USERS)
    with harness.environment(NTLM_USER_FILE=path):
        cred = glue.Cred(glue.ACCEPT)

        def login(password):
            context = harness.acceptor(cred=cred)
            client = ntlm.Client("alice", "CORP", password)
            context.step(client.authenticate(context.step(client.negotiate())))
            return context.complete
        check(login("Passw0rd"), "at first")
        world.write("changing.new", "CORP:alice:changed\n")
        os.rename(world.path("changing.new"), path)
        check(login("changed") and not login("Passw0rd"), "replaced")
        os.chmod(path, 0o644)
        check(login("changed"), "readable by others")
        world.write("changing", "CORP:alice:planted\n", 0o644)
        check(login("changed") and not login("planted"), "planted and readable by others")
        world.write("changing", "CORP:alice:planted\nbad line\n")
        check(login("changed") and not login("planted"), "malformed")
        os.unlink(path)
        check(not login("changed") and not login("planted"), "gone")
        world.write("changing", "")
        check(not login("changed"), "empty: no account")
        world.write("changing", harness.USERS)
        check(login("Passw0rd"), "back")


@row(17, "an account source that cannot be read accepts no one")
def unreadable_accounts():
    for content in (b"\xff\xfe", b"CORP:alice\n", b"::\n", b"CORP:al\0ice:x\n", b"x" * 300000):
        path = harness.WORLD.write("unreadable", content)
        refused = acquire(path)
        check(refused and "line 1" in str(refused), content[:20], refused)
    # Empty user with an ordinary response.
    harness.attack_acceptor("no user", user="", mic=False, honest={"mic": False})


@row(17, "an account with an empty password accepts no one")
def empty_passwords():
    none = "X" * 32
    empty = "31D6CFE0D16AE931B73C59D7E0C089C0"
    path = harness.WORLD.write("empty", "CORP:unset:\nCORP\\hash:1:%s:%s:[U]:\nguest:1:%s:%s:[U]:\n"
                               "CORP:alice:Passw0rd\n" % (none, empty, none, empty))
    settings = harness.WORLD.write("empty-settings", "[policy]\nallow_empty_passwords = yes\n")
    with harness.environment(NTLM_USER_FILE=path):
        for user in ("unset", "hash", "guest"):
            context, _ = to_acceptor(user=user, password="")
            expect(context, glue.FAILURE, "an empty password of", user)
            wrong, _ = to_acceptor(user=user, password="wrong")
            check((wrong.major, wrong.text) == (context.major, context.text),
                  "another status than for a wrong password")
            with harness.environment(GSS_NTLM_SETTINGS=settings):
                honest_to_acceptor(user=user, password="")
        honest_to_acceptor()


SETUID = """
import ctypes, os, sys
sys.path.insert(0, %r)
import glue
try:
    glue.Cred(glue.INITIATE)
    print("acquired")
except glue.Status as refused:
    print(refused)
"""


@row(41, "a setuid program does not listen to the environment")
def environment_in_setuid_programs():
    if os.geteuid() != 0:
        return
    from ctypes import CDLL
    # The kernel says so in AT_SECURE: a set-user-ID copy of the interpreter, run by another user.
    import threats
    world = harness.WORLD
    os.chmod(world.directory, 0o755)
    program = world.path("python-setuid")
    with open("/usr/bin/python3", "rb") as source:
        world.write("python-setuid", source.read(), 0o755)
    users = world.write("users-of-nobody", harness.USERS, 0o600)
    module = world.write("module.so", open(threats.module_path(), "rb").read(), 0o755)
    if "asan" in subprocess.run(["ldd", module], capture_output=True, text=True).stdout:
        return  # the sanitizer's runtime is preloaded, which such programs ignore as well

    def run(mode):
        os.chown(program, 0, 0)
        os.chmod(program, mode)
        conf = world.write("mech.conf", "gss-ntlm 1.3.6.1.4.1.311.2.2.10 %s\n" % module, 0o644)
        env = {"NTLM_USER_FILE": users, "NTLMUSER": "CORP\\alice", "GSS_MECH_CONFIG": conf, "PATH": "/usr/bin:/bin",
               "GSS_NTLM_TRACE": world.path("trace-setuid"), "PYTHONDONTWRITEBYTECODE": "1"}
        # As an unprivileged user, with the program's owner as effective user.
        return subprocess.run([program, "-c", DIRECT % (HERE, module)], env=env,
                              capture_output=True, text=True, user=65534, group=65534)
    os.chown(users, 65534, 65534)
    plain = run(0o755)
    check("major 0" in plain.stdout, "without set-user-ID:", plain.stdout, plain.stderr)
    # A file that such a program would take, if it listened.
    os.chown(users, 0, 0)
    raised = run(0o4755)
    check("major %#x" % glue.NO_CRED in raised.stdout, "with set-user-ID:", raised.stdout,
          raised.stderr)
    check(not os.path.exists(world.path("trace-setuid")), "a trace was written")


# The library ignores GSS_MECH_CONFIG in such programs too: the module is asked directly.
DIRECT = """
import sys
sys.path.insert(0, %r)
import glue
module = glue.Library(%r)
cred = glue.c_void_p()
major = module.gss_acquire_cred(glue.byref(glue.c_uint32()), None, 0, None, 1, glue.byref(cred),
                                None, None)
print("major %%#x" %% major)
"""


@row(32, "secrets are compared by the constant-time comparison and nothing else")
def constant_time_comparisons():
    suspicious = re.compile(r"\b(memcmp|bcmp|strncmp|std::equal|same_bytes)\s*\(")
    allowed = {("base/bytes.cc", "memcmp"), ("base/bytes.cc", "same_bytes"),
               ("base/bytes.h", "same_bytes"), ("config/settings.cc", "std::equal")}
    secret = re.compile(r"proof|mic\b|checksum|signature|binding|hash|response|\bkey\b|password",
                        re.I)
    for directory, _, files in os.walk(MECH):
        for file in files:
            path = os.path.join(directory, file)
            name = os.path.relpath(path, MECH)
            if not name.endswith((".cc", ".h")):
                continue
            with open(path, encoding="utf-8") as source:
                for number, line in enumerate(source, 1):
                    found = suspicious.search(line.split("//")[0])
                    if found and (name, found.group(1)) not in allowed and name != "wire/types.cc":
                        check(found.group(1) == "same_bytes" and not secret.search(line),
                              "%s:%d: %s" % (name, number, line.strip()))
            with open(path, encoding="utf-8") as source:
                text = source.read()
            check(not re.search(r"\b(mic|proof|checksum|signature)\w*\s*[!=]=\s*(?!nullptr)[a-z]", text),
                  name, "compares a secret with ==")
    uses = subprocess.run(["grep", "-rln", "verify_equal(", MECH], capture_output=True, text=True)
    users = {os.path.relpath(path, MECH) for path in uses.stdout.split()}
    for needed in ("protocol/acceptor.cc", "protocol/logon.cc"):
        check(needed in users, needed, "does not use verify_equal")


@row(12, "no credential is chosen that was not named")
def no_default_credential_leaks():
    # Where no account is configured there is none, whatever the server asks for.
    # An acceptor's file has several: none of them is the daemon's own.
    for users, user in ((None, "CORP\\alice"), (harness.WORLD.path("users"), None)):
        with harness.environment(NTLM_USER_FILE=users, NTLMUSER=user):
            context = glue.Context(True)
            token = context.step()
            check(token == b"" and glue.is_error(context.major), "a token without an account")


@row(36, "no descriptor and no variable of ours is inherited")
def nothing_inherited():
    before = set(os.listdir("/proc/self/fd"))
    names = set(os.environ)
    with harness.environment(GSS_NTLM_TRACE=harness.WORLD.path("trace-36")):
        for _ in range(5):
            honest_to_acceptor()
            to_acceptor(password="guess")
    check(set(os.listdir("/proc/self/fd")) == before, "descriptors stay open")
    check(set(os.environ) == names, "variables")


@row(30, "a trace that cannot be written neither blocks nor kills")
def trace_into_nowhere():
    world = harness.WORLD
    fifo = world.path("trace-fifo")
    os.mkfifo(fifo, 0o600)
    for where in (fifo, world.path("missing/trace"), world.directory, "/dev/full", "x" * 5000):
        with harness.environment(GSS_NTLM_TRACE=where):
            began = time.monotonic()
            check_in_child(honest_to_acceptor, "trace to " + where[:60])
            check(time.monotonic() - began < 5, where, "blocked")
    # A pipe whose reader has gone: the program must not die of it.
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    def body():
        import signal
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        read_end, write_end = os.pipe()
        os.close(read_end)
        with harness.environment(GSS_NTLM_TRACE="/proc/self/fd/%d" % write_end):
            honest_to_acceptor()
    check_in_child(body, "a trace whose reader has gone")
    os.close(reader)


def check_in_child(body, what):
    import signal
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(5)
            body()
            status = 0
        except harness.Wrong as wrong:
            print(wrong)
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    check(status == 0, what, "ended with status %#x" % status)


@row(33, "descriptors used up: the accounts read before still count")
def out_of_descriptors():
    import resource
    cred = glue.Cred(glue.ACCEPT)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, hard))
    try:
        context = harness.acceptor(cred=cred)
        client = ntlm.Client("alice", "CORP", "Passw0rd")
        context.step(client.authenticate(context.step(client.negotiate())))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    expect(context, glue.COMPLETE, "no descriptors")


@trap("locale-dependent case folding")
def locales():
    code = ("import sys, locale\nsys.path.insert(0, %r)\n"
            "try:\n    locale.setlocale(locale.LC_ALL, '')\nexcept locale.Error:\n    pass\n"
            "import harness\nworld = harness.World()\nharness.WORLD = world\n"
            "try:\n    harness.honest_to_acceptor(user='ALICE')\n"
            "    harness.honest_to_acceptor(user='alIce')\n"
            "    harness.honest_to_initiator()\nfinally:\n    world.close()\n" % HERE)
    for name in ("C", "tr_TR.UTF-8", "de_DE.UTF-8", "C.UTF-8"):
        run = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True,
                             env=dict(os.environ, LC_ALL=name, LANG=name))
        check(run.returncode == 0, name, run.stderr)
