#!/usr/bin/python3
"""The interposer's functions against the table of the SPNEGO that this system's library has, and what it loads.

Usage: exports.py INTERPOSER MECHANISM    PASS and FAIL lines; exit status 1 on any FAIL

The table is found in the library's memory: SPNEGO's object identifier, a pointer, and a function or nothing for each
name, in the order of the mechglue's (mglueP.h), which has been the same since krb5 1.20.
"""
import ctypes
import os
import re
import struct
import subprocess
import sys

from harness import Report

SLOTS = """acquire_cred release_cred init_sec_context accept_sec_context process_context_token delete_sec_context
context_time get_mic verify_mic wrap unwrap display_status indicate_mechs compare_name display_name import_name
release_name inquire_cred add_cred export_sec_context import_sec_context inquire_cred_by_mech inquire_names_for_mech
inquire_context internal_release_oid wrap_size_limit localname authorize_localname export_name duplicate_name store_cred
inquire_sec_context_by_oid inquire_cred_by_oid set_sec_context_option set_cred_option mech_invoke wrap_aead unwrap_aead
wrap_iov unwrap_iov wrap_iov_length complete_auth_token acquire_cred_impersonate_name add_cred_impersonate_name
display_name_ext inquire_name get_name_attribute set_name_attribute delete_name_attribute export_name_composite
map_name_to_any release_any_name_mapping pseudo_random set_neg_mechs inquire_saslname_for_mech
inquire_mech_for_saslname inquire_attrs_for_mech acquire_cred_from store_cred_into acquire_cred_with_password
export_cred import_cred import_sec_context_by_mech import_name_by_mech import_cred_by_mech get_mic_iov verify_mic_iov
get_mic_iov_length""".split()
# Imports need the public object identifier beside the token; an exported name would carry the private one.
INSTEAD = {"import_sec_context": "import_sec_context_by_mech", "import_cred": "import_cred_by_mech"}
BESIDE = {"export_name"}
SPNEGO = bytes.fromhex("2b0601050502")


def library_segments():
    """(address, bytes) of what the library's data is mapped to."""
    ctypes.CDLL("libgssapi_krb5.so.2")
    with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r[w-]-p .*libgssapi_krb5\.so", line)
            if found:
                start, end = (int(x, 16) for x in found.groups())
                yield start, ctypes.string_at(start, end - start)


def spnego_table():
    segments = list(library_segments())
    word = struct.calcsize("P")

    def read(address, size):
        for start, data in segments:
            if start <= address and address + size <= start + len(data):
                return data[address - start:address - start + size]
        return b""

    for start, data in segments:
        for at in range(0, len(data) - (3 + len(SLOTS)) * word, word):
            length, oid, context = struct.unpack_from("PPP", data, at)
            if length & 0xFFFFFFFF == len(SPNEGO) and context == 0 and read(oid, len(SPNEGO)) == SPNEGO:
                functions = struct.unpack_from("%dP" % len(SLOTS), data, at + 3 * word)
                if functions[0] and functions[1]:
                    return {name for name, function in zip(SLOTS, functions) if function}
    return set()


def main():
    module = sys.argv[1]
    report = Report("exports")
    symbols = subprocess.run(["nm", "-D", "--defined-only", module], stdout=subprocess.PIPE, check=True).stdout.decode()
    names = {line.split()[2].partition("@")[0] for line in symbols.splitlines() if line.split()[1] == "T"}
    ours = {name[5:] for name in names if name.startswith("gssi_")}
    report.check(names - {"gssi_" + name for name in ours} == {"gss_mech_interposer"},
                 "nothing else is exported", sorted(names - {"gssi_" + name for name in ours}))
    table = spnego_table()
    report.check(len(table) > 40, "SPNEGO's table is found in this system's library", len(table))
    wanted = {INSTEAD.get(name, name) for name in table} | BESIDE
    report.check(ours == wanted, "the functions are SPNEGO's", "missing %s, too many %s" % (
        sorted(wanted - ours), sorted(ours - wanted)))
    dynamic = subprocess.run(["readelf", "-d", module], stdout=subprocess.PIPE, check=True).stdout.decode()
    needed = set(re.findall(r"\(NEEDED\).*\[(.*?)\]", dynamic))
    report.check(needed <= {"libgssapi_krb5.so.2", "libkrb5.so.3", "libc.so.6", "ld-linux-x86-64.so.2"},
                 "it loads nothing that the Kerberos library has not loaded", sorted(needed))
    report.check(os.path.getsize(module) < 100000, "it is small", os.path.getsize(module))
    report.exit()


main()
