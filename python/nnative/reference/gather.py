"""Elements picked by index, and what comes back to them, in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array


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


def embedding_forward(weight: Array, index: Array) -> Array:
    """Return the rows of a weight at indices from 0 on."""
    return weight[index]


def embedding_backward(
    dy: Array, index: Array, shape: tuple[int, ...], padding_idx: int | None, scale_grad_by_freq: bool
) -> Array:
    """Return the gradient of the weight: rows taken several times add up, or are averaged; that of padding is 0."""
    dweight = np.zeros(shape, dy.dtype)
    np.add.at(dweight, index, dy)
    if scale_grad_by_freq:
        count = np.bincount(index.ravel(), minlength=shape[0])
        dweight /= np.maximum(count, 1).reshape(-1, *[1] * (len(shape) - 1)).astype(dy.dtype)
    if padding_idx is not None:
        dweight[padding_idx] = 0
    return dweight


def embedding_renorm(weight: Array, index: Array, max_norm: float, norm_type: float) -> None:
    """Scale the rows that the indices name and whose norm is larger to ``max_norm``, in place."""
    for row in np.unique(index):
        norm = np.linalg.norm(weight[row].ravel(), norm_type) if weight[row].size else 0.0
        if norm > max_norm:
            weight[row] *= max_norm / (norm + 1e-7)


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "take": lambda make, n: (make(5, 11, n), make.labels(22, 7, 2) - 11, 1),
    "take_backward": lambda make, n: (make(2, 19, n), make.labels(14, 19) - 7, (2, 7, n), 1),
    "pick": lambda make, n: (make(n, 6, 3), make.labels(12, n, 3) - 6, 1),
    "pick_backward": lambda make, n: (make(n, 3), make.labels(12, n, 3) - 6, (n, 6, 3), 1),
    "join_index": lambda make, n: (make.labels(10, n) - 5, make.labels(6, n) - 3, 5, 3),
    "embedding_forward": lambda make, n: (make(n + 1, 7), make.labels(n + 1, 5, n)),
    "embedding_backward": lambda make, n: (
        make(19, n),
        make.labels(7, 19),
        (7, n),
        2 if n % 2 else None,
        n % 3 == 0,
    ),
    "embedding_renorm": lambda make, n: (
        make(9, n),
        make.labels(9, 6),
        0.5 + 0.01 * n,
        (2.0, 1.0, float("inf"), 3.0)[n % 4],
    ),
}
