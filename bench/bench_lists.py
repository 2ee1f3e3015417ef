"""All parameters in one launch: time against NumPy (reference/lists.py), bandwidth against a triad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnative import _native, reference
from side_by_side import Case, main


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    functions: dict[str, Callable[..., Any]] = reference.functions()
    for count, size in ((400, 512), (1, 20_000_000)):
        arrays, others = ([rng.standard_normal(size, dtype=np.float32) for _ in range(count)] for _ in range(2))
        one, other = np.concatenate(arrays), np.concatenate(others)
        once = one.nbytes
        calls: dict[str, tuple[int, tuple[Any, ...]]] = {
            "total_norm": (once, (arrays, 2.0)),
            "clip_norm": (once, (arrays, 1e9, 2.0)),  # below the limit nothing is written
            "clip_values": (2 * once, (arrays, 1.0)),
            "average": (3 * once, (arrays, others, np.array(1), 0.1)),
            "penalty": (once, (arrays, 0.1, 0.1)),
            "add_scaled": (3 * once, (one, other, 1e-3)),
            "dot": (2 * once, (one, other)),
        }
        for kernel, (moved, args) in calls.items():
            ours, theirs = getattr(_native, kernel), functions[kernel]
            name = f"{kernel} {count}x{size}"
            yield Case(name, lambda f=ours, a=args: f(*a), lambda f=theirs, a=args: f(*a), moved)


if __name__ == "__main__":
    main("lists", __doc__, cases)
