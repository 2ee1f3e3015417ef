"""Stand-in until the native activation ops are merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative.autograd import Array, Function

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class _ReLU(Function):
    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        y = np.maximum(x, 0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Array) -> Any:
        (y,) = ctx.saved_tensors
        return dy * (y > 0)


def relu(x: Any) -> Tensor:
    """Return max(x, 0)."""
    return _ReLU.apply(x)


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Tensor:
    """Return x or negative_slope · x."""
    from nnative import ops

    return ops.where(x > 0, x, x * negative_slope)


def sigmoid(x: Any) -> Tensor:
    """Return 1 / (1 + exp(−x))."""
    from nnative import ops

    return ops.div(1, ops.exp(-x) + 1)


def tanh(x: Any) -> Tensor:
    """Return tanh(x)."""
    return sigmoid(x * 2) * 2 - 1


def log_softmax(x: Any, dim: int = -1) -> Tensor:
    """Return the logarithm of softmax."""
    from nnative import ops

    return ops.sub(x, ops.log(ops.exp(x).sum(dim, True)))


def softmax(x: Any, dim: int = -1) -> Tensor:
    """Return softmax."""
    from nnative import ops

    return ops.exp(log_softmax(x, dim))
