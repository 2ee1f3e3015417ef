"""Initialisers whose scale follows from the layer's sizes: Xavier, Kaiming, LeCun."""

from __future__ import annotations

import math
from typing import Literal

from nnative import random
from nnative.autograd import TensorBase
from nnative.nn.init.fill import normal_, uniform_
from nnative.nn.init.target import T, data_of

Generator = random.Generator

_GAINS = dict.fromkeys(("linear", "identity", "conv1d", "conv2d", "conv3d", "sigmoid"), 1.0)
_GAINS |= {f"conv_transpose{d}d": 1.0 for d in (1, 2, 3)}
_GAINS |= {"tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "selu": 3.0 / 4.0}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor by which a layer's standard deviation grows to make up for its nonlinearity.

    1 for linear, convolutions and sigmoid, 5/3 for tanh, √2 for relu, √(2 / (1 + slope²)) for leaky_relu with ``param``
    as slope (0.01 by default), 3/4 for selu.

    Raises
    ------
    ValueError
        For another name, or a ``param`` that is not a number.

    Examples
    --------
    >>> from nnative.nn import init
    >>> round(init.calculate_gain("leaky_relu", 0.2), 4)
    1.3868
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"[calculate_gain] negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"[calculate_gain] Unsupported nonlinearity {nonlinearity}")
    return _GAINS[nonlinearity]


def xavier_uniform_(
    tensor: T,
    gain: float = 1.0,
    generator: Generator | None = None,
    mode: Literal["average", "fan_in"] = "average",
) -> T:
    """Fill uniformly within ±√3 · std, ``std = gain · √(2 / (fan_in + fan_out))``: ±gain · √(6 / (fan_in + fan_out)).

    ``mode="fan_in"`` has ``std = gain · √(1 / fan_in)``. Glorot and Bengio, "Understanding the difficulty of training
    deep feedforward neural networks", 2010.
    """
    bound = math.sqrt(3.0) * _xavier_std("xavier_uniform_", tensor, gain, mode)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(
    tensor: T,
    gain: float = 1.0,
    generator: Generator | None = None,
    mode: Literal["average", "fan_in"] = "average",
) -> T:
    """Fill with normal numbers of ``std = gain · √(2 / (fan_in + fan_out))``; see `xavier_uniform_`."""
    return normal_(tensor, 0.0, _xavier_std("xavier_normal_", tensor, gain, mode), generator)


def kaiming_uniform_(
    tensor: T,
    a: float = 0,
    mode: Literal["fan_in", "fan_out"] = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """Fill uniformly within ±√3 · std, ``std = gain / √fan``, ``gain = calculate_gain(nonlinearity, a)``.

    He et al., "Delving deep into rectifiers", 2015. ``a`` is the negative slope of a leaky ReLU; ``mode`` says whose
    variance is kept, the activations' (fan_in) or the gradients' (fan_out).
    """
    bound = math.sqrt(3.0) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: T,
    a: float = 0,
    mode: Literal["fan_in", "fan_out"] = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """Fill with normal numbers of ``std = gain / √fan``; see `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def lecun_uniform_(tensor: T, generator: Generator | None = None, *, bound: float | None = None) -> T:
    """Fill uniformly within ±√(3 / fan_in), of variance 1 / fan_in, or within ±bound / fan_in.

    ``bound=2.4`` is the rule of LeCun's "Generalization and network design strategies", 1989; the variance is that of
    LeCun et al., "Efficient BackProp", 1998.
    """
    fan_in = max(_fans("lecun_uniform_", tensor)[0], 1)
    width = math.sqrt(3.0 / fan_in) if bound is None else bound / fan_in
    return uniform_(tensor, -width, width, generator)


def lecun_normal_(tensor: T, generator: Generator | None = None) -> T:
    """Fill with normal numbers of ``std = √(1 / fan_in)``; see `lecun_uniform_`. What SELU networks start from."""
    fan_in = max(_fans("lecun_normal_", tensor)[0], 1)
    return normal_(tensor, 0.0, math.sqrt(1.0 / fan_in), generator)


def _fans(operation: str, tensor: TensorBase) -> tuple[int, int]:
    shape = data_of(operation, tensor).shape
    if len(shape) < 2:
        raise ValueError(
            f"[{operation}] Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got {shape}"
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _xavier_std(operation: str, tensor: TensorBase, gain: float, mode: str) -> float:
    fan_in, fan_out = _fans(operation, tensor)
    modes = {"average": (fan_in + fan_out) / 2, "fan_in": fan_in}
    if mode not in modes:
        raise ValueError(f"[{operation}] Mode {mode} not supported, please use one of {list(modes)}")
    return gain / math.sqrt(max(modes[mode], 1))  # an empty tensor has nothing to fill


def _kaiming_std(operation: str, tensor: TensorBase, a: float, mode: str, nonlinearity: str) -> float:
    fan_in, fan_out = _fans(operation, tensor)
    modes = {"fan_in": fan_in, "fan_out": fan_out}
    if mode.lower() not in modes:
        raise ValueError(f"[{operation}] Mode {mode} not supported, please use one of {list(modes)}")
    return calculate_gain(nonlinearity, a) / math.sqrt(max(modes[mode.lower()], 1))
