"""The activation family in NumPy: elementwise functions, and softmax along the last axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array


def relu_forward(x: Array) -> Array:
    """Return max(x, 0)."""
    return np.asarray(np.maximum(x, x.dtype.type(0)))


def relu_backward(dy: Array, y: Array) -> Array:
    """Return dy where y > 0 (or y is NaN), else 0."""
    return np.where(y <= 0, dy.dtype.type(0), dy)


def leaky_relu_forward(x: Array, slope: float) -> Array:
    """Return x where x > 0, else slope·x."""
    return np.where(x > 0, x, x * x.dtype.type(slope))


def leaky_relu_backward(dy: Array, x: Array, slope: float) -> Array:
    """Return dy where x > 0, else slope·dy."""
    return np.where(x > 0, dy, dy * dy.dtype.type(slope))


def sigmoid_forward(x: Array) -> Array:
    """Return 1 / (1 + e^−x)."""
    return 1 / (1 + np.exp(-x))


def sigmoid_backward(dy: Array, y: Array) -> Array:
    """Return dy·y·(1 − y)."""
    return np.asarray(dy * (y * (1 - y)))


def tanh_forward(x: Array) -> Array:
    """Return tanh x."""
    return np.tanh(x)


def tanh_backward(dy: Array, y: Array) -> Array:
    """Return dy·(1 − y²)."""
    return np.asarray(dy * (1 - y * y))


def exp_forward(x: Array) -> Array:
    """Return e^x."""
    return np.exp(x)


def exp_backward(dy: Array, y: Array) -> Array:
    """Return dy·y."""
    return dy * y


def log_forward(x: Array) -> Array:
    """Return the natural logarithm of x."""
    return np.log(x)


def log_backward(dy: Array, x: Array) -> Array:
    """Return dy / x."""
    return dy / x


def softmax_forward(x: Array) -> Array:
    """Return e^(x − max) / Σ e^(x − max) of each row."""
    e = np.exp(x - x.max(axis=-1, keepdims=True, initial=-np.inf))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def softmax_backward(dy: Array, y: Array) -> Array:
    """Return y·(dy − Σ dy·y), the sum over each row."""
    return np.asarray(y * (dy - (dy * y).sum(axis=-1, keepdims=True)))


def log_softmax_forward(x: Array) -> Array:
    """Return x − max − log Σ e^(x − max) of each row."""
    shifted = x - x.max(axis=-1, keepdims=True, initial=-np.inf)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def log_softmax_backward(dy: Array, y: Array) -> Array:
    """Return dy − e^y·Σ dy, the sum over each row."""
    return np.asarray(dy - np.exp(y) * dy.sum(axis=-1, keepdims=True))


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "relu_forward": lambda make, n: (make(n),),
    "relu_backward": lambda make, n: (make(n), relu_forward(make(n))),
    "leaky_relu_forward": lambda make, n: (make(n), 0.01),
    "leaky_relu_backward": lambda make, n: (make(n), make(n), 0.01),
    "sigmoid_forward": lambda make, n: (4 * make(n),),
    "sigmoid_backward": lambda make, n: (make(n), sigmoid_forward(make(n))),
    "tanh_forward": lambda make, n: (2 * make(n),),
    "tanh_backward": lambda make, n: (make(n), tanh_forward(make(n))),
    "exp_forward": lambda make, n: (4 * make(n),),
    "exp_backward": lambda make, n: (make(n), exp_forward(make(n))),
    "log_forward": lambda make, n: (make.positive(n),),
    "log_backward": lambda make, n: (make(n), make.positive(n)),
    "softmax_forward": lambda make, n: (4 * make(5, n),),
    "softmax_backward": lambda make, n: (make(5, n), make.positive(5, n) / 4),
    "log_softmax_forward": lambda make, n: (4 * make(5, n),),
    "log_softmax_backward": lambda make, n: (make(5, n), -make.positive(5, n)),
}
