"""Arithmetic on elements: time against NumPy, bandwidth against a triad in the same run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnative import _native, reference
from side_by_side import Case, main


def case(kernel: str, *arguments: Any) -> Case:
    ours, theirs = getattr(_native, kernel), reference.functions()[kernel]
    arrays = [a for a in arguments if isinstance(a, np.ndarray)]
    size = np.broadcast_shapes(*[a.shape for a in arrays])
    shapes = " ".join("x".join(map(str, a.shape)) if isinstance(a, np.ndarray) else str(a) for a in arguments)
    moved = sum(a.nbytes for a in arrays) + int(np.prod(size)) * arrays[0].itemsize
    return Case(f"{kernel} {shapes}", lambda: ours(*arguments), lambda: theirs(*arguments), moved)


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for n, c in ((4, 4), (128, 512), (4096, 1024)):
        x, y = (rng.uniform(0.1, 2, (n, c)).astype(np.float32) for _ in range(2))
        for kernel in ("add", "mul", "div", "maximum"):
            yield case(kernel, x, y)
        for other in (y[0], y[:, :1].copy(), 0.5):
            yield case("mul", x, other)
        for kernel in ("sqrt", "neg"):
            yield case(kernel, x)
        for other in (2.0, 0.5, 2.5, y):
            yield case("pow", x, other)
        yield case("maximum_backward", x, x, y)
        yield case("where", x > 1, x, 0.0)


if __name__ == "__main__":
    main("elementwise", __doc__, cases)
