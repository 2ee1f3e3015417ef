"""Print what pyproject.toml requires: the pin of a tool (``pins.py ruff``) or whole extras (``pins.py lint test``)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

text = (Path(__file__).resolve().parent.parent / "pyproject.toml").read_text(encoding="utf-8")
for name in sys.argv[1:]:
    extra = re.search(rf"^{re.escape(name)} = \[(.*)\]$", text, re.MULTILINE)
    pins = re.findall(rf'"({re.escape(name)}==[^"]+)"', text)
    wanted = re.findall(r'"([^"]+)"', extra[1]) if extra else pins[:1]
    if not wanted:
        sys.exit(f"pins: pyproject.toml has neither an extra nor a pin called {name}")
    print("\n".join(wanted))
