#!/usr/bin/env python3
"""Every command of gss-ntlm while memory and files fail it.

usage: failure_program.py PROGRAM LIBRARY MODULE [--all]

The program ends by itself, with a status other than 0 and one line that says why, or does its work
all the same. A users file is the old one or the new one, and nothing is left beside it. Without
--all not every allocation of the slow commands is tried, but each of those that follow the reading
of the command line in the others.
"""
import argparse
import ctypes
import errno
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

# As in failing.h.
(ALLOCATION, RANDOM, OPEN, READ, STAT, WRITE, SYNC, RENAME, CLOSE, OWNER, LOCK, KEYRING, LIBRARY,
 THREAD, CLOCK) = range(1, 16)
SHORT, END_OF_FILE = -1, -2

USERS = "# kept\nCORP:bob:Secret1\nCORP:alice:Passw0rd\n"

FAILURES = [
    ("getrandom", RANDOM, errno.EIO), ("open", OPEN, errno.EMFILE), ("open", OPEN, errno.EACCES),
    ("read", READ, errno.EIO), ("read (nothing)", READ, END_OF_FILE), ("stat", STAT, errno.EIO),
    ("write (disk full)", WRITE, errno.ENOSPC), ("fsync", SYNC, errno.EIO),
    ("fsync (disk full)", SYNC, errno.ENOSPC), ("rename", RENAME, errno.ENOSPC),
    ("fchown", OWNER, errno.EPERM), ("flock", LOCK, errno.ENOLCK),
    ("keyctl (quota)", KEYRING, errno.EDQUOT), ("keyctl (forbidden)", KEYRING, errno.EACCES),
    ("keyctl (none)", KEYRING, errno.ENOSYS), ("dlopen", LIBRARY, errno.EMFILE),
    ("pthread_create", THREAD, errno.EAGAIN), ("clock", CLOCK, -400 * 86400),
]
LOCK_FILE = ".users.gss-ntlm-lock"
# What a program has to get over.
HARMLESS = [("read (EINTR)", READ, errno.EINTR), ("read (short)", READ, SHORT),
            ("write (EINTR)", WRITE, errno.EINTR), ("write (short)", WRITE, SHORT),
            ("flock (EINTR)", LOCK, errno.EINTR), ("close", CLOSE, errno.EIO)]


