"""Normalisation: time against NumPy's formulas (reference/norm.py), bandwidth against a triad in the same run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnative import _native, reference
from side_by_side import Case, main


def case(kernel: str, shape: tuple[int, ...], bytes_moved: int, *args: Any) -> Case:
    ours, theirs = getattr(_native, kernel), reference.functions()[kernel]
    return Case(f"{kernel} {'x'.join(map(str, shape))}", lambda: ours(*args), lambda: theirs(*args), bytes_moved)


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for shape in ((32, 32), (128, 512), (4096, 1024), (256, 64, 128)):
        x, dy = (rng.standard_normal(shape).astype(np.float32) for _ in range(2))
        C = shape[1]
        weight, bias, mean, var = (rng.uniform(0.5, 2, C).astype(np.float32) for _ in range(4))
        count, size = np.zeros((), np.int64), x.nbytes
        # Statistics and sums need a pass of their own before the one that writes.
        yield case("batch_norm_forward", shape, 3 * size, x, mean.copy(), var.copy(), count, weight, bias, 0.1, 1e-5)
        yield case("batch_norm_infer", shape, 2 * size, x, mean, var, weight, bias, 1e-5)
        yield case("batch_norm_backward", shape, 5 * size, dy, x, mean, var, weight, True, True)


if __name__ == "__main__":
    main("norm", __doc__, cases)
