#!/usr/bin/python3
"""Runs every command of the guides, as they stand there, in a copy of this system that is thrown away.

Usage: guides.py MODULE PROGRAM SOURCE [GUIDE...]     e.g. build/mech/gss_ntlm.so build/tools/gss-ntlm . apache
       guides.py --self-test

A guide is docs/guides/NAME.md. Its fenced blocks are taken in their order:

  sh                   commands; each has to succeed. A question for a password is answered with PASSWORD
  console              commands behind "# ", and under each the lines it has to print, in that order;
                       "..." stands for any text. Its exit status counts where nothing is to be printed
  NAME file=PATH       the block is written to that file
  NAME append=PATH     the block is added to the end of that file
  text                 what a program says: each line has to be a text of the source
  powershell, csharp, docker
                       shown only: Debian, or a test, has nothing to run them with

Each guide finds the module and the program installed and registered, as the package leaves them, and nothing
else of ours; one that begins with <!-- bare --> finds nothing at all. www, ldap and git .corp.example are this host.
For root. Ends with status 77 where the kernel has no overlay file system to offer.
"""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PASSWORD = "Correct-Horse 7"
HERE = pathlib.Path(__file__).resolve().parent
SHOWN_ONLY = ("powershell", "csharp", "docker")
FENCE = re.compile(r"^```([a-z]*)((?: [a-z]+=\S+)*) *\n(.*?)^```", re.M | re.S)
LIMIT = 1500


class Block:
    def __init__(self, language, options, text, line):
        self.language, self.text, self.line = language, text, line
        self.options = dict(option.split("=", 1) for option in options.split())


def blocks(markdown):
    """The fenced blocks of a guide, in their order."""
    return [Block(match.group(1), match.group(2), match.group(3), markdown.count("\n", 0, match.start()) + 1)
            for match in FENCE.finditer(markdown)]


def console_steps(text):
    """[(command, [expected line])] of a console block."""
    steps = []
    for line in text.splitlines():
        if line.startswith(("# ", "$ ")):
            steps.append((line[2:], []))
        elif not steps:
            raise ValueError("a console block begins with a command behind '# '")
        elif steps[-1][0].endswith("\\"):
            steps[-1] = (steps[-1][0] + "\n" + line, [])
        else:
            steps[-1][1].append(line)
    return steps


def missing_line(expected, said):
    """The first expected line that is not there after those before it, or None."""
    lines = iter(line.strip() for line in said.splitlines())
    for want in expected:
        pattern = re.compile(".*".join(re.escape(part) for part in want.strip().split("...")))
        if not any(pattern.fullmatch(line) for line in lines):
            return want
    return None


def texts_of(source):
    """The source of module and program, each literal in one piece and as a person sees it."""
    found = [path.read_text(encoding="utf-8") for directory in ("mech", "tools")
             for kind in ("*.cc", "*.inc") for path in (source / directory).rglob(kind)]
    return re.sub(r'"\s*\n\s*"', "", "\n".join(found)).replace("\\\\", "\\")