class Server:
    """The program, started once, and forked for each run."""

    def __init__(self, world, arguments, stdin=b""):
        order_read, self.order = os.pipe()
        self.reply, reply_write = os.pipe()
        self.out = tempfile.TemporaryFile(dir=world.directory)
        self.err = tempfile.TemporaryFile(dir=world.directory)
        source = tempfile.TemporaryFile(dir=world.directory)
        source.write(stdin)
        source.flush()
        env = dict(world.env, LD_PRELOAD=world.library,
                   FAILING_SERVER="%d,%d" % (order_read, reply_write))
        self.process = subprocess.Popen([world.program, *arguments], stdin=source, stdout=self.out,
                                        stderr=self.err, env=env,
                                        pass_fds=(order_read, reply_write))
        os.close(order_read)
        os.close(reply_write)

    def run(self, call=0, at=0, error=0, on=False):
        """Exit status (negative: a signal), how many such calls there were, output, errors."""
        os.write(self.order, struct.pack("iiii", call, at, error, on))
        answer = os.read(self.reply, 8)
        if len(answer) != 8:
            raise SystemExit("the program's server has ended")
        status, seen = struct.unpack("ii", answer)
        texts = []
        for file in (self.out, self.err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
        return os.waitstatus_to_exitcode(status), seen, texts[0], texts[1]

    def close(self):
        os.close(self.order)
        os.close(self.reply)
        self.process.wait()


class World:
    def __init__(self, options):
        self.program = os.path.abspath(options.program)
        self.library = os.path.abspath(options.library)
        self.all = options.all
        self.directory = tempfile.mkdtemp(prefix="gss-ntlm-failure-")
        # Where users files are, and nothing else.
        self.files = os.path.join(self.directory, "files")
        self.temporary = os.path.join(self.directory, "tmp")
        os.mkdir(self.files, 0o700)
        os.mkdir(self.temporary, 0o700)
        self.users = os.path.join(self.files, "users")
        self.write("other", "CORP:dora:Secret2\n")
        registration = self.write("mech.conf", "gss-ntlm 1.3.6.1.4.1.311.2.2.10 %s\n" %
                                  os.path.abspath(options.module), self.directory)
        settings = self.write("settings", "[accounts]\ninitiator = users_file\n", self.directory)
        self.env = {"PATH": os.environ["PATH"], "NTLM_USER_FILE": self.users,
                    "GSS_MECH_CONFIG": registration, "GSS_NTLM_SETTINGS": settings,
                    "KRB5_CONFIG": "/dev/null", "TMPDIR": self.temporary}
        self.allocations = 0
        self.system_calls = 0
        self.passed = 0
        self.failed = 0

    def write(self, name, text, directory=None):
        path = os.path.join(directory or self.files, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def read_users(self):
        try:
            with open(self.users, encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return None


def without_time(text):
    """A users file says when a hash was changed."""
    return text and re.sub(r"LCT-[0-9A-F]{8}", "LCT", text)


def without_hashes(text):
    return text and re.sub(r"[0-9A-F]{32}", "", text)


class Command:
    def __init__(self, arguments, stdin=b"", users=USERS, prepare=None, many=False, told=True,
                 library=False):
        self.arguments = arguments
        self.stdin = stdin
        self.users = users        # what the users file is beforehand; None: there is none
        self.prepare = prepare
        self.many = many          # a great many allocations
        self.told = told          # one line says what is wrong
        self.library = library    # works in libraries of others (libgssapi, libwbclient), which crash without memory

    def name(self):
        return " ".join(self.arguments[:2])


class Trials:
    def __init__(self, world, command):
        self.world = world
        self.command = command
        self.server = Server(world, command.arguments, command.stdin)
        self.problems = []
        status, _, self.out, err = self.run(0, 0, 0, False)
        if status not in (0, 1):
            raise SystemExit("%s: status %d: %s" % (command.name(), status, err))
        self.status = status
        self.after = without_time(world.read_users())

    def run(self, *plan):
        world, command = self.world, self.command
        if command.users is None:
            if os.path.exists(world.users):
                os.unlink(world.users)
        else:
            world.write("users", command.users)
        if command.prepare:
            command.prepare()
        return self.server.run(*plan)

    def attempt(self, what, call, at, error, on, harmless=False):
        """True when the program got as far as the call that was to fail."""
        status, seen, out, err = self.run(call, at, error, on)
        if seen < at:
            return False
        where = "%s, %s %d%s fails" % (self.command.name(), what, at,
                                       " and all after it" if on else "")
        users = without_time(self.world.read_users())
        # And what the C library does where theirs have variables of a thread.
        no_room = status == 127 and "cannot allocate memory for thread-local data" in err
        # libkrb5support takes a mutex, as the process ends, that it had no memory to initialise.
        no_mutex = status == -signal.SIGABRT and "k5_mutex_lock: Assertion" in err
        crash = self.command.library and call == ALLOCATION and (status == -signal.SIGSEGV or no_room or no_mutex)
        if crash:
            self.clean()
            return True
        if status < 0 or status > 2:
            self.problems.append("%s: ended with status %d: %s" % (where, status, err[:200]))
        elif status == self.status and status == 0:
            # An end of the input ends a password as a newline does: the hash may be another.
            early = call == READ and error == END_OF_FILE and self.command.stdin
            if users != self.after and (not early or without_hashes(users) !=
                                        without_hashes(self.after)):
                self.problems.append("%s: succeeded, and the users file is not the new one" % where)
        elif harmless and (status != self.status):
            self.problems.append("%s: status %d: %s" % (where, status, err[:200]))
        elif self.command.told and self.status == 0:
            lines = err.splitlines()
            # CLI11 2.4 takes a stream without memory for an option that it cannot read.
            unread = call == ALLOCATION and lines[:1] and lines[0].startswith("Could not convert: ")
            if unread:
                lines = ["gss-ntlm: " + lines[0]]
            if len(lines) != 1 or not lines[0].startswith(("gss-ntlm: ", "There are no logins.")):
                self.problems.append("%s: is not told in one line: %r" % (where, err[:300]))
            if users not in (self.command.users, self.after):
                self.problems.append("%s: the users file is neither old nor new" % where)
            if users != self.command.users and users == self.after:
                self.problems.append("%s: failed, and the users file is the new one" % where)
        left = self.clean()
        # A lock file that was not locked may be another editor's: it stays, and the next edit takes it.
        if call in (STAT, LOCK) and status != 0 and LOCK_FILE in left:
            left.remove(LOCK_FILE)
        # Nothing can be taken away again when all calls fail.
        if left and not (on and call != ALLOCATION):
            self.problems.append("%s: leaves %s" % (where, left))
        return True

    def clean(self):
        """Removes what should not be there; returns its names."""
        left = []
        for directory, kept in ((self.world.files, ("users", "other")), (self.world.temporary, ())):
            for name in os.listdir(directory):
                if name not in kept:
                    left.append(name)
                    path = os.path.join(directory, name)
                    shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        return left

    def points(self, count, setup):
        """Which allocations are tried: all, or some of those that all commands have in common."""
        if self.world.all:
            return range(1, count + 2)
        first = list(range(1, setup, 301))
        return first + list(range(setup, count + 2, 151 if self.command.many else 1))

    def close(self):
        self.server.close()
        if self.problems:
            self.world.failed += 1
            print("FAIL %s: %d problems" % (" ".join(self.command.arguments), len(self.problems)))
            for problem in self.problems[:10]:
                print("  " + problem)
        else:
            self.world.passed += 1


def sweep(world, command, setup):
    trials = Trials(world, command)
    _, count, _, _ = trials.run(ALLOCATION, 10 ** 9, errno.ENOMEM, False)
    for on in (False, True):
        for at in trials.points(count, setup):
            if trials.attempt("allocation", ALLOCATION, at, errno.ENOMEM, on):
                world.allocations += 1
    for harmless, failures in ((False, FAILURES), (True, HARMLESS)):
        for what, call, error in failures:
            for on in (False,) if harmless else (False, True):
                at = 1
                while trials.attempt(what, call, at, error, on, harmless):
                    world.system_calls += 1
                    at += 1
    trials.close()


def setup_allocations(world):
    """How many allocations there are before any command does its work."""
    server = Server(world, ["user", "list", "--file", "/nonexistent/users"])
    count = server.run(ALLOCATION, 10 ** 9, errno.ENOMEM, False)[1]
    server.close()
    return max(1, count - 60)


def has_keyrings():
    number = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)
    return number is not None and ctypes.CDLL(None).syscall(number, 1, None) > 0


TOKEN = ("TlRMTVNTUAABAAAAl4II4gAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("library")
    parser.add_argument("module")
    parser.add_argument("--all", action="store_true")
    world = World(parser.parse_args())
    login = ["login", r"CORP\alice", "--stdin"]
    commands = [
        Command(["user", "add", r"CORP\carol", "--stdin"], b"Secret3\n"),
        Command(["user", "add", r"CORP\carol", "--stdin"], b"Secret3\n", users=None),
        Command(["user", "passwd", r"CORP\alice", "--stdin"], b"Secret3\n"),
        Command(["user", "del", r"CORP\alice"]),
        Command(["user", "disable", r"CORP\alice"]),
        Command(["user", "enable", r"CORP\alice"]),
        Command(["user", "list"]),
        Command(["user", "import"]),
        Command(["user", "import", "--from", os.path.join(world.files, "other")]),
        Command(["decode", TOKEN], many=True),
        Command(["decode", "--json", TOKEN], many=True),
        Command(["settings"]),
        Command(["settings", "--example"]),
        Command(["--version"]),
        Command(["winbind"], told=False, library=True),
        Command(["doctor"], many=True, told=False, library=True),
        Command(["doctor", "--json"], many=True, told=False, library=True),
    ]
    if has_keyrings():
        def log_in():
            subprocess.run([world.program, *login], input=b"Passw0rd\n", env=world.env, check=True)
        commands += [
            Command(login, b"Passw0rd\n"),
            Command(["list"], prepare=log_in),
            Command(["logout", "--all"], prepare=log_in),
        ]
    else:
        print("this kernel or container has no keyrings: login, list and logout were not tried")
    try:
        setup = setup_allocations(world)
        for command in commands:
            sweep(world, command, setup)
    finally:
        shutil.rmtree(world.directory)
    print("%d passed, %d failed" % (world.passed, world.failed))
    print("failure points: allocations %d, system calls %d" %
          (world.allocations, world.system_calls))
    return 0 if world.failed == 0 and world.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
