#!/usr/bin/env python3
"""Runs the commands of gss-ntlm as a person would, in a terminal where that matters.

usage: commands_test.py PROGRAM EXAMPLE_FILE MODULE VECTORS
"""
import os
import sys
import tempfile

import commands
import commands_decode
import commands_login
import commands_machine
import commands_users

with tempfile.TemporaryDirectory(prefix="gss-ntlm-test.") as top:
    nothing = os.path.join(top, "nothing.conf")
    commands.write(nothing, "")
    os.chmod(nothing, 0o644)
    os.chmod(top, 0o755)
    commands.ENV["GSS_NTLM_SETTINGS"] = nothing
    for topic in (commands_login, commands_users, commands_decode, commands_machine):
        for name, test in vars(topic).items():
            if name.startswith("test_"):
                work = os.path.join(top, name)
                os.mkdir(work)
                before = commands.COUNT["failures"]
                test(work) if test.__code__.co_argcount else test()
                print("PASS" if commands.COUNT["failures"] == before else "FAIL", name)
print(f"{commands.COUNT['checks']} checks, {commands.COUNT['failures']} failed")
sys.exit(1 if commands.COUNT["failures"] else 0)
