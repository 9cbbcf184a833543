#!/usr/bin/python3
"""Compares the module with its peer in one interleaved run, and prints the table of docs/performance.md.

Usage: table.py BUILD [--peer MODULE] [--runs N] [--plots DIRECTORY] [--save FILE]
       table.py --self-test

BUILD is a directory of a release build (meson setup BUILD --buildtype=release). The peer is gss-ntlmssp
unless --peer names another; a figure that a module cannot give is "-". Each benchmark runs N times (3) for
each module in turn, and the median counts. WinPR, which is no module of MIT's, takes part where the build
found its library (FreeRDP 2). --plots writes an SVG for each way in which cost grows.
"""
import argparse
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import Bed  # noqa: E402
import budget  # noqa: E402
import plot  # noqa: E402

def spec(name, figure, must, moonshot, unit="", kind="ratio"):
    """A row: `figure` computes (peer, ours, the value that must and moonshot compare) from all that was measured."""
    return {"name": name, "figure": figure, "must": must, "moonshot": moonshot, "unit": unit, "kind": kind}


def faster(work):
    """A time: rated by how many times faster ours is."""
    def figure(m):
        peer, ours = m["peer"].get(work), m["ours"].get(work)
        return peer, ours, peer / ours if peer and ours else None
    return figure


def faster_than(work, other):
    """A time of ours against another work of the peer's."""
    def figure(m):
        peer, ours = m["peer"].get(other), m["ours"].get(work)
        return peer, ours, peer / ours if peer and ours else None
    return figure


def at_most(work):
    """A number: ours is rated by itself."""
    def figure(m):
        ours = m["ours"].get(work)
        return m["peer"].get(work), ours, ours
    return figure


def above_null(what):
    def figure(m):
        null = m["null"].get(what)
        difference = [None if m[who].get(what) is None or null is None else m[who][what] - null
                      for who in ("peer", "ours")]
        return difference[0], difference[1], difference[1]
    return figure


def quotient(over, under):
    def figure(m):
        values = [m[who].get(over) / m[who][under] if m[who].get(over) and m[who].get(under) else None
                  for who in ("peer", "ours")]
        return values[0], values[1], values[1]
    return figure


def rows():
    table = [
        spec("raw handshake, instructions", at_most("instructions handshake"), 90000, 75000, kind="limit"),
        spec("raw handshake, time", faster("handshake/raw"), 8, 10, "ns"),
        spec("SPNEGO handshake, instructions", at_most("instructions spnego_handshake"), 170000, 150000, kind="limit"),
        spec("allocations a handshake", at_most("allocations handshake"), 34, 28, kind="limit"),
        spec("allocations a wrap", at_most("allocations wrap_1024"), 1, 1, kind="limit"),
        spec("allocations a wrap_iov", at_most("allocations wrap_iov_1024"), 0, 0, kind="limit"),
        spec("wrap 16 B, instructions", at_most("instructions wrap_16"), 3000, 2400, kind="limit"),
        spec("unwrap 16 B, instructions", at_most("instructions unwrap_16"), 3000, 2400, kind="limit"),
        spec("unwrap 16 B, time", faster("wraps/unwrap/16"), 35, None, "ns"),
    ]
    for size, must, moonshot in [(16, 35, None), (1024, 5.5, 6.5), (4096, 2.3, 2.8), (65536, 1.4, 1.8),
                                 (1048576, 1.15, 1.35)]:
        table.append(spec(f"wrap {size_text(size)}, time", faster(f"wraps/wrap/{size}"), must, moonshot, "ns"))
    for size, must, moonshot in [(65536, 1.5, 2), (1048576, 1.5, 1.9)]:
        table.append(spec(f"wrap_iov {size_text(size)} over the peer's wrap",
                          faster_than(f"iovs/wrap_iov/{size}", f"wraps/wrap/{size}"), must, moonshot, "ns"))
    for size, must, moonshot in [(16, 40, 45), (1024, 8, 9), (65536, 1.1, 1.2)]:
        table.append(spec(f"get_mic {size_text(size)}, time", faster(f"mics/get_mic/{size}"), must, moonshot, "ns"))
    table += [
        spec("bytes of an established context", at_most("bytes open_context"), 3072, 1536, "B", "limit"),
        spec("bytes after sending and receiving", at_most("bytes context_with_messages"), 3072, 1536, "B", "limit"),
        spec("first gss_indicate_mechs over null, time", above_null("first_us"), 250, 100, "us", "limit"),
        spec("- private memory", above_null("first_kib"), 150, None, "KiB", "limit"),
        spec("- libraries", above_null("first_libraries"), 4, None, kind="limit"),
        spec("last of 1,000,000 users over last of 10", quotient("users/1000000", "users/10"), 1.3, None, kind="limit"),
        spec("- load", at_most("users/1000000 load_ms"), 1500, 500, "ms", "limit"),
        spec("- memory", at_most("users/1000000 mib"), 143, 95, "MiB", "limit"),
        spec("credential from a users file", at_most("credential/file"), 5000, None, "ns", "limit"),
        spec("credential from a password", at_most("credential/password"), 1500, None, "ns", "limit"),
        spec("4 threads over 1, handshakes",
             quotient("handshake/threads/threads:1", "handshake/threads/threads:4"), None, None),
    ]
    return table


