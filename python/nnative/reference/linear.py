"""Matrix products. N batch, K input features, M output features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnative.autograd import Array


def linear_forward(x: Array, weight: Array, bias: Array | None) -> Array:
    """Return ``y (N,M) = x (N,K) · weightᵀ (M,K) + bias (M)``."""
    y: Array = x @ weight.T
    return y if bias is None else y + bias


def linear_backward_input(dy: Array, weight: Array) -> Array:
    """Return ``dx (N,K) = dy (N,M) · weight (M,K)``."""
    return dy @ weight


def linear_backward_weight(dy: Array, x: Array, with_bias: bool) -> tuple[Array, Array | None]:
    """Return ``dweight (M,K) = dyᵀ (N,M) · x (N,K)`` and ``dbias (M) = Σ_n dy``, or None without a bias."""
    return dy.T @ x, dy.sum(axis=0) if with_bias else None


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "linear_forward": lambda make, n: (make(n, 37), make(n % 13, 37), make(n % 13)),
    "linear_backward_input": lambda make, n: (make(5, n), make(n, 70)),
    "linear_backward_weight": lambda make, n: (make(n, 21), make(n, 33), True),
}
