"""A page by libsoup 3: soup_client.py URL FEATURE... [user=USER password=PASSWORD]. FEATURE: AuthNegotiate or AuthNTLM.
Prints the status and the page."""
import sys

import gi

gi.require_version("Soup", "3.0")
from gi.repository import Soup  # pylint: disable=wrong-import-position

url, *features = [a for a in sys.argv[1:] if "=" not in a]
account = dict(a.split("=", 1) for a in sys.argv[1:] if "=" in a)
session = Soup.Session()
for feature in features:
    session.add_feature_by_type(getattr(Soup, feature))
message = Soup.Message.new("GET", url)
message.connect("accept-certificate", lambda *_: True)


def authenticate(_, auth, retrying):
    if not retrying and account:
        auth.authenticate(account["user"], account["password"])
        return True
    return False


message.connect("authenticate", authenticate)
page = session.send_and_read(message, None)
print(int(message.get_status()), page.get_data().decode().strip())
