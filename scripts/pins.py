"""Print the requirement of one tool as pyproject.toml pins it in the `lint` extra: ``python scripts/pins.py ruff``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

text = (Path(__file__).resolve().parent.parent / "pyproject.toml").read_text(encoding="utf-8")
match = re.search(rf'"({re.escape(sys.argv[1])}==[^"]+)"', text)
if match is None:
    sys.exit(f"pins: pyproject.toml pins no {sys.argv[1]}")
print(match[1])
