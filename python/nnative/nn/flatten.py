"""Flatten: from images to rows."""

from __future__ import annotations

from typing import Any

from nnative import ops
from nnative.nn.module import Module
from nnative.tensor import Tensor


class Flatten(Module):
    """Make the dimensions from ``start_dim`` to ``end_dim`` one; by default all but the first, the batch.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.Flatten()(nnative.zeros(32, 28, 28)).shape
    (32, 784)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Any) -> Tensor:
        """Return x with fewer dimensions."""
        return ops.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Return the dimensions."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
