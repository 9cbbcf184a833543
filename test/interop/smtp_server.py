"""An SMTP server on loopback that accepts a message from a client that logs in by AUTH NTLM or AUTH GSSAPI, with our
mechanism as the acceptor in a process of its own (peer.py).

    with Server("NTLM", env) as server:    server.port

AUTH GSSAPI carries SPNEGO's tokens, as .NET's SmtpClient sends them, and RFC 4752's choice of a layer: none. A client
that gives a password in another way is rejected.
"""
import base64
import socketserver
import threading

from pair import Peer

LAYER_NONE = b"\x01\x00\x00\x00"


class Handler(socketserver.StreamRequestHandler):
    timeout = 60

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def line(self):
        return self.rfile.readline().strip().decode()

    def ask(self, data):
        self.say("334 " + base64.b64encode(data).decode())
        return base64.b64decode(self.line())

    def log_in(self, initial):
        scheme, env = self.server.how
        token = base64.b64decode(initial) if initial else self.ask(b"")
        # Under AUTH NTLM, too, .NET sends SPNEGO's tokens.
        end = Peer("accept", "raw" if token.startswith(b"NTLMSSP") else "spnego", env)
        try:
            while True:
                end.send(token)
                done, token = end.receive()
                if done:
                    break
                token = self.ask(token)
            if scheme == "GSSAPI":
                if token and self.ask(token):
                    return False
                chosen = end.ask(b"unwrap", self.ask(end.ask(b"wrap", LAYER_NONE)))
                return chosen[:1] == LAYER_NONE[:1]
            return True
        except RuntimeError:
            return False
        finally:
            end.close()

    def mail(self):
        self.say("354 go on")
        while self.line() != ".":
            pass
        self.say("250 taken")

    def handle(self):
        self.say("220 localhost")
        known = False
        while True:
            verb, _, rest = self.line().partition(" ")
            verb = verb.upper()
            if verb == "EHLO":
                self.say("250-localhost")
                self.say("250 AUTH " + self.server.how[0])
            elif verb == "AUTH":
                known = self.log_in(rest.partition(" ")[2])
                self.say("235 welcome" if known else "535 the login was rejected")
            elif verb in ("MAIL", "RCPT"):
                self.say("250 ok" if known else "530 log in first")
            elif verb == "DATA":
                self.mail()
            elif verb in ("QUIT", ""):
                return
            else:
                self.say("502 no such command")


class Server:
    def __init__(self, scheme, env):
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.how = (scheme, env)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
