"""Linear, Bilinear and Maxout: fully connected layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import ops
from nnative.memory import aligned_zeros
from nnative.nn import init
from nnative.nn.module import Module
from nnative.nn.parameter import Parameter
from nnative.ops.bilinear import bilinear, maxout
from nnative.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def _check_sizes(layer: str, least: int, **sizes: int) -> None:
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < least:
            raise ValueError(f"[{layer}] expected {name} to be an integer of at least {least}, got {size!r}")


def _draw(fan_in: int, *parameters: Parameter | None) -> None:
    """Draw parameters from U(−1/√fan_in, 1/√fan_in)."""
    bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
    for parameter in parameters:
        if parameter is not None:
            init.uniform_(parameter, -bound, bound)


class Linear(Module):
    r"""A fully connected layer, :math:`y = x W^T + b`.

    Parameters
    ----------
    in_features, out_features
        Sizes of the last dimension of input and output.
    bias
        Whether to add b.
    dtype
        float32, the default, or float64.

    Attributes
    ----------
    weight
        W, of shape (out_features, in_features), from U(−1/√in_features, 1/√in_features): He et al. (2015) with a = √5.
    bias
        b, of shape (out_features), from the same distribution, or None.

    Raises
    ------
    ValueError
        When called with another number of features.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.Linear(784, 10)(nnative.zeros(32, 784)).shape
    (32, 10)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        _check_sizes("Linear", 0, in_features=in_features, out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        wanted = np.dtype(np.float32 if dtype is None else dtype)
        self.weight = Parameter(aligned_zeros((out_features, in_features), wanted))
        self.bias = Parameter(aligned_zeros((out_features,), wanted)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        _draw(self.in_features, self.weight, self.bias)

    def forward(self, input: Any) -> Tensor:
        """Return input · weightᵀ + bias for input of shape (…, in_features)."""
        return ops.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    r"""A layer of products of two inputs, :math:`y_o = x_1^T W_o\, x_2 + b_o`.

    Parameters
    ----------
    in1_features, in2_features, out_features
        Sizes of the last dimension of both inputs and of the output.
    bias
        Whether to add b.
    dtype
        float32, the default, or float64.

    Attributes
    ----------
    weight
        W, of shape (out_features, in1_features, in2_features), from U(−1/√in1_features, 1/√in1_features).
    bias
        b, of shape (out_features), from the same distribution, or None.

    Raises
    ------
    ValueError
        For no features in the first input, and when called with other shapes.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.Bilinear(4, 5, 3)(nnative.zeros(7, 4), nnative.zeros(7, 5)).shape
    (7, 3)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        _check_sizes("Bilinear", 1, in1_features=in1_features)
        _check_sizes("Bilinear", 0, in2_features=in2_features, out_features=out_features)
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        wanted = np.dtype(np.float32 if dtype is None else dtype)
        self.weight = Parameter(aligned_zeros((out_features, in1_features, in2_features), wanted))
        self.bias = Parameter(aligned_zeros((out_features,), wanted)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        _draw(self.in1_features, self.weight, self.bias)

    def forward(self, input1: Any, input2: Any) -> Tensor:
        """Return the products for input1 of shape (…, in1_features) and input2 of shape (…, in2_features)."""
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Maxout(Module):
    r"""A fully connected layer of units that learn their nonlinearity, :math:`y_o = \max_k (w_{ok}^T x + b_{ok})`.

    Parameters
    ----------
    in_features, out_features
        Sizes of the last dimension of input and output.
    num_pieces
        How many linear functions a unit is the largest of.
    bias
        Whether to add b.
    dtype
        float32, the default, or float64.

    Attributes
    ----------
    weight
        w, of shape (out_features · num_pieces, in_features), the pieces of a unit together, drawn as `Linear`'s.
    bias
        b, of shape (out_features · num_pieces), or None.

    Raises
    ------
    ValueError
        When called with another number of features.

    References
    ----------
    I. J. Goodfellow et al., Maxout networks, ICML 2013.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.Maxout(4, 8, 3)(nnative.zeros(2, 4)).shape
    (2, 8)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        num_pieces: int = 2,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        _check_sizes("Maxout", 0, in_features=in_features, out_features=out_features)
        _check_sizes("Maxout", 1, num_pieces=num_pieces)
        self.in_features = in_features
        self.out_features = out_features
        self.num_pieces = num_pieces
        wanted = np.dtype(np.float32 if dtype is None else dtype)
        self.weight = Parameter(aligned_zeros((out_features * num_pieces, in_features), wanted))
        self.bias = Parameter(aligned_zeros((out_features * num_pieces,), wanted)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        _draw(self.in_features, self.weight, self.bias)

    def forward(self, input: Any) -> Tensor:
        """Return the largest pieces for input of shape (…, in_features)."""
        return maxout(ops.linear(input, self.weight, self.bias), self.num_pieces)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, num_pieces={self.num_pieces}, "
            f"bias={self.bias is not None}"
        )
