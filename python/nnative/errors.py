"""The errors of reading and writing, each of them one clear line."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["DataError", "MissingExtraError", "optional"]


class DataError(ValueError):
    """A file or folder does not hold what it should; the message names it."""


class MissingExtraError(ImportError):
    """An optional package is not installed; the message says how to get it."""


def optional(module: str, extra: str, operation: str) -> Any:
    """Import a module of an optional package, or say which extra of nnative carries it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = {"sklearn": "scikit-learn"}.get(name := module.partition(".")[0], name)
        raise MissingExtraError(
            f"[{operation}] needs {package}, which is not installed: pip install 'nnative[{extra}]'"
        ) from error
