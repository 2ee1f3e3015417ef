"""Margin losses of classes: one class for each row, or several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function
from nnative.ops.arithmetic import add, mul, sub
from nnative.ops.elementwise import clip
from nnative.ops.gather import index
from nnative.ops.operands import same_dtype
from nnative.ops.probability import BinaryCrossEntropyWithLogits
from nnative.ops.reduce import Max, mean, sum
from nnative.ops.reduction import (
    array_of,
    check_in_replays,
    check_reduction,
    checked_pair,
    plain,
    reduce,
    require_input,
    reshaped,
)
from nnative.ops.shape import reshape
from nnative.recording import state as recording_state

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class MultiLabelMargin(Function):
    """Σ over a row's classes t and the others i of max(0, 1 − x[t] + x[i]) / C."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, target: Array) -> Array:  # noqa: D102
        check_in_replays(target, x.shape[1], -1)
        ctx.saved_tensors = x, target
        return _native.multilabel_margin_forward(x, target)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return _native.multilabel_margin_backward(grad, *ctx.saved_tensors), None


def _as_rows(name: str, input: Any, target: Any, labels: tuple[int, ...]) -> tuple[Any, Any]:
    """Return input (N, C) and the target, also of one sample; ``labels`` is the target's expected shape."""
    require_input(name, input)
    target, x = plain(name, target), input.data
    if x.ndim not in (1, 2):
        raise ValueError(f"[{name}] expected input of shape (N, C) or (C), got {x.shape}")
    t = array_of(target)
    if t.dtype.kind not in "iu":
        raise TypeError(f"[{name}] expected target of an integer dtype (class indices), got {t.dtype}")
    if t.shape != labels:
        raise ValueError(f"[{name}] expected target with shape {labels}, got shape {t.shape}")
    if x.ndim == 1:
        shape = (1, *t.shape)
        return reshape(input, (1, -1)), reshaped(target, shape)
    return input, target


def multi_margin_loss(
    input: Tensor,
    target: Tensor | Array,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | Array | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    r"""Hinge loss of several classes, :math:`\frac{w_t}{C} \sum_{c \ne t} \max(0, \mathrm{margin} - x_t + x_c)^p`.

    Parameters
    ----------
    input
        Scores, (N, C) or (C).
    target
        The class of each row, (N) or (), any integer dtype.
    p
        1 or 2.
    margin
        By how much the right class should lead.
    weight
        The weight of each class, (C).
    reduction
        ``"mean"`` or ``"sum"`` over the rows, or ``"none"``.

    Raises
    ------
    ValueError
        For other shapes or p.
    IndexError
        For a class outside [0, C); a replay of `nnative.compile` raises a ValueError after the step.

    References
    ----------
    K. Crammer and Y. Singer, On the algorithmic implementation of multiclass kernel-based vector machines, JMLR 2001.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.multilabel import multi_margin_loss
    >>> multi_margin_loss(nnative.tensor([[0.5, 1.0]]), np.array([0]))
    tensor(0.7500)
    """
    name = "multi_margin_loss"
    check_reduction(name, reduction)
    if p not in (1, 2):
        raise ValueError(f"[{name}] expected p to be 1 or 2, got {p}")
    require_input(name, input)
    single, classes = input.ndim == 1, input.shape[-1] if input.ndim else 1
    rows, labels = _as_rows(name, input, target, input.shape[:-1])
    own = Max.apply(rows, labels, 1, True)
    check_in_replays(array_of(labels), classes, -100)
    hinge = clip(add(sub(rows, own), margin), min=0.0)
    # The class itself is in the sum, with max(0, margin)^p.
    losses = mul(sub(sum(hinge if p == 1 else mul(hinge, hinge), 1), max(margin, 0.0) ** p), 1.0 / classes)
    if weight is not None:
        weight = plain(name, weight, "weight")
        same_dtype(name, input.data, array_of(weight))
        losses = mul(losses, index(weight, labels))
    return reduce(reshape(losses, ()) if single else losses, reduction)


def multilabel_margin_loss(input: Tensor, target: Tensor | Array, *, reduction: str = "mean") -> Tensor:
    r"""Hinge loss of rows with several classes, :math:`\frac1C \sum_{t, i} \max(0, 1 - x_t + x_i)`.

    t runs over the classes of the row and i over the others.

    Parameters
    ----------
    input
        Scores, (N, C) or (C).
    target
        The input's shape, any integer dtype: each row begins with its classes, and −1 ends them.
    reduction
        ``"mean"`` or ``"sum"`` over the rows, or ``"none"``.

    Raises
    ------
    ValueError
        For other shapes, or a class outside [−1, C), which a replay of `nnative.compile` raises after the step.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.multilabel import multilabel_margin_loss
    >>> multilabel_margin_loss(nnative.tensor([[0.1, 0.2, 0.4, 0.8]]), np.array([[3, 0, -1, 1]]))
    tensor(0.8500)
    """
    name = "multilabel_margin_loss"
    check_reduction(name, reduction)
    require_input(name, input)
    rows, labels = _as_rows(name, input, target, input.shape)
    if recording_state.recording is None:
        t = array_of(labels)
        if ((t < -1) | (t >= t.shape[1])).any():
            raise ValueError(f"[{name}] expected class indices below {t.shape[1]} and not below -1, got {t.tolist()}")
        labels = np.ascontiguousarray(t, np.int64)
    losses = MultiLabelMargin.apply(rows, labels)
    return reduce(reshape(losses, ()) if input.ndim == 1 else losses, reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor | Array, weight: Tensor | Array | None = None, *, reduction: str = "mean"
) -> Tensor:
    r"""Mean over the classes of the binary cross-entropy of logits, for rows with several classes.

    Parameters
    ----------
    input
        The logits, (…, C).
    target
        1 for the classes of a row and 0 for others, the input's shape and dtype.
    weight
        The weight of each class; it broadcasts.
    reduction
        ``"mean"`` or ``"sum"`` over the rows, or ``"none"``.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.multilabel import multilabel_soft_margin_loss
    >>> multilabel_soft_margin_loss(nnative.zeros(2, 3), nnative.ones(2, 3))
    tensor(0.6931)
    """
    name = "multilabel_soft_margin_loss"
    check_reduction(name, reduction)
    target = checked_pair(name, input, target)
    losses = BinaryCrossEntropyWithLogits.apply(input, target, None)
    if weight is not None:
        losses = mul(losses, plain(name, weight, "weight"))
    return reduce(mean(losses, -1), reduction)