def size_text(size):
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB" if size >= 1024 else f"{size} B"


def reached(row, value, goal):
    """Whether `value` meets `goal`; None where there is nothing to compare."""
    if value is None or goal is None:
        return None
    return value <= goal if row["kind"] == "limit" else value >= goal


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def print_table(measured, out):
    """The table in Markdown; gives the names of the rows that miss their must."""
    print("| operation | gss-ntlmssp | gss-ntlm | ratio | must | moonshot | |", file=out)
    print("|---|---|---|---|---|---|---|", file=out)
    missed = []
    for row in rows():
        peer, ours, judged = row["figure"](measured)
        ratio = f"{peer / ours:.3g}x" if peer and ours else "-"
        goals = [("-" if g is None else ("<= " + number(g) if row["kind"] == "limit" else number(g) + "x"))
                 for g in (row["must"], row["moonshot"])]
        good = reached(row, judged, row["must"])
        word = "-" if good is None else "moonshot" if reached(row, judged, row["moonshot"]) else "must" if good else "MISSED"
        if good is False:
            missed.append(row["name"])
        unit = " " + row["unit"] if row["unit"] else ""
        print(f"| {row['name']} | {number(peer)}{unit if peer is not None else ''} | "
              f"{number(ours)}{unit if ours is not None else ''} | {ratio} | {goals[0]} | {goals[1]} | {word} |", file=out)
    return missed


def print_winpr(measured, out):
    """The works that WinPR has too."""
    names = [("handshake/raw", "raw handshake")]
    for size in (16, 1024, 4096, 65536, 1048576):
        names += [(f"iovs/wrap_iov/{size}", f"seal {size_text(size)} in place"),
                  (f"iovs/unwrap_iov/{size}", f"open {size_text(size)} in place")]
    print("| operation | WinPR | gss-ntlm | ratio |\n|---|---|---|---|", file=out)
    for work, name in names:
        winpr, ours = measured["winpr"].get(work), measured["ours"].get(work)
        if winpr and ours:
            print(f"| {name} | {number(winpr)} ns | {number(ours)} ns | {winpr / ours:.3g}x |", file=out)


def name_of(benchmark):
    """handshake/raw/real_time -> handshake/raw"""
    return "/".join(p for p in benchmark.split("/") if p not in ("real_time", "manual_time"))


