"""What the tests of browsers share: a private home, the accounts of the user who browses, and a page that shows its login."""
import os
import signal
import subprocess
import sys
import tempfile

import ours

# So that a browser ends with a test that is told to.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

WHO = "CORP\\alice"
# A browser on a busy machine takes its time.
PATIENCE = 240


def accounts(workshop, name, password, user=ours.USER):
    """The path of a users file for the browser's side."""
    path = os.path.join(workshop.directory.name, name)
    with open(path, "w", encoding="ascii") as file:
        file.write("%s:%s:%s\n" % (ours.DOMAIN, user, password))
    return path


def run(command, users=None, visit=None):
    """What a browser wrote, or what `visit` saw while it ran. Both functions are given a directory that is its home,
    and goes away with it; `command` makes its arguments."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DBUS_")}
        environment.update(HOME=home, XDG_CONFIG_HOME=home, XDG_CACHE_HOME=home, XDG_RUNTIME_DIR=home,
                           NTLM_USER_FILE=users or "/nonexistent")
        # All that it started is in its session, and ends with it.
        browser = subprocess.Popen(command(home), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            return visit(home) if visit else browser.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired as error:
            raise RuntimeError("the browser did not end within %d s" % PATIENCE) from error
        finally:
            try:
                os.killpg(browser.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            browser.communicate()


def shown(site, text, reason=""):
    """The page showed the login, or, with a reason, the server refused one for it."""
    if reason:
        ours.expect("user " not in text, text)
        ours.expect(site.logins and site.logins[-1].user is None and reason in site.logins[-1].reason, site.logins)
    else:
        ours.expect("user " + WHO in text, "%s; the server says: %s" % (text, site.logins))
        ours.expect(site.logins[-1].user == WHO, site.logins)