class Machine:
    """A copy of this system. Commands see its files and its network; those of apt see the host's network."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="gss-ntlm-guides.")
        self.keeper = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "sh",
             str(HERE / "overlay.sh"), self.directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.keeper.stdout.readline().strip() != "ready":
            said = self.keeper.stderr.read().strip()
            self.end()
            raise OSError(said or "no overlay")
        children = pathlib.Path(f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children").read_text().split()
        self.inside = children[0]
        self.root = pathlib.Path(f"/proc/{self.inside}/root{self.directory}/merged")

    def end(self):
        self.keeper.kill()
        self.keeper.wait()
        for stream in (self.keeper.stdout, self.keeper.stderr):
            stream.close()
        os.rmdir(self.directory)

    def host(self, *command):
        """A command that has no part in the guide, for what is there before it begins."""
        subprocess.run(["nsenter", "-t", self.inside, "--mount", "--root", "--pid",
                        "chroot", self.directory + "/merged", *command],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def run(self, script, limit=LIMIT):
        """Exit status and output of a script, run at a terminal at which PASSWORD is typed when asked for."""
        network = [] if re.search(r"\b(apt-get|apt|dpkg|deps\.sh|quickstart\.sh)\b", script) else ["--net"]
        # What a block leaves running stays when its terminal goes.
        state = "trap '' HUP; . /run/guide.env; cd \"$(cat /run/guide.cwd)\"\n"
        keep = "\nexport -p >/run/guide.env; pwd >/run/guide.cwd\n"
        (self.root / "run/guide.sh").write_text(f"{state}set -eu\n{script.rstrip()}\n{{ set +eu; }}{keep}")
        command = ["nsenter", "-t", self.inside, "--mount", "--root", "--pid", "--uts", "--ipc", *network, "chroot",
                   self.directory + "/merged", "/bin/sh", "/run/guide.sh"]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp(command[0], command)
        return self.attend(pid, terminal, limit)

    @staticmethod
    def attend(pid, terminal, limit):
        said, answered, status = "", 0, None
        until = time.monotonic() + limit
        while True:
            ready = select.select([terminal], [], [], 0.2)[0]
            try:
                data = os.read(terminal, 65536) if ready else b""
            except OSError:
                data, ready = b"", []
            said += data.decode("utf-8", "replace").replace("\r\n", "\n")
            if re.search(r"[Pp]assword[^\n]*: ?$", said[answered:]):
                os.write(terminal, (PASSWORD + "\n").encode())
                answered = len(said)
            if status is None:
                ended, raw = os.waitpid(pid, os.WNOHANG)
                if ended:
                    status = os.waitstatus_to_exitcode(raw)
                elif time.monotonic() > until:
                    os.kill(pid, signal.SIGKILL)
                    said += f"\n(no end after {limit} s)"
            if status is not None and not ready:
                os.close(terminal)
                return status, said


def prepare(machine, module, program, source, bare):
    """What a guide finds: the package's files, names of hosts, and no service manager but service(8)."""
    root = machine.root
    multiarch = next(pathlib.Path("/usr/lib").glob("*-linux-gnu/libgssapi_krb5.so.2")).parent.name
    registrations = root / "etc/gss/mech.d"
    machine.host("dpkg", "--purge", "gss-ntlmssp")
    registrations.mkdir(parents=True, exist_ok=True)
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    manager = root / "usr/local/bin/systemctl"
    manager.write_text("#!/bin/sh\nservice \"$2\" \"$1\" </dev/null >/run/service.log 2>&1 ||\n"
                       "    { cat /run/service.log; exit 1; }\n")
    manager.chmod(0o755)
    with open(root / "etc/hosts", "a", encoding="ascii") as hosts:
        hosts.write("\n127.0.0.1 www.corp.example ldap.corp.example git.corp.example www\n")
    (root / "run/guide.env").write_text(
        "export HOME=/root LANG=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive PS1= "
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        "unset GSS_MECH_CONFIG GSS_NTLM_SETTINGS NTLM_USER_FILE KRB5_CONFIG\n")
    tree = root / "usr/src/gss-ntlm"
    tree.mkdir()
    files = subprocess.run(["git", "-c", "safe.directory=*", "-C", source, "archive", "HEAD"], check=True,
                           stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", tree], input=files, check=True)
    (root / "run/guide.cwd").write_text("/usr/src/gss-ntlm\n")
    if bare:
        return
    target = root / "usr/lib" / multiarch / "gss"
    target.mkdir(exist_ok=True)
    shutil.copy(module, target / "gss_ntlm.so")
    shutil.copy(program, root / "usr/bin/gss-ntlm")
    shutil.copy(pathlib.Path(source) / "gss-ntlm.conf.example", registrations / "gss-ntlm.conf")


class Runner:
    def __init__(self, module, program, source):
        self.module, self.program, self.source = module, program, source
        self.texts = texts_of(pathlib.Path(source))
        self.failed = 0

    def tell(self, good, what, why=""):
        print("PASS" if good else "FAIL", what)
        if not good:
            self.failed += 1
            print("     " + why.strip().replace("\n", "\n     "))
        return good

    def commands(self, machine, name, block):
        if block.language == "sh":
            status, said = machine.run(block.text)
            return self.tell(status == 0, f"{name}, line {block.line}: {block.text.strip().splitlines()[0]}",
                             f"status {status}:\n{said[-3000:]}")
        for command, expected in console_steps(block.text):
            status, said = machine.run(command)
            missing = missing_line(expected, said)
            good = missing is None and (status == 0 or expected)
            if not self.tell(good, f"{name}, line {block.line}: {command.splitlines()[0]}",
                             f"status {status}, not printed: {missing}\n{said[-3000:]}"):
                return False
        return True

    def block(self, machine, name, block):
        if block.language in ("sh", "console"):
            return self.commands(machine, name, block)
        for option, mode in (("file", "w"), ("append", "a")):
            if option in block.options:
                path = machine.root / block.options[option].lstrip("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                with open(path, mode, encoding="utf-8") as out:
                    out.write(block.text)
                return True
        if block.language == "text":
            unknown = [line for line in block.text.splitlines()
                       if not all(part in self.texts for part in line.strip().split("..."))]
            return self.tell(not unknown, f"{name}, line {block.line}: texts of the source",
                             "no text of the source: " + "; ".join(unknown))
        if block.language in SHOWN_ONLY:
            print(f"note {name}, line {block.line}: {block.language} is shown and not run")
            return True
        return self.tell(False, f"{name}, line {block.line}: {block.language or 'a block without a name'}",
                         "nothing is known of such blocks: see guides.py")

    def guide(self, path):
        markdown = path.read_text(encoding="utf-8")
        machine = Machine()
        try:
            prepare(machine, self.module, self.program, self.source, markdown.startswith("<!-- bare -->"))
            for block in blocks(markdown):
                if not self.block(machine, path.stem, block):
                    print(f"     the rest of {path.name} was not run")
                    return
            print(f"PASS {path.stem}: to its end")
        finally:
            machine.end()


def self_test():
    wrong = 0
    text = "x\n```sh\na\n```\n```ini file=/etc/x\nb\n```\n```console\n# c \\\n  d\nout 1\n# e\n```\n"
    found = blocks(text)
    for name, got, expected in [
            ("languages", [b.language for b in found], ["sh", "ini", "console"]),
            ("file", found[1].options, {"file": "/etc/x"}),
            ("line", found[1].line, 5),
            ("steps", console_steps(found[2].text), [("c \\\n  d", ["out 1"]), ("e", [])]),
            ("a line that is there", missing_line(["a ... c", "d"], "a b c\nx\nd\n"), None),
            ("a line that is not", missing_line(["a", "e"], "a\nd"), "e"),
            ("lines in another order", missing_line(["a", "d"], "d\na"), "d"),
            ("a part of a line is not the line", missing_line(["a"], "ab"), "a")]:
        print("PASS" if got == expected else f"FAIL ({got}, not {expected})", name)
        wrong += got != expected
    return 1 if wrong else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) < 3:
        sys.exit(__doc__)
    module, program, source, *names = arguments
    if os.geteuid() != 0:
        print("SKIP guides: only root can make a copy of the system to run them in")
        return 77
    directory = pathlib.Path(source).resolve() / "docs/guides"
    guides = sorted(directory.glob("*.md")) if not names else [directory / f"{name}.md" for name in names]
    try:
        Machine().end()
    except OSError as error:
        print(f"SKIP guides: no copy of the system can be made: {error}")
        return 77
    # Ended from outside, it takes its machine with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    runner = Runner(module, program, str(pathlib.Path(source).resolve()))
    for guide in guides:
        runner.guide(guide)
    return 1 if runner.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
