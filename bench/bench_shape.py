"""Copies of views and indexing: time against NumPy, bandwidth against a triad in the same run."""

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
        for name, view in {"transpose": x.T, "slice": x[:, : c // 2], "step": x[::2], "broadcast": x[:1]}.items():
            view = np.broadcast_to(view, x.shape) if name == "broadcast" else view
            yield Case(
                f"{name} {n}x{c}",
                lambda v=view: _native.copy(v),
                lambda v=view: np.array(v, order="C"),
                2 * view.nbytes,
            )
        index = rng.integers(0, n, n)
        yield Case(f"take {n}x{c}", lambda x=x, i=index: _native.take(x, i, 0), lambda x=x, i=index: x[i], 2 * x.nbytes)
        yield Case(
            f"take_backward {n}x{c}",
            lambda x=x, i=index: _native.take_backward(x, i, x.shape, 0),
            lambda x=x, i=index: BACKWARD(x, i, x.shape, 0),
            3 * x.nbytes,
        )


if __name__ == "__main__":
    main("shape", __doc__, cases)
