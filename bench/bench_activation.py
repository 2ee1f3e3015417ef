"""Activations: time against NumPy's formulas (reference/activation.py), bandwidth against a triad in the same run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnative import _native, reference
from side_by_side import Case, main

# Kernel: its further arguments, and arrays it reads and writes.
ELEMENTWISE: dict[str, tuple[tuple[Any, ...], int]] = {
    "relu_forward": ((), 2),
    "relu_backward": ((), 3),
    "leaky_relu_forward": ((0.01,), 2),
    "sigmoid_forward": ((), 2),
    "sigmoid_backward": ((), 3),
    "tanh_forward": ((), 2),
    "tanh_backward": ((), 3),
    "exp_forward": ((), 2),
    "log_forward": ((), 2),
    "elu_forward": ((1.0, 1.0, 1.0), 2),
    "elu_backward": ((1.0, 1.0, 1.0), 3),
    "gelu_forward": ((), 2),
    "gelu_backward": ((), 3),
    "silu_forward": ((), 2),
    "mish_forward": ((), 2),
    "softplus_forward": ((1.0, 20.0), 2),
    "hardswish_forward": ((), 2),
}
ROWS = {"softmax_forward": 2, "softmax_backward": 3, "log_softmax_forward": 2, "log_softmax_backward": 3}


def case(kernel: str, shape: tuple[int, ...], streams: int, further: tuple[Any, ...] = ()) -> Case:
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.01, 1, shape).astype(np.float32) for _ in range(2 if kernel.endswith("backward") else 1)]
    ours, theirs = getattr(_native, kernel), reference.functions()[kernel]
    return Case(
        f"{kernel} {'x'.join(map(str, shape))}",
        lambda: ours(*arrays, *further),
        lambda: theirs(*arrays, *further),
        streams * arrays[0].nbytes,
    )


def cases() -> Iterator[Case]:
    for shape in ((128, 512), (4096, 1024)):
        for kernel, (further, streams) in ELEMENTWISE.items():
            yield case(kernel, shape, streams, further)
    for shape in ((128, 10), (128, 1000), (16, 50_000), (4096, 1024)):
        for kernel, streams in ROWS.items():
            yield case(kernel, shape, streams)


if __name__ == "__main__":
    main("activation", __doc__, cases)
