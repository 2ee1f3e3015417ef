"""Submodules that are imported when they are first used, so that `import nnative` stays short."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def lazy(package: str, *names: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package that imports these submodules on demand."""

    def load(name: str) -> Any:
        if name in names:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load
