"""Every native kernel again in plain NumPy: same name, same signature, same result to rounding.

Each module of this package has the functions of one family and ``EXAMPLES``: for each function, how to make arguments
of a given size. `nnative.check`, the tests and the benchmarks walk over them, so no kernel exists unchecked.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

FAMILIES = (
    "linear",
    "activation",
    "loss",
    "optim",
    "optim_adaptive",
    "lists",
    "random",
    "elementwise",
    "reduce",
    "shape",
    "gather",
    "norm",
    "row_norm",
    "dropout",
)


def functions() -> dict[str, Callable[..., Any]]:
    """Return the reference of every kernel by name."""
    found: dict[str, Callable[..., Any]] = {}
    for family in FAMILIES:
        module = importlib.import_module(f"nnative.reference.{family}")
        found |= {name: getattr(module, name) for name in module.EXAMPLES}
    return found


def examples() -> dict[str, Callable[..., tuple[Any, ...]]]:
    """Return the maker of arguments of every kernel by name: ``maker(make, n)``, see `nnative.check.Maker`."""
    found: dict[str, Callable[..., tuple[Any, ...]]] = {}
    for family in FAMILIES:
        found |= importlib.import_module(f"nnative.reference.{family}").EXAMPLES
    return found
