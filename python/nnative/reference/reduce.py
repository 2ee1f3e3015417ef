"""Sums over any dimensions, and positions of extremes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array


def sum(x: Array, dims: tuple[int, ...], keepdim: bool, scale: float) -> Array:
    """Return ``scale`` times the sum over the dimensions ``dims``."""
    return np.asarray(np.sum(x, tuple(dims), keepdims=keepdim) * scale)


def sum_to(x: Array, shape: tuple[int, ...], scale: float) -> Array:
    """Return ``scale`` times the sum over the dimensions along which ``shape`` was broadcast to x."""
    extra = x.ndim - len(shape)
    ones = [i + extra for i, size in enumerate(shape) if size == 1 != x.shape[i + extra]]
    return np.asarray(np.sum(x, (*range(extra), *ones)).reshape(shape) * scale)


def argmax(x: Array, dim: int) -> Array:
    """Return the index of the first largest element along a dimension; NaN counts as the largest."""
    return np.asarray(np.argmax(x, dim))


def argmin(x: Array, dim: int) -> Array:
    """Return the index of the first smallest element along a dimension; NaN counts as the smallest."""
    return np.asarray(np.argmin(x, dim))


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "sum": lambda make, n: (make(3, n, 5, 2), (0, 2), False, 0.5),
    "sum_to": lambda make, n: (make(7, n, 3), (n, 1), -1.0),
    "argmax": lambda make, n: (make(n, 5, 3), 1),
    "argmin": lambda make, n: (make(n, 5), 1),
}
