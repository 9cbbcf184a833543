#!/usr/bin/python3
"""Moves an ELF file's program headers to its end, so that a file that was truncated anywhere cannot be loaded.

Usage: headers_last.py IN OUT

The mechglue opens an interposer in every program that uses GSSAPI. The dynamic loader rejects a file whose program
headers are missing, but maps one that has them and lacks what they describe: the program then dies with SIGBUS.
"""
import os
import struct
import sys

PT_LOAD = 1


class Elf:
    """Where the fields are, in a file of either class and byte order."""

    def __init__(self, data):
        if data[:4] != b"\x7fELF":
            raise ValueError("not an ELF file")
        self.wide, order = data[4] == 2, {1: "<", 2: ">"}[data[5]]
        self.word, self.half = order + ("Q" if self.wide else "I"), order + "H"
        self.phoff_at = 32 if self.wide else 28
        self.phentsize, self.phnum = struct.unpack_from(order + "2H", data, 54 if self.wide else 42)
        self.phoff = struct.unpack_from(self.word, data, self.phoff_at)[0]
        self.order = order

    def segments(self, data):
        """(offset, size in the file, alignment) of what is loaded."""
        for i in range(self.phnum):
            entry = data[self.phoff + i * self.phentsize:][:self.phentsize]
            if struct.unpack_from(self.order + "I", entry)[0] == PT_LOAD:
                offset, size, align = ((8, 32, 48) if self.wide else (4, 16, 28))
                yield tuple(struct.unpack_from(self.word, entry, at)[0] for at in (offset, size, align))


def with_headers_last(data):
    elf = Elf(data)
    table = bytes(data[elf.phoff:elf.phoff + elf.phnum * elf.phentsize])
    end = len(data)
    for offset, size, align in elf.segments(data):
        # Not in the last page of a segment either: the loader would look for the table in its memory.
        end = max(end, (offset + size + align - 1) // align * align)
    end = (end + 15) // 16 * 16
    out = bytearray(data) + bytes(end - len(data)) + table
    struct.pack_into(elf.word, out, elf.phoff_at, end)
    return bytes(out)


def main():
    source, target = sys.argv[1:3]
    with open(source, "rb") as f:
        data = f.read()
    with open(target, "wb") as f:
        f.write(with_headers_last(data))
    os.chmod(target, 0o755)


main()
