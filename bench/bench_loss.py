"""Losses: time against NumPy's formulas (reference/loss.py), bandwidth against a triad in the same run."""

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
    one = np.ones((), np.float32)
    for shape in ((128, 10), (128, 1000), (16, 50_000), (4096, 1024)):
        logits, target = rng.standard_normal(shape).astype(np.float32), rng.integers(0, shape[1], shape[0])
        probability = _native.softmax_forward(logits)
        size = logits.nbytes
        yield case("cross_entropy_sum", shape, 2 * size, logits, target, True)
        yield case("cross_entropy_backward", shape, 2 * size, one, probability, target, True)
    for shape in ((128, 10), (4096, 1024)):
        x, t = (rng.standard_normal(shape).astype(np.float32) for _ in range(2))
        yield case("squared_error_sum", shape, 2 * x.nbytes, x, t, 1 / x.size)
        yield case("squared_error_backward", shape, 3 * x.nbytes, one, x, t, 1 / x.size)


if __name__ == "__main__":
    main("loss", __doc__, cases)
