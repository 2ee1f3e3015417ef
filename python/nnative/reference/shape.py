"""Elements moved without arithmetic, elements picked by index, and what comes back to them."""

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


def take(table: Array, index: Array, dim: int) -> Array:
    """Return the elements at int64 indices along a dimension; negative ones count from the end."""
    return np.take(table, index, dim)


def take_backward(dout: Array, index: Array, shape: tuple[int, ...], dim: int) -> Array:
    """Return the gradient of the table: elements taken several times add up."""
    dtable = np.zeros(shape, dout.dtype)
    key: Any = (slice(None),) * dim + (index,)
    np.add.at(dtable, key, dout)
    return dtable


def pick(x: Array, index: Array, dim: int) -> Array:
    """Return one element along a dimension for each place of the others."""
    return np.take_along_axis(x, np.expand_dims(index, dim), dim).squeeze(dim)


def pick_backward(dout: Array, index: Array, shape: tuple[int, ...], dim: int) -> Array:
    """Return zeros with the gradient at the picked places."""
    dx = np.zeros(shape, dout.dtype)
    np.put_along_axis(dx, np.expand_dims(index, dim), np.expand_dims(dout, dim), dim)
    return dx


def join_index(first: Array, second: Array, n: int, b: int) -> Array:
    """Return the places of (first, second) in a flattened (n, b) matrix."""
    return np.asarray(np.where(first < 0, first + n, first) * b + np.where(second < 0, second + b, second))


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "copy": lambda make, n: (make(3, n, 5).transpose(2, 0, 1),),
    "assign": lambda make, n: (make(5, 3, n)[1:4].transpose(2, 0, 1), make(n, 1, 3)),
    "take": lambda make, n: (make(5, 11, n), make.labels(22, 7, 2) - 11, 1),
    "take_backward": lambda make, n: (make(2, 19, n), make.labels(14, 19) - 7, (2, 7, n), 1),
    "pick": lambda make, n: (make(n, 6, 3), make.labels(12, n, 3) - 6, 1),
    "pick_backward": lambda make, n: (make(n, 3), make.labels(12, n, 3) - 6, (n, 6, 3), 1),
    "join_index": lambda make, n: (make.labels(10, n) - 5, make.labels(6, n) - 3, 5, 3),
}
