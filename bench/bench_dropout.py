"""Dropout and noise: time against NumPy's formula (reference/dropout.py), bandwidth against a triad in the same run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnative import _native
from side_by_side import Case, main


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    cell, state = np.zeros(2, np.uint64), np.zeros(2, np.uint64)
    for shape in ((32, 32), (128, 512), (4096, 1024)):
        x = rng.standard_normal(shape).astype(np.float32)
        for p in (0.5, 0.25, 0.1):
            name, scale = f"{'x'.join(map(str, shape))} p={p}", 1 / (1 - p)

            def theirs(x: np.ndarray = x, p: float = p, scale: float = scale) -> object:
                return x * (rng.random(x.shape, dtype=np.float32) >= p) * np.float32(scale)

            yield Case(
                f"dropout_forward {name}",
                lambda x=x, p=p, scale=scale: _native.dropout_forward(x, cell, p, scale),
                theirs,
                2 * x.nbytes,
            )
            yield Case(
                f"dropout_backward {name}",
                lambda x=x, p=p, scale=scale: _native.dropout_backward(x, state, p, scale),
                theirs,
                2 * x.nbytes,
            )
        yield Case(
            f"gaussian_noise {'x'.join(map(str, shape))}",
            lambda x=x: _native.gaussian_noise(x, cell, 0.5),
            lambda x=x: x + np.float32(0.5) * rng.standard_normal(x.shape, dtype=np.float32),
            2 * x.nbytes,
        )


if __name__ == "__main__":
    main("dropout", __doc__, cases)
