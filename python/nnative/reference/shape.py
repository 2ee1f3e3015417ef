"""Elements moved without arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array


def copy(x: Array) -> Array:
    """Return a C-contiguous copy of an array of any strides."""
    return np.array(x, order="C")


def assign(out: Array, x: Array) -> None:
    """Write x, which broadcasts, into an array of any strides."""
    out[...] = x


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "copy": lambda make, n: (make(3, n, 5).transpose(2, 0, 1),),
    "assign": lambda make, n: (make(5, 3, n)[1:4].transpose(2, 0, 1), make(n, 1, 3)),
}
