#!/usr/bin/python3
"""Fills the new domain, before its controller runs: users, groups, and accounts that may not log in.

Prints nothing but what fails. Passwords are Passw0rd.NAME, the same for all forms of a name.
"""
import samba.getopt  # noqa: F401  (loads Samba's bindings in the order they want)
from samba.auth import system_session
from samba.credentials import Credentials
from samba.param import LoadParm
from samba.samdb import SamDB
import ldb

NAMES = {"alice": "alice", "bob": "bob", "carol": "carol", "umlaut": "jürgen", "sharp": "weiß",
         "sigma": "ΟΔΥΣΣΕΥΣ", "beyond": "gothic𐌰𐍂",
         "disabled": "disabled", "expired": "expired", "locked": "locked", "mustchange": "mustchange"}


def main():
    lp = LoadParm()
    lp.load_default()
    creds = Credentials()
    creds.guess(lp)
    db = SamDB(session_info=system_session(), credentials=creds, lp=lp)
    base = str(db.get_default_basedn())
    db.modify_ldif(f"dn: {base}\nchangetype: modify\n"
                   "replace: lockoutThreshold\nlockoutThreshold: 12\n-\n"
                   "replace: minPwdAge\nminPwdAge: 0\n")
    for key, name in NAMES.items():
        db.newuser(name, f"Passw0rd.{key}", givenname="Given", surname=key)
    db.newgroup("readers")
    db.newgroup("writers")
    db.add_remove_group_members("readers", ["alice", "jürgen"], add_members_operation=True)
    db.add_remove_group_members("writers", ["readers"], add_members_operation=True)
    db.disable_account("(sAMAccountName=disabled)")
    dn = db.search(base, ldb.SCOPE_SUBTREE, "(sAMAccountName=expired)", attrs=[])[0].dn
    db.modify_ldif(f"dn: {dn}\nchangetype: modify\nreplace: accountExpires\n"
                   "accountExpires: 130000000000000000\n")
    dn = db.search(base, ldb.SCOPE_SUBTREE, "(sAMAccountName=mustchange)", attrs=[])[0].dn
    db.modify_ldif(f"dn: {dn}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 0\n")
    # Values for searches: ten entries with a value of 100 kB each.
    db.add({"dn": f"ou=bulk,{base}", "objectClass": "organizationalUnit"})
    for i in range(10):
        db.add({"dn": f"cn=bulk{i},ou=bulk,{base}", "objectClass": "contact",
                "thumbnailPhoto": bytes((i * 7 + j * 31 + (j >> 8)) & 255 for j in range(100_000))})


main()
