#!/usr/bin/python3
"""From LDIF without wrapping: "cn digest size" of each entry's thumbnailPhoto, sorted by cn."""
import base64
import hashlib
import sys

for entry in sorted(sys.stdin.read().strip().split("\n\n")):
    fields = dict(line.split(":", 1) for line in entry.splitlines())
    value = base64.b64decode(fields["thumbnailPhoto"].lstrip(": "))
    print(fields["cn"].strip(), hashlib.sha256(value).hexdigest(), len(value))
