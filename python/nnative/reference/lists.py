"""The lists family in NumPy: what is done to all parameters of a network, or all gradients, in one launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array


def total_norm(arrays: list[Array], norm_type: float) -> Array:
    """Return the p-norm of all elements together; p may be ±∞."""
    elements = np.concatenate([a.ravel() for a in arrays])
    if elements.size == 0:
        return np.zeros((), elements.dtype)
    with np.errstate(all="ignore"):
        return np.asarray(np.linalg.norm(elements.astype(np.float64), norm_type), elements.dtype)


def clip_norm(arrays: list[Array], max_norm: float, norm_type: float) -> Array:
    """Scale arrays in place, so that their norm together is at most ``max_norm``; return what it was."""
    total = total_norm(arrays, norm_type)
    factor = max_norm / (total + 1e-6)
    for array in arrays:
        array *= 1 if factor > 1 else factor
    return total


def clip_values(arrays: list[Array], limit: float) -> None:
    """Clip arrays to [−limit, limit] in place."""
    for array in arrays:
        array[...] = np.clip(array, -limit, limit)


def limit_rows(arrays: list[Array], max_norm: float) -> None:
    """Scale each row whose Euclidean norm is above ``max_norm`` to it, in place (Srebro and Shraibman 2005)."""
    for array in arrays:
        for row in array:
            norm = np.linalg.norm(row)
            if norm > max_norm:
                row *= max_norm / norm


def average(averages: list[Array], arrays: list[Array], averaged: Array, weight: float | None) -> None:
    """Move averages by ``weight`` towards arrays, or by 1 / (averaged + 1), at first all the way; count it."""
    part = 1 / (averaged + 1) if weight is None or averaged == 0 else weight
    for mean, array in zip(averages, arrays, strict=True):
        mean += part * (array - mean)
    averaged += 1


def penalty(arrays: list[Array], l1: float, l2: float) -> Array:
    """Return ``l1 · Σ|w| + l2/2 · Σw²`` of all elements."""
    return np.asarray(sum(l1 * abs(a).sum() + l2 / 2 * (a**2).sum() for a in arrays), arrays[0].dtype)


def penalty_backward(dloss: Array, arrays: list[Array], l1: float, l2: float) -> list[Array]:
    """Return the gradients of `penalty`; that of ``|w|`` at 0 is 0."""
    return [dloss * (l1 * np.sign(a) + l2 * a) for a in arrays]


def add_scaled(y: Array, x: Array, alpha: float) -> None:
    """Add ``alpha · x`` to y."""
    y += alpha * x


def dot(x: Array, y: Array) -> Array:
    """Return the sum of products, as float64."""
    return np.asarray(np.sum(x.astype(np.float64) * y))


_NORMS = (2.0, 1.0, np.inf, -np.inf, 3.0, 1.5)

EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "total_norm": lambda make, n: ([make(n), make(3, 2), make(9000)], _NORMS[n % 6]),
    "clip_norm": lambda make, n: ([make(n), make(3, 2), make(9000)], float(1 + n % 200), _NORMS[n % 6]),
    "clip_values": lambda make, n: ([make(n), make(3, 2)], 0.5),
    "limit_rows": lambda make, n: ([make(3, n), make(n, 2), make(n, 2, 2)], 1.5),
    "average": lambda make, n: (
        [make(n), make(3, 2)],
        [make(n), make(3, 2)],
        np.array(n % 4, dtype=np.int64),
        None if n % 2 else 0.1,
    ),
    "penalty": lambda make, n: ([make(n), make(3, 2)], 0.1, 0.3),
    "penalty_backward": lambda make, n: (make(), [make(n), make(3, 2)], 0.1, 0.3),
    "add_scaled": lambda make, n: (make(n), make(n), -0.7),
    "dot": lambda make, n: (make(n), make(n)),
}
