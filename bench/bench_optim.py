"""Gradient-descent updates: time against NumPy's formulas (reference/optim.py), bandwidth against a triad.

Steps over many small parameters, beside other libraries, are the row adam_many of report.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnative import _native, check, reference
from nnative.reference.optim import EXAMPLES
from side_by_side import Case, main

SIZES = (4_000, 20_000_000)


def moved(args: tuple[Any, ...]) -> int:
    """Return the bytes of an update: parameters and state are read and written, gradients read."""
    params, grads, *states = [a for a in args if isinstance(a, list)]
    return sum(a.nbytes for a in grads) + 2 * sum(a.nbytes for column in (params, *states) for a in column)


def updates(examples: dict[str, Any]) -> Iterator[Case]:
    """Return a case for each update of a family and size, from the arguments of its reference check."""
    functions = reference.functions()
    for kernel, arguments in examples.items():
        ours, theirs = getattr(_native, kernel), functions[kernel]
        for n in SIZES:
            args = arguments(check.Maker(np.float32), n)
            yield Case(f"{kernel} {n}", lambda f=ours, a=args: f(*a), lambda f=theirs, a=args: f(*a), moved(args))


if __name__ == "__main__":
    main("optim", __doc__, lambda: updates(EXAMPLES))
