"""Print the n-th command of README.md, so that what CI runs is what a reader types.

The commands are the fenced blocks that begin with ```bash: the first installs the package and runs the main job, the
second installs it and passes the tests. Both are typed in the root of a clone, in an active virtual environment.

    python scripts/readme_commands.py 1 | bash -euo pipefail
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def commands(markdown: str) -> list[str]:
    """Return the contents of the ```bash blocks."""
    return re.findall(r"^```bash\n(.*?)^```\s*$", markdown, flags=re.MULTILINE | re.DOTALL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("n", type=int, help="1: the main job, 2: the tests")
    n = parser.parse_args().n
    found = commands(README.read_text(encoding="utf-8"))
    if not 1 <= n <= len(found):
        print(f"readme_commands: README.md has {len(found)} bash blocks, asked for number {n}", file=sys.stderr)
        return 2
    print(found[n - 1], end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
