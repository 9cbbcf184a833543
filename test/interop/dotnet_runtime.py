"""The .NET runtime with ASP.NET Core, and the test's program compiled for it.

    program = dotnet_runtime.lay_out(DIRECTORY)     the path of a program; Missing says why there is none

Debian has no .NET. Two packages of npm bring it: one program's own copy of the runtime, and the C# compiler's
libraries, which Debian's mcs can start. They are fetched once, and kept in DIRECTORY. Nothing of the packages runs but
the runtime and the compiler.
"""
import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dotnet")
SOURCES = ("Program.cs", "End.cs", "Web.cs", "Messages.cs")
# name, version, and the SHA-512 of what npm packs.
RUNTIME = ("@azure/mcp-linux-x64", "0.5.13",
           "d951f5f68611227dbc5db2809a5de636b18138f7c947428927d13b9073f72ea2"
           "d760092f571f5c4399f6dc07a316fa16f90c698dbc5c84eabba87e1b9cac58d7")
ROSLYN = ("@typespec/http-client-csharp", "1.0.0-alpha.20260929.2",
          "bfebf941f9f0befb388e887b948826eebe99d436380c751bdfc1a1f4d0b5253a"
           "54b05c7714699ecfdb42d359b8ef98f671c0bf48f22fdf8873514afe1ba6824b")
# The runtime's program and its assembly are named so, because a start looks for this name.
NAME = "azmcp"


class Missing(Exception):
    pass


def environment(**more):
    return dict(os.environ, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1", DOTNET_gcServer="0", DOTNET_EnableDiagnostics="0",
                **more)


def run(command, **how):
    done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **how)
    if done.returncode:
        raise RuntimeError("%s: %s" % (command[0], " / ".join(done.stdout.strip().splitlines()[-3:])))


def fetch(package, directory):
    """Where the package is; it is fetched if it is not there yet."""
    name, version, digest = package
    place = os.path.join(directory, os.path.basename(name) + "-" + version)
    if os.path.isdir(place):
        return os.path.join(place, "package")
    packing = os.path.join(directory, "packing")
    shutil.rmtree(packing, ignore_errors=True)
    os.mkdir(packing)
    try:
        run(["npm", "pack", "--ignore-scripts", "--pack-destination", packing, name + "@" + version])
    except RuntimeError as error:
        raise Missing(str(error)) from error
    packed = glob.glob(packing + "/*.tgz")[0]
    with open(packed, "rb") as file:
        got = hashlib.sha512(file.read()).hexdigest()
    if got != digest:
        raise Missing("npm's %s %s has another checksum: %s" % (name, version, got))
    with tarfile.open(packed) as archive:
        archive.extractall(packing)
    os.unlink(packed)
    os.rename(packing, place)
    return os.path.join(place, "package")


def assemble(place, runtime, assembly):
    """A directory from which the runtime starts `assembly`."""
    shutil.rmtree(place, ignore_errors=True)
    os.mkdir(place)
    for path in glob.glob(runtime + "/*"):
        os.symlink(path, os.path.join(place, os.path.basename(path)))
    # A start looks beside the file itself, not beside a link to it.
    os.unlink(os.path.join(place, NAME))
    shutil.copy(os.path.join(runtime, NAME), place)
    os.chmod(os.path.join(place, NAME), 0o755)
    os.unlink(os.path.join(place, NAME + ".dll"))
    shutil.move(assembly, os.path.join(place, NAME + ".dll"))
    return os.path.join(place, NAME)


def is_managed(path):
    name = os.path.basename(path)
    return name.endswith(".dll") and name.startswith(("System.", "Microsoft.AspNetCore", "Microsoft.Extensions."))


def build(directory):
    runtime = os.path.join(fetch(RUNTIME, directory), "dist")
    roslyn = os.path.join(fetch(ROSLYN, directory), "dist/generator")
    made = os.path.join(directory, "made.dll")
    run(["mcs", "-out:" + made, os.path.join(HERE, "Compile.cs")])
    compiler = assemble(os.path.join(directory, "compiler"), runtime, made)
    references = os.path.join(directory, "references")
    with open(references, "w", encoding="utf-8") as file:
        file.writelines(path + "\n" for path in glob.glob(runtime + "/*") if is_managed(path))
    run([compiler, made, roslyn, references, *(os.path.join(HERE, name) for name in SOURCES)], env=environment())
    return assemble(os.path.join(directory, "program"), runtime, made)


def is_current(program):
    newest = max(os.path.getmtime(path) for path in [__file__, *glob.glob(HERE + "/*.cs")])
    return os.path.exists(program + ".dll") and os.path.getmtime(program + ".dll") > newest


def lay_out(directory):
    if os.uname().machine != "x86_64":
        raise Missing("the runtime is one for x86_64")
    for name in ("npm", "mcs"):
        if not shutil.which(name):
            raise Missing(name + " is not installed")
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program = os.path.join(directory, "program", NAME)
        return program if is_current(program) else build(directory)


def main():
    try:
        print(lay_out(sys.argv[1]))
    except Missing as missing:
        print(missing)
        sys.exit(77)


if __name__ == "__main__":
    main()
