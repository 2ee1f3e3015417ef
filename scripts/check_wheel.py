"""Fail where a wheel holds what it should not, lacks what it should hold, or installs to more than 8 MB.

python scripts/check_wheel.py dist/nnative-*.whl
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path

MAX_INSTALLED_BYTES = 8_000_000
REQUIRED = ("nnative/__init__.py", "nnative/_native.pyi", "nnative/py.typed", "nnative/reference/__init__.py")


def problems(wheel: Path) -> list[str]:
    """Return what is wrong with the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist() if not info.is_dir()}
    found = [f"lacks {name}" for name in REQUIRED if name not in sizes]
    if not any(name.startswith("nnative/_native.") and name.endswith(".so") for name in sizes):
        found.append("lacks the compiled module nnative/_native.*.so")
    if not any(name.endswith("/LICENSE") for name in sizes):
        found.append("lacks the licence")
    for name in sizes:
        top = name.split("/")[0]
        if top != "nnative" and not top.endswith(".dist-info"):
            found.append(f"holds {name}, outside the package")
        elif "__pycache__" in name or name.endswith((".cpp", ".hpp", ".o", ".a")):
            found.append(f"holds {name}")
    total = sum(sizes.values())
    if total > MAX_INSTALLED_BYTES:
        found.append(f"installs to {total / 1e6:.1f} MB, more than {MAX_INSTALLED_BYTES / 1e6:.0f} MB")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    wheel = parser.parse_args().wheel
    found = problems(wheel)
    for problem in found:
        print(f"{wheel.name} {problem}", file=sys.stderr)
    if not found:
        print(f"check_wheel: {wheel.name} is in order")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
