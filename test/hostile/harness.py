"""What every row of the threat table needs: a world with accounts, the cases, and the attacks'
common shapes. Each attack is followed by the honest exchange that differs in nothing else."""
import contextlib
import os
import shutil
import tempfile

import glue
import ntlm

DOMAIN, USER, PASSWORD = "CORP", "alice", "Passw0rd"
USERS = "CORP:alice:Passw0rd\nCORP:bob:Secret-of-bob\n:carol:no-domain\n"

REFUSED = (glue.FAILURE, glue.DEFECTIVE_TOKEN)

CASES = []


class Wrong(Exception):
    """The module did what the threat model says it must not."""


def row(number, what):
    """Registers a test of row `number` of docs/threat-model.md."""
    def register(function):
        CASES.append((number, what, function))
        return function
    return register


def trap(what):
    return row("trap", what)


def check(truth, *what):
    if not truth:
        raise Wrong(" ".join(str(w) for w in what))


def expect(context, wanted, *what):
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    major = context.major & ~0xFFFF if glue.is_error(context.major) else context.major
    if major not in wanted:
        raise Wrong("%s: got %s (%s), wanted %s" %
                    (" ".join(str(w) for w in what), glue.show(context.major), context.text,
                     " or ".join(map(glue.show, wanted))))


class World:
    """A directory with a users file, and the environment that names it."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="gss-ntlm-hostile-")
        os.environ["NTLM_USER_FILE"] = self.write("users", USERS)
        os.environ["NETBIOS_COMPUTER_NAME"] = "ACCEPTOR"
        os.environ["NETBIOS_DOMAIN_NAME"] = "CORP"
        os.environ.pop("GSS_NTLM_TRACE", None)
        os.environ.pop("LM_COMPAT_LEVEL", None)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        os.chmod(path, mode)
        return path

    def close(self):
        shutil.rmtree(self.directory)


@contextlib.contextmanager
def environment(**changes):
    """Environment variables for a while; None removes."""
    before = {name: os.environ.get(name) for name in changes}
    try:
        for name, value in changes.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def acceptor(**kw):
    return glue.Context(False, kw.pop("cred", None) or glue.Cred(glue.ACCEPT), **kw)


def initiator(user="CORP\\alice", password=PASSWORD, **kw):
    return glue.Context(True, glue.Cred(glue.INITIATE, user, password), **kw)


def to_acceptor(bindings=None, user=USER, domain=DOMAIN, password=PASSWORD, **switches):
    """A bent client against the module's acceptor: (context, client)."""
    context = acceptor(bindings=bindings)
    client = ntlm.Client(domain=domain, user=user, password=password, **switches)
    second = context.step(client.negotiate())
    if glue.is_error(context.major):
        return context, client
    expect(context, glue.CONTINUE, "NEGOTIATE")
    context.second = second
    third = client.authenticate(second)
    check(context.step(third) == b"", "the acceptor answered AUTHENTICATE")
    return context, client


def honest_to_acceptor(**kw):
    context, client = to_acceptor(**kw)
    expect(context, glue.COMPLETE, "honest client")
    if kw.get("flags_matter", True):
        sealed = client.session.wrap(b"from the client")
        check(context.unwrap(sealed) == b"from the client", "unwrap")
        check(client.session.unwrap(context.wrap(b"from the server")) == b"from the server", "wrap")
    return context, client


def attack_acceptor(what, wanted=REFUSED, honest=None, **switches):
    """A bent client is refused; the same exchange without the bend is accepted."""
    context, _ = to_acceptor(**switches)
    expect(context, wanted, what)
    check(context.source is None, what, ": a name was given")
    check(not context.inquire()[6], what, ": the context is open")
    if honest is not False:
        honest_to_acceptor(**(honest or {}))
    return context


def to_initiator(flags=glue.INTEG | glue.CONF, bindings=None, target="HTTP@server.example",
                 **switches):
    """The module's initiator against a bent server: (context, server, AUTHENTICATE)."""
    context = initiator(flags=flags, bindings=bindings, target=target)
    server = ntlm.Server(**switches)
    first = context.step()
    expect(context, glue.CONTINUE, "first step")
    third = context.step(server.challenge(first))
    return context, server, third


def honest_to_initiator(**kw):
    context, server, third = to_initiator(**kw)
    expect(context, glue.COMPLETE, "honest server")
    facts = server.check_authenticate(third, USER, DOMAIN, PASSWORD)
    check(context.unwrap(server.session.wrap(b"from the server")) == b"from the server", "unwrap")
    check(server.session.unwrap(context.wrap(b"from the client")) == b"from the client", "wrap")
    return context, server, facts


def attack_initiator(what, wanted=REFUSED, **switches):
    """A bent server gets no AUTHENTICATE."""
    context, _, third = to_initiator(**switches)
    expect(context, wanted, what)
    check(third == b"", what, ": AUTHENTICATE was sent")
    honest_to_initiator()
    return context
