"""Losses as modules."""

from __future__ import annotations

from typing import Any

from nnative.nn.module import Module
from nnative.ops import loss
from nnative.tensor import Tensor


class _Loss(Module):
    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"[{type(self).__name__}] expected reduction 'mean', 'sum' or 'none', got {reduction!r}")
        self.reduction = reduction


class CrossEntropyLoss(_Loss):
    r"""Cross-entropy of logits and class indices, :math:`-x_t + \log\sum_c \exp x_c` for each row.

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the rows, or ``"none"`` for a loss of each.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative import nn
    >>> nn.CrossEntropyLoss()(nnative.zeros(2, 4), np.array([0, 3]))
    tensor(1.3863)
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        """Return the loss of logits (N, C) and class indices (N), a Tensor or ndarray of integers."""
        return loss.cross_entropy(input, target, self.reduction)


class MSELoss(_Loss):
    r"""Squared error, :math:`(x - t)^2`; the lecture notes' :math:`\frac12\sum` is half of ``reduction="sum"``.

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over all elements, or ``"none"`` for a loss of each.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.MSELoss()(nnative.tensor([1.0, 3.0]), nnative.tensor([1.0, 1.0]))
    tensor(2.)
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        """Return the loss of two arrays of one shape and dtype."""
        return loss.mse_loss(input, target, self.reduction)
