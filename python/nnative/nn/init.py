"""Initialisers: fill a tensor in place and return it. Names, argument orders and defaults are PyTorch's."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeVar

import numpy as np

from nnative import random
from nnative.autograd import Array, TensorBase

__all__ = [
    "calculate_gain",
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

T = TypeVar("T", bound=TensorBase)
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


def zeros_(tensor: T) -> T:
    """Fill with 0. As weights of a hidden layer it leaves all units the same: use it for biases."""
    return constant_(tensor, 0.0)


def ones_(tensor: T) -> T:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def constant_(tensor: T, val: float) -> T:
    """Fill with ``val``."""
    _data("constant_", tensor)[...] = val
    return tensor


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> T:
    """Fill with numbers uniform in [a, b).

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.nn import init
    >>> t = init.uniform_(nnative.Tensor(np.empty((3, 5), dtype=np.float32)), -1, 1)
    >>> bool((abs(t.data) <= 1).all())
    True
    """
    data = _data("uniform_", tensor)
    data[...] = (generator or random.default_generator).uniform(data.shape, a, b, data.dtype)
    return tensor


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> T:
    """Fill with normal numbers."""
    data = _data("normal_", tensor)
    data[...] = (generator or random.default_generator).normal(data.shape, mean, std, data.dtype)
    return tensor


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


def _data(operation: str, tensor: Any) -> Array:
    if not isinstance(tensor, TensorBase):
        raise TypeError(f"[{operation}] expected a Tensor, got {type(tensor).__name__}")
    if tensor.data.dtype not in (np.float32, np.float64) and operation != "constant_":
        raise TypeError(f"[{operation}] expected a float32 or float64 tensor, got {tensor.data.dtype}")
    data: Array = tensor.data
    if not data.flags.writeable:
        raise ValueError(f"[{operation}] expected a tensor that can be written, got a read-only array of {data.shape}")
    return data


def _fans(operation: str, tensor: TensorBase) -> tuple[int, int]:
    shape = _data(operation, tensor).shape
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
