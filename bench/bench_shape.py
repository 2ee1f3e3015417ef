"""Copies of views: time against NumPy, bandwidth against a triad in the same run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnative import _native
from side_by_side import Case, main


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


if __name__ == "__main__":
    main("shape", __doc__, cases)
