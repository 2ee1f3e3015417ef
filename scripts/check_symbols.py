"""Fail where a kernel object of one instruction set could be mixed up with another's.

A weak symbol (an inline function or template that was not inlined) compiled for AVX-512 may be the copy that the linker
keeps for everyone, and the program dies on a CPU without it. So the per-set objects may define global symbols only in
their own namespace, have no weak symbols, and use nothing from outside but what is named here: no libm, no libstdc++.

Nor may a lambda of single numbers stand on its own: the loop that calls it for every element runs without vectors, ten
times slower. Where the compiler finds one too large to inline, it needs __attribute__((always_inline)).

    python scripts/check_symbols.py BUILD_DIRECTORY
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

# barrier is the runtime's; the others the compiler itself may call.
ALLOWED = {"nnative::barrier(nnative::Team const&)", "memcpy", "memset", "memmove", "memcmp", "_GLOBAL_OFFSET_TABLE_"}
ALONE = re.compile(r"::\{lambda\((?:float|double|long|int|, )+\)#\d+\}::operator\(\)\([^()]*\) const(?: \[clone.*)?$")
OBJECT = re.compile(r"kernels_(\w+)\.dir/.*\.o$")


def problems(listing: str, isa: str) -> list[str]:
    """Return what is wrong with one object, given the output of ``nm --demangle --format=posix`` for it."""
    found = []
    for line in listing.splitlines():
        # "name type [value [size]]", and demangled names have blanks
        match = re.match(r"(?P<name>.+?) (?P<type>[A-Za-z?])(?: [0-9a-f]*)*$", line)
        if match is None:
            found.append(f"unreadable line of nm: {line!r}")
            continue
        name, kind = match["name"], match["type"]
        if kind in "WwVvu":
            found.append(f"weak symbol: {name}")
        elif kind == "U":
            if name not in ALLOWED and not name.startswith(f"nnative::{isa}::"):
                found.append(f"undefined symbol outside the allowed ones: {name}")
        elif ALONE.search(name):
            found.append(f"function called for each element: {name}")
        elif kind.isupper() and not name.startswith(f"nnative::{isa}::"):
            found.append(f"global symbol outside nnative::{isa}: {name}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, help="build directory with CMakeFiles/kernels_<isa>.dir")
    build = parser.parse_args().build
    objects = {path: match[1] for path in sorted(build.rglob("*.o")) if (match := OBJECT.search(path.as_posix()))}
    if not objects:
        print(f"check_symbols: no kernel objects below {build}", file=sys.stderr)
        return 2
    failed = False
    for path, isa in objects.items():
        command = ["nm", "--demangle", "--format=posix", str(path)]
        listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for problem in problems(listing, isa):
            failed = True
            print(f"{path.relative_to(build)}: {problem}", file=sys.stderr)
    sets = sorted(set(objects.values()))
    if not failed:
        print(f"check_symbols: {len(objects)} objects of {', '.join(sets)} are clean")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
