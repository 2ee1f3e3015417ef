"""Sums and places of extremes over rows, columns and all elements: time against NumPy, bandwidth against a triad."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnative import _native
from side_by_side import Case, main


def case(shape: tuple[int, ...], dims: tuple[int, ...]) -> Case:
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    name = f"sum {'x'.join(map(str, shape))} over {dims}"
    return Case(name, lambda: _native.sum(x, dims, False, 1.0), lambda: x.sum(axis=dims), x.nbytes)


def extreme(shape: tuple[int, ...], dim: int) -> Case:
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    name = f"argmax {'x'.join(map(str, shape))} over {dim}"
    return Case(name, lambda: _native.argmax(x, dim), lambda: x.argmax(dim), x.nbytes)


def cases() -> Iterator[Case]:
    for shape in ((4, 4), (128, 512), (100_000, 10), (4096, 1024)):
        for dims in ((0,), (1,), (0, 1)):
            yield case(shape, dims)
    yield case((64, 32, 28, 28), (0, 2, 3))
    for shape in ((128, 10), (256, 256), (100_000, 10), (4096, 1024)):
        for dim in (0, 1):
            yield extreme(shape, dim)
    yield extreme((4_000_000,), 0)


if __name__ == "__main__":
    main("reduce", __doc__, cases)
