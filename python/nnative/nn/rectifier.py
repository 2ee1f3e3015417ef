"""Rectifiers, exponential units, and activations with bounds, as modules."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnative import _native
from nnative.nn.activation import Activation, InPlace
from nnative.nn.parameter import Parameter
from nnative.ops import rectifier
from nnative.recording import state as recording_state
from nnative.tensor import Tensor


class ReLU6(InPlace):
    """min(max(x, 0), 6); see `functional.relu6`."""

    function = staticmethod(rectifier.relu6)


class PReLU(Activation):
    """x where x is positive, weight · x elsewhere, the weight being learnt; see `functional.prelu`.

    Parameters
    ----------
    num_parameters
        1, or the number of channels (dimension 1 of the input) for a weight each.
    init
        The weights before training.
    dtype
        float32, the default, or float64.

    Attributes
    ----------
    weight
        The slopes, of shape (num_parameters); He et al. train them without weight decay, which
        would pull them to 0.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.PReLU()(nnative.tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(np.empty(num_parameters, np.dtype(np.float32 if dtype is None else dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to ``init``."""
        _native.fill(self.weight.data, self.init)

    def forward(self, input: Any) -> Tensor:
        """Return x or weight · x, elementwise."""
        return rectifier.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Return the number of weights."""
        return f"num_parameters={self.num_parameters}"


class RReLU(InPlace):
    """x where x is positive, a random slope · x elsewhere; see `functional.rrelu`.

    Slopes are random in training and their mean in evaluation.
    """

    function = staticmethod(rectifier.rrelu)
    options = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, input: Any) -> Tensor:
        """Return x or a slope · x, elementwise."""
        recording = recording_state.recording
        if recording is not None:
            for name in self.options:
                recording.watch(self, name)
        return rectifier.rrelu(input, self.lower, self.upper, self.training)


class ELU(InPlace):
    """x where x is positive, ``alpha`` · (exp(x) − 1) elsewhere; see `functional.elu`."""

    function = staticmethod(rectifier.elu)
    options = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha


class SELU(InPlace):
    """1.0507… · ELU(x, 1.6733…), which keeps mean 0 and variance 1 through the layers; see `functional.selu`."""

    function = staticmethod(rectifier.selu)


class CELU(InPlace):
    """max(x, 0) + min(alpha · (exp(x / alpha) − 1), 0); see `functional.celu`."""

    function = staticmethod(rectifier.celu)
    options = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha


class Softshrink(Activation):
    """x moved towards 0 by ``lambd``, 0 where |x| is at most that; see `functional.softshrink`."""

    function = staticmethod(rectifier.softshrink)
    options = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        """Return λ."""
        return str(self.lambd)


class Hardshrink(Activation):
    """x where |x| is above ``lambd``, else 0; see `functional.hardshrink`."""

    function = staticmethod(rectifier.hardshrink)
    options = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        """Return λ."""
        return str(self.lambd)


class Hardtanh(InPlace):
    """x, at least ``min_val`` and at most ``max_val``; see `functional.hardtanh`.

    Raises ValueError unless ``min_val`` is the smaller one.
    """

    function = staticmethod(rectifier.hardtanh)
    options = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not min_val < max_val:
            raise ValueError(f"[Hardtanh] expected min_val < max_val, got {min_val} and {max_val}")
        self.min_val = min_val
        self.max_val = max_val


class Hardsigmoid(InPlace):
    """min(max(x + 3, 0), 6) / 6; see `functional.hardsigmoid`."""

    function = staticmethod(rectifier.hardsigmoid)


class Hardswish(InPlace):
    """x · min(max(x + 3, 0), 6) / 6; see `functional.hardswish`."""

    function = staticmethod(rectifier.hardswish)


class Threshold(InPlace):
    """x where x is above ``threshold``, else ``value``; see `functional.threshold`."""

    function = staticmethod(rectifier.threshold)
    options = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value
