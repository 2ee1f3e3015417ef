"""The norm family in NumPy: batch normalisation over all dimensions but the second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array


def _others(x: Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _along(x: Array, values: Array) -> Array:
    """Return one value for each channel in a shape that broadcasts with x."""
    return np.asarray(values).reshape(-1, *[1] * (x.ndim - 2))


def _apply(x: Array, mean: Array, invstd: Array, weight: Array | None, bias: Array | None) -> Array:
    y = (x - _along(x, mean)) * _along(x, invstd)
    y = y if weight is None else y * _along(x, weight)
    return y if bias is None else y + _along(x, bias)


def batch_norm_forward(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    num_batches_tracked: Array | None,
    weight: Array | None,
    bias: Array | None,
    momentum: float | None,
    eps: float,
) -> tuple[Array, Array, Array]:
    """Return y, mean and 1/√(biased variance + eps) of the batch; move the running statistics, in place.

    They move by ``momentum``, or to the plain average of all batches without one; the variance is the unbiased one.
    """
    mean, var, count = x.mean(_others(x)), x.var(_others(x)), x.size // x.shape[1] if x.size else 0
    if num_batches_tracked is not None:
        num_batches_tracked += 1
    if running_mean is not None and running_var is not None:
        factor = momentum if momentum is not None else 1 / float(np.asarray(num_batches_tracked))
        running_mean += factor * (mean - running_mean)
        running_var += factor * (var * count / (count - 1) - running_var)
    invstd = 1 / np.sqrt(var + eps)
    return _apply(x, mean, invstd, weight, bias), mean, invstd


def batch_norm_infer(
    x: Array, running_mean: Array, running_var: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Return y by the running statistics, their mean and 1/√(variance + eps)."""
    invstd = 1 / np.sqrt(running_var + eps)
    return _apply(x, running_mean, invstd, weight, bias), running_mean.copy(), invstd


def batch_norm_backward(
    dy: Array, x: Array, mean: Array, invstd: Array, weight: Array | None, training: bool, need_dx: bool
) -> tuple[Array | None, Array, Array]:
    """Return the gradients of x (None unless wanted), weight and bias."""
    unit = _apply(x, mean, invstd, None, None)
    dweight, dbias = (dy * unit).sum(_others(x)), dy.sum(_others(x))
    if not need_dx:
        return None, dweight, dbias
    inner = dy
    if training:
        count = x.size / max(x.shape[1], 1)
        inner = dy - _along(x, dbias) / count - unit * _along(x, dweight) / count
    return inner * _along(x, invstd if weight is None else weight * invstd), dweight, dbias


def _statistics(make: Any, n: int) -> tuple[Array, Array]:
    return make(n), make.positive(n)


def _gradient(make: Any, *shape: int) -> tuple[Array, ...]:
    """Return dy, x, and the mean and 1/√(variance + 0.1) of x."""
    x = make(*shape)
    if not x.size:
        return make(*shape), x, make(shape[1]), make.positive(shape[1])
    return make(*shape), x, x.mean(_others(x)), 1 / np.sqrt(x.var(_others(x)) + x.dtype.type(0.1))


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "batch_norm_forward": lambda make, n: (
        *((make(n + 2, 37),) if n % 2 else (make(3, n, 5),)),
        *_statistics(make, 37 if n % 2 else n),
        np.array(n),
        *(_statistics(make, 37 if n % 2 else n) if n % 3 else (None, None)),
        None if n % 4 == 1 else 0.1,
        1e-5,
    ),
    "batch_norm_infer": lambda make, n: (make(7, n), *_statistics(make, n), *_statistics(make, n), 1e-5),
    "batch_norm_backward": lambda make, n: (
        *_gradient(make, *((n + 2, 21) if n % 2 else (3, 21, n))),
        make(21) if n % 3 else None,
        n % 4 > 0,
        n % 5 > 0,
    ),
}
