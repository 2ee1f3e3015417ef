"""Normalisation within a sample in NumPy: layer, RMS and group norm of arrays of N samples, G groups, D·S elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array

Sizes = tuple[int, int, int, int]  # N samples of G groups of D channels of S elements


def _channels(values: Array, sizes: Sizes) -> Array:
    """Return one value for each channel in a shape that broadcasts with (N, G, D, S)."""
    return values.reshape(1, sizes[1], sizes[2], 1)


def _mean(x: Array) -> Array:
    return np.asarray(x.sum((2, 3), keepdims=True) / (x.shape[2] * x.shape[3]))


def row_norm_forward(
    x: Array, weight: Array | None, bias: Array | None, sizes: Sizes, eps: float, centred: bool
) -> tuple[Array, Array | None, Array]:
    """Return y, the mean of each group (None unless centred) and 1/√(variance + eps), about 0 unless centred."""
    groups = x.reshape(sizes)
    mean = _mean(groups) if centred else np.zeros((1, 1, 1, 1), x.dtype)
    invstd = 1 / np.sqrt(_mean((groups - mean) ** 2) + eps)
    y = (groups - mean) * invstd
    y = y if weight is None else y * _channels(weight, sizes)
    y = y if bias is None else y + _channels(bias, sizes)
    return y.reshape(x.shape), mean.ravel() if centred else None, invstd.ravel()


def row_norm_backward(
    dy: Array,
    x: Array,
    mean: Array | None,
    invstd: Array,
    weight: Array | None,
    sizes: Sizes,
    need_dx: bool,
    need_dweight: bool,
    need_dbias: bool,
) -> tuple[Array | None, Array | None, Array | None]:
    """Return the gradients of x, weight and bias, None where one is not needed."""
    each = (sizes[0], sizes[1], 1, 1)
    middle = 0.0 if mean is None else mean.reshape(each)
    grad, unit = dy.reshape(sizes), (x.reshape(sizes) - middle) * invstd.reshape(each)
    dx = None
    if need_dx:
        g = grad if weight is None else grad * _channels(weight, sizes)
        inner = g - unit * _mean(g * unit)
        dx = (inner if mean is None else inner - _mean(g)) * invstd.reshape(each)
    return (
        None if dx is None else dx.reshape(x.shape),
        (grad * unit).sum((0, 3)).ravel() if need_dweight else None,
        grad.sum((0, 3)).ravel() if need_dbias else None,
    )


def _sizes(n: int) -> Sizes:
    """Return rows of n, few or many of them; or groups of n elements; or n groups of single or several elements."""
    return ((7, 1, n, 1), (n, 1, 37, 1), (2, 3, 4, n), (3, n, 2, 1), (3, n, 2, 5))[n % 5]


def _affine(make: Any, n: int) -> tuple[Array | None, Array | None]:
    channels = _sizes(n)[1] * _sizes(n)[2]
    return (make(channels) if n % 3 else None), (make(channels) if n % 4 else None)


def _gradient(make: Any, n: int) -> tuple[Any, ...]:
    """Return dy, x, mean and 1/√(variance + 0.1) of x, and weight."""
    sizes = _sizes(n)
    dy, x = make(*sizes), make(*sizes)
    mean: Array | None = x.mean((2, 3)).ravel() if x.size else make(sizes[0] * sizes[1])
    square = (x**2).mean((2, 3)).ravel() if x.size else make.positive(sizes[0] * sizes[1])
    var = square if n % 2 or mean is None else np.maximum(square - mean**2, 0)
    return dy, x, None if n % 2 else mean, 1 / np.sqrt(var + x.dtype.type(0.1)), _affine(make, n)[0]


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "row_norm_forward": lambda make, n: (make(*_sizes(n)), *_affine(make, n), _sizes(n), 1e-5, n % 2 == 0),
    "row_norm_backward": lambda make, n: (
        *_gradient(make, n),
        _sizes(n),
        n % 7 > 0,
        n % 6 > 0,
        n % 5 > 1,
    ),
}
