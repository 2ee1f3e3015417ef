"""Linear: the fully connected layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import ops
from nnative.memory import aligned_zeros
from nnative.nn import init
from nnative.nn.module import Module
from nnative.nn.parameter import Parameter
from nnative.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


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
        for name, size in (("in_features", in_features), ("out_features", out_features)):
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
                raise ValueError(f"[Linear] expected {name} to be an integer of at least 0, got {size!r}")
        self.in_features = in_features
        self.out_features = out_features
        wanted = np.dtype(np.float32 if dtype is None else dtype)
        self.weight = Parameter(aligned_zeros((out_features, in_features), wanted))
        self.bias = Parameter(aligned_zeros((out_features,), wanted)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Tensor:
        """Return x · weightᵀ + bias for x of shape (…, in_features)."""
        return ops.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
