"""The activation family in NumPy: elementwise functions, and softmax along the last axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nnative.autograd import Array


def _erf(x: Array) -> Array:
    return np.asarray(np.vectorize(math.erf, otypes=[np.float64])(x))


def _cdf(x: Array) -> Array:
    return (1 + _erf(x / math.sqrt(2))) / 2


def _density(x: Array) -> Array:
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _tanh_gelu_argument(x: Array) -> Array:
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)


def _tanh_gelu_slope(x: Array) -> Array:
    u = _tanh_gelu_argument(x)
    return np.asarray(
        (1 + np.tanh(u)) / 2 + x / np.cosh(u) ** 2 / 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    )


def _mish_slope(x: Array) -> Array:
    t = np.tanh(_softplus(x))
    return np.asarray(t + x * (1 - t * t) * _sigmoid(x))


class Elementwise(NamedTuple):
    """An elementwise activation: its value at x, and its derivative at what the backward pass has (x or y)."""

    value: Callable[..., Any]
    slope: Callable[..., Any]
    scalars: tuple[float, ...] = ()  # of the example
    saves_output: bool = False


# The derivative at a kink is that of the side named by the comparison.
ELEMENTWISE = {
    "relu": Elementwise(lambda x: np.maximum(x, 0), lambda y: ~(y <= 0), saves_output=True),
    "leaky_relu": Elementwise(
        lambda x, slope: np.where(x > 0, x, slope * x), lambda x, slope: np.where(x > 0, 1, slope), (0.01,)
    ),
    "sigmoid": Elementwise(_sigmoid, lambda y: y * (1 - y), saves_output=True),
    "tanh": Elementwise(np.tanh, lambda y: 1 - y * y, saves_output=True),
    "exp": Elementwise(np.exp, lambda y: y, saves_output=True),
    "log": Elementwise(np.log, lambda x: 1 / x),
    "elu": Elementwise(
        lambda x, alpha, scale, input_scale: scale * np.where(x > 0, x, alpha * np.expm1(input_scale * x)),
        lambda x, alpha, scale, input_scale: (
            scale * np.where(x > 0, 1, alpha * input_scale * np.exp(np.minimum(input_scale * x, 0)))
        ),
        (1.5, 0.75, 0.5),
    ),
    "gelu": Elementwise(lambda x: x * _cdf(x), lambda x: _cdf(x) + x * _density(x)),
    "gelu_tanh": Elementwise(lambda x: x * (1 + np.tanh(_tanh_gelu_argument(x))) / 2, _tanh_gelu_slope),
    "silu": Elementwise(lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) + x * _sigmoid(x) * (1 - _sigmoid(x))),
    "mish": Elementwise(lambda x: x * np.tanh(_softplus(x)), _mish_slope),
    "log_sigmoid": Elementwise(lambda x: -_softplus(-x), lambda x: _sigmoid(-x)),
    "softplus": Elementwise(
        lambda x, beta, threshold: np.where(beta * x > threshold, x, _softplus(beta * x) / beta),
        lambda x, beta, threshold: np.where(beta * x > threshold, 1, _sigmoid(beta * x)),
        (2.0, 3.0),
    ),
    "softsign": Elementwise(lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2),
    "tanhshrink": Elementwise(lambda x: x - np.tanh(x), lambda x: np.tanh(x) ** 2),
    "softshrink": Elementwise(
        lambda x, bound: np.where(np.abs(x) <= bound, 0, x - bound * np.sign(x)),
        lambda x, bound: ~(np.abs(x) <= bound),
        (0.5,),
    ),
    "hardshrink": Elementwise(
        lambda x, bound: np.where(np.abs(x) <= bound, 0, x), lambda x, bound: ~(np.abs(x) <= bound), (0.5,)
    ),
    "hardtanh": Elementwise(
        lambda x, low, high: np.clip(x, low, high), lambda x, low, high: ~((x <= low) | (x >= high)), (-0.75, 0.5)
    ),
    "hardsigmoid": Elementwise(lambda x: np.clip(x + 3, 0, 6) / 6, lambda x: (np.abs(x) < 3) / 6),
    "hardswish": Elementwise(
        lambda x: x * np.clip(x + 3, 0, 6) / 6, lambda x: np.where(x >= 3, 1, np.where(x <= -3, 0, x / 3 + 0.5))
    ),
    "threshold": Elementwise(
        lambda x, bound, value: np.where(x <= bound, value, x), lambda x, bound, value: ~(x <= bound), (0.25, -2.0)
    ),
    "step": Elementwise(lambda x: np.where(x > 0, 1, 0), lambda x: 0 * x),
    "sign": Elementwise(lambda x: np.where(x > 0, 1, -1), lambda x: 0 * x),
}


def _functions(activation: Elementwise) -> tuple[Callable[..., Array], Callable[..., Array]]:
    """Return the reference of an activation's two kernels."""

    def forward(x: Array, *scalars: float) -> Array:
        return np.asarray(activation.value(x, *scalars), x.dtype)

    def backward(dy: Array, saved: Array, *scalars: float) -> Array:
        slope = activation.slope(saved, *scalars)
        return np.asarray(np.where(slope == 0, 0, dy * slope), dy.dtype)

    return forward, backward


def _arguments(name: str, make: Any, n: int) -> tuple[Array, Array]:
    """Return example arguments: dy, and x or y."""
    x = make.positive(n) if name == "log" else (2 if name == "tanh" else 4) * make(n)
    return make(n), _FORWARD[name](x) if ELEMENTWISE[name].saves_output else x


_FORWARD = {name: _functions(activation)[0] for name, activation in ELEMENTWISE.items()}
for _name, _activation in ELEMENTWISE.items():
    globals()[f"{_name}_forward"], globals()[f"{_name}_backward"] = _functions(_activation)


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
    "softmax_forward": lambda make, n: (4 * make(5, n),),
    "softmax_backward": lambda make, n: (make(5, n), make.positive(5, n) / 4),
    "log_softmax_forward": lambda make, n: (4 * make(5, n),),
    "log_softmax_backward": lambda make, n: (make(5, n), -make.positive(5, n)),
}
for _name, _activation in ELEMENTWISE.items():
    EXAMPLES[f"{_name}_forward"] = lambda make, n, name=_name: (
        make.positive(n) if name == "log" else 4 * make(n),
        *ELEMENTWISE[name].scalars,
    )
    EXAMPLES[f"{_name}_backward"] = lambda make, n, name=_name: (
        *_arguments(name, make, n),
        *ELEMENTWISE[name].scalars,
    )
