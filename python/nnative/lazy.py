"""Submodules that are imported when they are first used, so that `import nnative` stays short."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def lazy(package: dict[str, Any], *names: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package, given by its ``globals()``, with submodules to be."""

    def load(name: str) -> Any:
        if name in names:
            return importlib.import_module(f"{package['__name__']}.{name}")
        raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")

    return load, lambda: sorted({*package, *names})
