"""Two processes that meet through GSSAPI, each one end: peer.py, with whatever library and mechanism it finds."""
import os
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


class Peer:
    """A process that plays one role ("initiate", "accept") with "raw" NTLM or under "spnego"."""

    def __init__(self, role, mech, env=None, command=("/usr/bin/python3", os.path.join(HERE, "peer.py")), options=()):
        self.process = subprocess.Popen([*command, role, mech, *options], env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def send(self, data):
        self.process.stdin.write(struct.pack(">I", len(data)) + data)
        self.process.stdin.flush()

    def receive(self):
        head = self.process.stdout.read(4)
        if len(head) < 4:
            raise RuntimeError("the peer ended")
        data = self.process.stdout.read(struct.unpack(">I", head)[0])
        if data[:1] == b"!":
            raise RuntimeError(data[1:].decode())
        return data[:1] == b"+", data[1:]

    def ask(self, command, data=b""):
        self.send(command + b" " + data)
        return self.receive()[1]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=10)


def handshake(initiator, acceptor, watch=lambda token: None):
    """`watch` is given every token."""
    done, token = initiator.receive()
    accepted = False
    while not (done and accepted):
        if token:
            watch(token)
            acceptor.send(token)
            accepted, token = acceptor.receive()
        if token or not done:
            watch(token)
            initiator.send(token)
            done, token = initiator.receive()


def check_messages(a, b):
    for size in (1, 16, 100, 5000):
        for one, other in ((a, b), (b, a)):
            message = os.urandom(size)
            if other.ask(b"unwrap", one.ask(b"wrap", message)) != message:
                raise RuntimeError("unwrapped text differs")
            other.ask(b"verify", one.ask(b"mic", message) + message)


def meet(initiator, acceptor, messages=check_messages, watch=lambda token: None):
    """Why they did not log CORP\\alice in and exchange messages; empty if they did. Both are ended."""
    try:
        handshake(initiator, acceptor, watch)
        messages(initiator, acceptor)
        name = acceptor.ask(b"name").decode().rstrip("\0")  # gss-ntlmssp counts a terminator
        return "" if name == "CORP\\alice" else "the acceptor names " + name
    except RuntimeError as error:
        return str(error) or "it failed"
    finally:
        initiator.close()
        acceptor.close()
