"""Indexing and embeddings: time against NumPy, bandwidth against a triad in the same run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnative import _native, reference
from side_by_side import Case, main

BACKWARD = reference.functions()["take_backward"]


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for n, c in ((128, 512), (4096, 1024)):
        x = rng.standard_normal((n, c)).astype(np.float32)
        index = rng.integers(0, n, n)
        yield Case(f"take {n}x{c}", lambda x=x, i=index: _native.take(x, i, 0), lambda x=x, i=index: x[i], 2 * x.nbytes)
        yield Case(
            f"take_backward {n}x{c}",
            lambda x=x, i=index: _native.take_backward(x, i, x.shape, 0),
            lambda x=x, i=index: BACKWARD(x, i, x.shape, 0),
            3 * x.nbytes,
        )
    for rows, c, count in ((1000, 32, 4096), (50_000, 64, 8192)):
        weight, index = rng.standard_normal((rows, c)).astype(np.float32), rng.integers(0, rows, count)
        dy = rng.standard_normal((count, c)).astype(np.float32)
        name = f"{rows}x{c} {count} indices"
        yield Case(
            f"embedding_forward {name}",
            lambda w=weight, i=index: _native.embedding_forward(w, i),
            lambda w=weight, i=index: w[i],
            2 * dy.nbytes,
        )
        yield Case(
            f"embedding_backward {name}",
            lambda w=weight, i=index, d=dy: _native.embedding_backward(d, i, w.shape, None, False),
            lambda w=weight, i=index, d=dy: BACKWARD(d, i, w.shape, 0),
            weight.nbytes + 3 * dy.nbytes,
        )


if __name__ == "__main__":
    main("gather", __doc__, cases)
