"""Activations as modules."""

from __future__ import annotations

from typing import Any

from nnative.nn.module import Module
from nnative.ops import activation
from nnative.tensor import Tensor


class Identity(Module):
    """Return the input; any arguments of the constructor are ignored, so that it can stand in for a layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """Return x."""
        return x


class ReLU(Module):
    """max(x, 0).

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.ReLU()(nnative.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Any) -> Tensor:
        """Return max(x, 0), elementwise."""
        return activation.relu(x)


class LeakyReLU(Module):
    """x where x is positive, ``negative_slope`` · x elsewhere; the lecture notes use a slope of 0.1."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Tensor:
        """Return x or negative_slope · x, elementwise."""
        return activation.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """Return the slope."""
        return f"negative_slope={self.negative_slope}"


class Sigmoid(Module):
    """1 / (1 + exp(−x))."""

    def forward(self, x: Any) -> Tensor:
        """Return 1 / (1 + exp(−x)), elementwise."""
        return activation.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Tensor:
        """Return tanh(x), elementwise."""
        return activation.tanh(x)


class Softmax(Module):
    """exp(x) divided by its sum along ``dim``; for training use `CrossEntropyLoss` on the logits.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.Softmax(dim=-1)(nnative.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        """Return the softmax along dim."""
        return activation.softmax(x, self.dim)

    def extra_repr(self) -> str:
        """Return the dimension."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of the softmax along ``dim``, computed without overflow."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        """Return the log-softmax along dim."""
        return activation.log_softmax(x, self.dim)

    def extra_repr(self) -> str:
        """Return the dimension."""
        return f"dim={self.dim}"
