"""The machine itself: the multiply-adds of a row's products, a triad beside a memory-bound row, or loops in its place.

The loops read and write what the row must and compute next to nothing. Instructions that do nothing show whether
somebody else's thread shares a core: they then take up to twice as long, while multiply-adds alone may keep their rate.
Measured like a library, in the same rounds and for as long, so that shares of it compare like with like.
"""

from __future__ import annotations

import numpy as np

from harness.rows import Row
from harness.work import NotOffered, Work
from yardstick import INSTRUCTIONS, Yardstick

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
    """As many multiply-adds as the row's products have, or `INSTRUCTIONS` that do nothing."""
    if mode == "loops":
        raise NotOffered("no loops over arrays")
    if mode == "issue":
        return Work(lambda: _yardstick.do_nothing(10 * INSTRUCTIONS), 10, lambda _: np.empty(0))
    steps = max(1, round(_yardstick.operations_a_call / row.flops))
    return Work(lambda: _yardstick.multiply_add(steps * row.flops), steps, lambda _: np.empty(0))


def memory(row: Row, mode: str) -> Work:
    """Triads, each a step, or the row's own loops."""
    if mode == "issue":
        raise NotOffered("measured beside the arithmetic rows")
    if mode == "limit":
        _yardstick.prepare(row.triad_elements)
    else:
        _yardstick.prepare(row.batch * row.sizes[0], row.loops)
    times = _yardstick.rounds_a_call
    return Work(lambda: _yardstick.run_loops(times), times, lambda _: np.empty(0))


BUILD = {"train": arithmetic, "infer": arithmetic, "memory": memory}
