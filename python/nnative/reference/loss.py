"""The loss family in NumPy. ``target`` holds class indices (N,) for cross-entropy, numbers for squared error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array
from nnative.reference.activation import log_softmax_forward


def cross_entropy_forward(logits: Array, target: Array) -> tuple[Array, Array]:
    """Return −log softmax(logits)[target] of each row, (N,), and the softmax, (N, C)."""
    log_probability = log_softmax_forward(logits)
    return -log_probability[np.arange(len(target)), target], np.exp(log_probability)


def cross_entropy_sum(logits: Array, target: Array, scale: float) -> tuple[Array, Array]:
    """Return scale · the sum of the rows' losses, (), and the softmax, (N, C)."""
    loss, probability = cross_entropy_forward(logits, target)
    return np.asarray(logits.dtype.type(scale) * loss.sum()), probability


def cross_entropy_backward(dloss: Array, probability: Array, target: Array, scale: float) -> Array:
    """Return dloss·scale·(probability − onehot(target)); dloss is (N,) or ()."""
    difference = probability.copy()
    difference[np.arange(len(target)), target] -= 1
    return np.asarray((dloss * dloss.dtype.type(scale))[..., None] * difference)


def squared_error_forward(x: Array, target: Array) -> Array:
    """Return (x − target)²."""
    return (x - target) ** 2


def squared_error_sum(x: Array, target: Array, scale: float) -> Array:
    """Return scale · Σ (x − target)², ()."""
    return np.asarray(x.dtype.type(scale) * squared_error_forward(x, target).sum())


def squared_error_backward(dloss: Array, x: Array, target: Array, scale: float) -> Array:
    """Return 2·dloss·scale·(x − target); dloss has the shape of x or is ()."""
    return np.asarray((2 * dloss * dloss.dtype.type(scale)) * (x - target))


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "cross_entropy_forward": lambda make, n: (4 * make(n, 10), make.labels(10, n)),
    "cross_entropy_sum": lambda make, n: (4 * make(5, n + 1), make.labels(n + 1, 5), 0.2),
    "cross_entropy_backward": lambda make, n: (make(n), make.positive(n, 10) / 10, make.labels(10, n), 0.5),
    "squared_error_forward": lambda make, n: (make(n), make(n)),
    "squared_error_sum": lambda make, n: (make(n, 7), make(n, 7), 0.125),
    "squared_error_backward": lambda make, n: (make(n), make(n), make(n), 0.5),
}
