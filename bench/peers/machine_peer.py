"""The machine itself: the multiply-adds of a row's products and nothing else, or a triad beside a memory-bound row.

Measured like a library, in the same rounds and for as long, so that shares of it compare like with like.
"""

from __future__ import annotations

import numpy as np

from harness.rows import Row
from harness.work import NotOffered, Work
from yardstick import Yardstick

_yardstick: Yardstick


def start(mode: str, threads: int) -> str:
    """Compile the loops."""
    global _yardstick
    try:
        _yardstick = Yardstick(threads)
    except RuntimeError as reason:
        raise NotOffered(str(reason)) from reason
    return f"{_yardstick.bits} bits"


def arithmetic(row: Row, mode: str) -> Work:
    """As many multiply-adds as the row's products have."""
    steps = max(1, round(_yardstick.operations_a_call / row.flops))
    return Work(lambda: _yardstick.multiply_add(steps * row.flops), steps, lambda _: np.empty(0))


def memory(row: Row, mode: str) -> Work:
    """Triads, each a step."""
    _yardstick.prepare(row.triad_elements)
    times = _yardstick.triads_a_call
    return Work(lambda: _yardstick.triad(times), times, lambda _: np.empty(0))


BUILD = {"train": arithmetic, "infer": arithmetic, "memory": memory}
