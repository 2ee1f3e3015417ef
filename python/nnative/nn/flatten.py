"""Flatten and Unflatten: from images to rows and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnative import ops
from nnative.nn.module import Module
from nnative.ops.shape import unflatten
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

    def forward(self, input: Any) -> Tensor:
        """Return the input with fewer dimensions."""
        return ops.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Return the dimensions."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Make dimension ``dim`` several of the sizes ``unflattened_size``, of which one may be −1.

    Raises
    ------
    TypeError
        For sizes that are no integers.
    ValueError
        When called with an input whose dimension the sizes do not make up.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.Unflatten(1, (28, 28))(nnative.zeros(32, 784)).shape
    (32, 28, 28)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, tuple | list) or not all(isinstance(n, int) for n in unflattened_size):
            raise TypeError(f"[Unflatten] expected unflattened_size to be a tuple of ints, got {unflattened_size!r}")
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Any) -> Tensor:
        """Return the input with more dimensions."""
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """Return the dimension and its sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
