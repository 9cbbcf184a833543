"""Runs gss-ntlm as a person would, in a terminal where that matters; for the tests of its commands."""
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time

PROGRAM, EXAMPLE, MODULE, VECTORS = map(os.path.abspath, sys.argv[1:5])
COUNT = {"checks": 0, "failures": 0}
# Of the commands: no setting of the caller counts.
ENV = {k: v for k, v in os.environ.items()
       if not k.startswith(("NTLM", "GSS_NTLM_", "NETBIOS_", "LM_COMPAT", "GSSNTLMSSP"))}


def expect(condition, what):
    COUNT["checks"] += 1
    if not condition:
        COUNT["failures"] += 1
        print("FAIL", what)


def run(*arguments, stdin=b"", env=None, status=0, cwd=None):
    """Runs the program; returns what it printed and complained."""
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, check=False,
                          timeout=120, env={**ENV, **(env or {})}, cwd=cwd)
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    expect(done.returncode == status,
           f"{' '.join(map(str, arguments))[:80]}: status {done.returncode}, not {status}: {err}")
    return out, err


def at_terminal(arguments, answers, env=None):
    """Runs the program in a terminal; types each answer when its prompt has come. Returns the exit
    status and what the terminal showed. An answer None hangs up."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update({**ENV, **(env or {})})
        os.execv(PROGRAM, [PROGRAM, *arguments])
    shown = b""
    status = None
    deadline = time.monotonic() + 30

    def read_until(text):
        nonlocal shown, status
        start = len(shown)
        while text is None or text not in shown[start:]:
            ready, _, _ = select.select([terminal], [], [], 0.05)
            try:
                piece = os.read(terminal, 4096) if ready else b""
            except OSError:
                piece = b""
            shown += piece
            if not piece and status is None:
                pid_done, ended = os.waitpid(pid, os.WNOHANG)
                status = ended if pid_done else None
            elif not piece:
                return
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                deadline_passed.append(arguments)
                return

    deadline_passed = []
    hung_up = False
    for prompt, answer in answers:
        read_until(prompt)
        if answer is None:
            os.close(terminal)
            hung_up = True
            break
        time.sleep(0.05)
        os.write(terminal, answer)
    if not hung_up:
        read_until(None)
        os.close(terminal)
    expect(not deadline_passed, f"in time: {arguments} {shown}")
    if status is None:
        _, status = os.waitpid(pid, 0)
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    return code, shown


NEGOTIATE = "4e544c4d5353500001000000978208e2000000000000000000000000000000000a00000000000" "00f"


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o600)


def write_users(path, text, mode=0o600):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def exchange_tokens():
    """The three tokens of a published exchange."""
    with open(VECTORS, encoding="utf-8") as f:
        vector = next(v for v in json.load(f)["vectors"] if v["id"] == "exchange.v2.cbt")["out"]
    return [vector[name] for name in ("negotiate", "challenge", "authenticate")]
