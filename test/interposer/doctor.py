#!/usr/bin/python3
"""What `gss-ntlm doctor` reports of SPNEGO with and without the interposer.

Usage: doctor.py INTERPOSER MECHANISM PROGRAM    PASS and FAIL lines; exit status 1 on any FAIL
"""
import json
import subprocess
import sys

from harness import Report, Scratch


def spnego_check(scratch, program, config):
    out = subprocess.run([program, "doctor", "--json"], env=scratch.environment(config), stdout=subprocess.PIPE, check=False)
    checks = {check["name"]: check for check in json.loads(out.stdout)["checks"]}
    return checks["SPNEGO"], checks["mechListMIC"]


def main():
    report = Report("doctor")
    scratch = Scratch(*sys.argv[1:3])
    check, _ = spnego_check(scratch, sys.argv[3], "plain.conf")
    repaired = "is not active; this library rejects" in check["text"] and check["state"] == "ok"
    crashes = "ticket 9213" in check["text"] and "gss-ntlm-spnego" in check["text"] and check["state"] == "note"
    report.check(repaired or crashes, "without the interposer", check["text"])
    check, mic = spnego_check(scratch, sys.argv[3], "mend.conf")
    report.check(check["state"] == "ok" and "is active" in check["text"], "with it", check["text"])
    report.check("private object identifier" in check["text"], "what it cannot hide", check["text"])
    report.check(mic["state"] == "ok", "mechListMIC is carried with it", mic["text"])
    report.exit()


main()
