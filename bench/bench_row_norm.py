"""Layer, RMS and group norm: time against NumPy's formulas (reference/row_norm.py), bandwidth against a triad."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnative import _native, reference
from side_by_side import Case, main


def case(kernel: str, name: str, bytes_moved: int, *args: Any) -> Case:
    ours, theirs = getattr(_native, kernel), reference.functions()[kernel]
    return Case(f"{kernel} {name}", lambda: ours(*args), lambda: theirs(*args), bytes_moved)


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for sizes, centred in (
        ((32, 1, 32, 1), True),
        ((128, 1, 512, 1), True),
        ((4096, 1, 1024, 1), True),
        ((4096, 1, 1024, 1), False),
        ((4096, 32, 32, 1), True),
        ((256, 8, 8, 128), True),
    ):
        x, dy = (rng.standard_normal(sizes).astype(np.float32) for _ in range(2))
        weight, bias = (rng.uniform(0.5, 2, sizes[1] * sizes[2]).astype(np.float32) for _ in range(2))
        _, mean, invstd = _native.row_norm_forward(x, weight, bias, sizes, 1e-5, centred)
        name = f"{'x'.join(map(str, sizes))}{'' if centred else ' rms'}"
        # A group stays in the cache between its passes.
        yield case("row_norm_forward", name, 2 * x.nbytes, x, weight, bias, sizes, 1e-5, centred)
        yield case("row_norm_backward", name, 3 * x.nbytes, dy, x, mean, invstd, weight, sizes, True, True, centred)


if __name__ == "__main__":
    main("row_norm", __doc__, cases)