def read_benchmarks(text):
    """{name: nanoseconds, "name counter": number}"""
    figures = {}
    for entry in json.loads(text)["benchmarks"]:
        if entry.get("error_occurred") or entry.get("run_type", "iteration") != "iteration":
            continue
        scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[entry["time_unit"]]
        name = name_of(entry["name"])
        figures[name] = entry["real_time"] * scale
        for counter in ("bytes", "load_ms", "mib"):
            if counter in entry:
                figures[name + " " + counter] = entry[counter]
    return figures


def medians(runs):
    """[{name: number}] -> {name: median}"""
    return {name: statistics.median(run[name] for run in runs if name in run)
            for name in sorted(set().union(*runs))}


def benchmark(program, environment, pattern):
    command = [program, "--benchmark_format=json", "--benchmark_min_time=0.05", "--benchmark_filter=" + pattern]
    return read_benchmarks(subprocess.run(command, env=environment, check=True, text=True,
                                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


def first_use(program, environment):
    out = subprocess.run([program], env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout
    return dict(zip(("first_us", "first_kib", "first_libraries"), map(float, out.split())))


def counted(program, module):
    figures = {}
    for kind, works in budget.count(program, module).items():
        figures.update({f"{kind} {work}": n for work, n in works.items()})
    if shutil.which("valgrind"):
        figures.update({"instructions " + w: n for w, n in budget.instructions(program, module).items()})
    return figures


# One after the other, so that a busy minute meets all modules.
PATTERNS = ["handshake/raw|handshake/spnego|handshake_and", "credential", "wraps", "mics", "iovs", "contexts",
            "users/(10|1000)/", "threads"]


def measure(build, peer, runs):
    """{who: {name: number}} of ours, the peer and the mechanism that does nothing."""
    bench = os.path.join(build, "test", "bench")
    modules = {"ours": os.path.join(build, "mech", "gss_ntlm.so"), "peer": peer,
               "null": os.path.join(bench, "null_mechanism.so")}
    collected = {who: [] for who in modules}
    winpr = os.path.join(bench, "bench_winpr")
    gss, first = os.path.join(bench, "bench_gss"), os.path.join(bench, "bench_first_use")
    with Bed() as bed:
        environments = {who: bed.environment(module) for who, module in modules.items()}
        for turn in range(runs):
            for pattern in PATTERNS:
                for who in ("ours", "peer"):
                    collected[who].append(benchmark(gss, environments[who], pattern))
            if os.path.exists(winpr):
                collected.setdefault("winpr", []).append(benchmark(winpr, environments["null"], "."))
            collected["ours"].append(benchmark(gss, environments["ours"], "users/100000"))
            if turn == 0:
                collected["peer"].append(benchmark(gss, environments["peer"], "users/100000"))
            for _ in range(9):
                for who in modules:
                    collected[who].append(first_use(first, environments[who]))
            print(f"run {turn + 1} of {runs} done", file=sys.stderr)
    measured = {who: medians(found) for who, found in collected.items()}
    for who in ("ours", "peer"):
        measured[who].update(counted(os.path.join(bench, "bench_counts"), modules[who]))
    return measured


def series(measured, who, prefix, scale=1e-3, suffix=""):
    """[(x, y)] of the benchmarks PREFIX followed by a number."""
    points = []
    for name, value in measured[who].items():
        rest = name[len(prefix):-len(suffix)] if suffix else name[len(prefix):]
        if name.startswith(prefix) and name.endswith(suffix) and rest.isdigit():
            points.append((int(rest), value * scale))
    return sorted(points)


def write_plots(measured, directory):
    os.makedirs(directory, exist_ok=True)
    who = (("gss-ntlm", "ours"), ("gss-ntlmssp", "peer"))

    def lines(prefix, scale=1e-3, suffix=""):
        return [(label, series(measured, key, prefix, scale, suffix)) for label, key in who]

    def rates(prefix):
        return [(label, [(n, n and 1e9 / t) for n, t in series(measured, key, prefix, 1)]) for label, key in who]

    plots = {
        "users": ("Acceptor's half of a handshake, last user of the file", "users", "us", lines("users/")),
        "contexts": ("Handshake by number of established contexts", "established contexts", "us", lines("contexts/")),
        "memory": ("Memory of one established context", "established contexts", "bytes", lines("contexts/", 1, " bytes")),
        "threads": ("Handshakes a second", "threads", "1/s", rates("handshake/threads/threads:")),
        "wrap": ("gss_wrap", "bytes of message", "us", lines("wraps/wrap/")),
        "get_mic": ("gss_get_mic", "bytes of message", "us", lines("mics/get_mic/")),
    }
    for name, (title, x, y, curves) in plots.items():
        with open(os.path.join(directory, name + ".svg"), "w") as f:
            f.write(plot.draw(title, x, y, curves))


def self_test():
    cases = [
        ("a limit that is kept", {"kind": "limit"}, 5, 5, True),
        ("a limit that is not", {"kind": "limit"}, 5.1, 5, False),
        ("a ratio that is reached", {"kind": "ratio"}, 8, 8, True),
        ("a ratio that is not", {"kind": "ratio"}, 7.9, 8, False),
        ("nothing measured", {"kind": "ratio"}, None, 8, None),
    ]
    wrong = 0
    for name, row, value, goal, expected in cases:
        good = reached(row, value, goal) is expected
        print("PASS" if good else "FAIL", name)
        wrong += not good
    text = json.dumps({"benchmarks": [
        {"name": "users/10/manual_time", "real_time": 2, "time_unit": "us", "load_ms": 7},
        {"name": "iovs/wrap_iov/16/manual_time", "error_occurred": True, "real_time": 0, "time_unit": "ns"}]})
    for name, got, expected in [
            ("a benchmark's figures", read_benchmarks(text), {"users/10": 2000, "users/10 load_ms": 7}),
            ("the median", medians([{"a": 1}, {"a": 9, "b": 4}, {"a": 2}]), {"a": 2, "b": 4}),
            ("a series", series({"ours": {"users/1000": 5, "users/10": 4, "users/10 mib": 1}}, "ours", "users/", 1),
             [(10, 4), (1000, 5)]),
            ("a quotient", quotient("a", "b")({"peer": {"a": 6, "b": 3}, "ours": {"b": 3}}), (2, None, None)),
            ("what is above null", above_null("x")({"peer": {"x": 6}, "ours": {"x": 3}, "null": {"x": 1}}), (5, 2, 2)),
            ("a plot has its curves", plot.draw("t", "x", "y", [("a", [(1, 1), (10, 5)]), ("b", [])]).count("<polyline"), 1)]:
        print("PASS" if got == expected else f"FAIL ({got})", name)
        wrong += got != expected
    return wrong == 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    parser.add_argument("--peer")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--plots")
    parser.add_argument("--save", help="file for all figures, as JSON")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    peers = glob.glob("/usr/lib/*/gssntlmssp/gssntlmssp.so")
    peer = options.peer or (peers[0] if peers else None)
    for path, remedy in [(peer, "install gss-ntlmssp, or name a module with --peer"),
                         (os.path.join(options.build, "test", "bench", "bench_gss"),
                          "name a release build; libbenchmark-dev must have been there when it was set up"),
                         (os.path.join(options.build, "test", "bench", "bench_counts"),
                          "name a release build; valgrind must have been there when it was set up")]:
        if path is None or not os.path.exists(path):
            sys.exit(f"table.py: {path or 'a peer'} is not there: {remedy}")
    measured = measure(options.build, peer, options.runs)
    if options.save:
        with open(options.save, "w") as f:
            json.dump(measured, f, indent=1, sort_keys=True)
    missed = print_table(measured, sys.stdout)
    if "winpr" in measured:
        print()
        print_winpr(measured, sys.stdout)
    if options.plots:
        write_plots(measured, options.plots)
    print("missed: " + (", ".join(missed) or "nothing"))
    return True


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
