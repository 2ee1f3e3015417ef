"""Penalties on many tensors together."""

from __future__ import annotations

from typing import Any

from nnative import _native
from nnative.autograd import Array, Function


class Penalty(Function):
    """l1 · Σ|w| + l2/2 · Σw² of all elements of several tensors."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, l1: float, l2: float, *weights: Array) -> Array:  # noqa: D102
        ctx.save_for_backward(*weights)
        ctx.factors = l1, l2
        return _native.penalty(list(weights), l1, l2)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return None, None, *_native.penalty_backward(grad, list(ctx.saved_tensors), *ctx.factors)
