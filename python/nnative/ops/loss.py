"""Losses of classes: cross-entropy of logits, and negative log-likelihood of log-probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, TensorBase
from nnative.ops.activation import log_softmax
from nnative.ops.arithmetic import add, mul
from nnative.ops.elementwise import neg
from nnative.ops.operands import same_dtype
from nnative.ops.reduce import sum
from nnative.ops.reduction import (
    REDUCTIONS,
    array_of,
    check_in_replays,
    check_reduction,
    plain,
    require_input,
    reshaped,
)
from nnative.ops.shape import permute, reshape
from nnative.recording import state as recording_state

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class CrossEntropy(Function):
    """−log softmax(logits)[target] of each row, their sum, or their mean."""

    returns_fresh = True

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any, logits: Array, target: Array, weight: Array | None, reduction: str, ignore: int, smoothing: float
    ) -> Array:
        mean = reduction == "mean"
        if reduction == "none":
            loss = _native.cross_entropy_forward(logits, target, weight, ignore, smoothing)
        else:
            loss = _native.cross_entropy_sum(logits, target, mean, weight, ignore, smoothing)
        if recording_state.recording is not None:
            check_in_replays(target, logits.shape[1], ignore)
        ctx.saved_tensors = logits, target, mean, weight, ignore, smoothing
        return loss

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return _native.cross_entropy_backward(grad, *ctx.saved_tensors), None, None, None, None, None


class NLL(Function):
    """−x[target] of each row, their sum, or their mean."""

    returns_fresh = True

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any, x: Array, target: Array, weight: Array | None, reduction: str, ignore: int
    ) -> Array:
        mean = reduction == "mean"
        if reduction == "none":
            loss = _native.nll_forward(x, target, weight, ignore)
        else:
            loss = _native.nll_sum(x, target, mean, weight, ignore)
        if recording_state.recording is not None:
            check_in_replays(target, x.shape[1], ignore)
        ctx.saved_tensors = target, x.shape[1], mean, weight, ignore
        return loss

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return _native.nll_backward(grad, *ctx.saved_tensors), None, None, None, None


def _class_weight(name: str, input: Any, weight: Any, classes: int) -> Any:
    """Return the weights of the classes, checked, or None."""
    if weight is None:
        return None
    weight = plain(name, weight, "weight")
    same_dtype(name, input._data, array_of(weight))
    if array_of(weight).shape != (classes,):
        raise ValueError(
            f"[{name}] expected weight with shape ({classes},), one for each class, got shape {array_of(weight).shape}"
        )
    return weight


def _rows(name: str, input: Any, target: Any) -> tuple[Any, Any, tuple[int, ...]]:
    """Return input (N, C) and target (N) of any number of dimensions, and the shape of the losses."""
    x, t = input._data, array_of(target)
    if x.ndim == 2:
        return input, target, (x.shape[0],)
    if x.ndim == 0:
        raise ValueError(f"[{name}] expected input of shape (C), (N, C) or (N, C, …), got a number")
    expected = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
    if t.shape != expected:
        raise ValueError(
            f"[{name}] expected target with shape {expected}, a class for each place of the input, "
            f"got shape {t.shape} for input of shape {x.shape}"
        )
    if x.ndim > 2:
        input = permute(input, (0, *range(2, x.ndim), 1))
    classes = x.shape[1] if x.ndim > 1 else x.shape[0]
    count = int(np.prod(expected, dtype=np.int64))
    return reshape(input, (count, classes)), reshaped(target, (count,)), expected


def cross_entropy(
    input: Tensor,
    target: Tensor | Array,
    weight: Tensor | Array | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    r"""Cross-entropy of logits and classes, :math:`-\sum_c w_c\, t_{nc} \log\mathrm{softmax}(x_n)_c`.

    Softmax is part of it: pass logits, not probabilities. Stable for logits of any size. The target is a class for each
    row (t is 1 there and 0 elsewhere) or the probabilities t; label smoothing makes it :math:`(1-\epsilon)t +
    \epsilon/C`.

    Parameters
    ----------
    input
        The logits, (C), (N, C) or (N, C, d₁, …), float32 or float64.
    target
        Classes, any integer dtype, of shape (), (N) or (N, d₁, …); or probabilities, of the input's shape and dtype.
    weight
        The weight of each class, (C).
    ignore_index
        The class of rows that count for nothing.
    reduction
        ``"mean"`` over the rows, each counting as much as its class weighs (with probabilities: each as one),
        ``"sum"``, or ``"none"`` for the losses, which weights of samples then multiply. The mean of no rows is NaN.
    label_smoothing
        ε, from 0 to 1 (Szegedy et al. 2016).

    Raises
    ------
    ValueError
        For other shapes, or for a class outside [0, C), which is named; a replay of `nnative.compile` raises it after
        the step, in which such a row had no gradient.
    TypeError
        For targets of another dtype, or logits that are not float32 or float64.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.loss import cross_entropy
    >>> logits = nnative.Tensor(np.array([[0.0, 0.0], [1e4, 0.0]]))
    >>> cross_entropy(logits, np.array([0, 0]), reduction="none").numpy().round(4)
    array([0.6931, 0.    ])
    """
    if not isinstance(input, TensorBase):
        require_input("cross_entropy", input)
    if reduction not in REDUCTIONS:
        check_reduction("cross_entropy", reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"[cross_entropy] expected label_smoothing from 0 to 1, got {label_smoothing}")
    target = plain("cross_entropy", target)
    x, t = input._data, array_of(target)
    if weight is None and x.ndim == 2 and t.dtype.kind != "f":  # by far the most frequent
        return CrossEntropy.apply(input, target, None, reduction, ignore_index, label_smoothing)
    if x.ndim:
        weight = _class_weight("cross_entropy", input, weight, x.shape[min(1, x.ndim - 1)])
    if t.dtype.kind == "f" and t.shape == x.shape and x.ndim:
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    rows, labels, shape = _rows("cross_entropy", input, target)
    loss = CrossEntropy.apply(rows, labels, weight, reduction, ignore_index, label_smoothing)
    return reshape(loss, shape) if reduction == "none" and x.ndim != 2 else loss


def _soft_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Tensor:
    x = input._data
    same_dtype("cross_entropy", x, array_of(target))
    dim = min(1, x.ndim - 1)
    classes = x.shape[dim]
    if smoothing:
        target = add(mul(target, 1.0 - smoothing), smoothing / classes)
    if weight is not None:
        target = mul(target, reshaped(weight, (classes,) + (1,) * (x.ndim - dim - 1)))
    losses = mul(log_softmax(input, dim), target)
    if reduction == "none":
        return neg(sum(losses, dim))
    rows = x.size // classes if classes else 0
    return mul(sum(losses), -1.0 if reduction == "sum" else -1.0 / rows if rows else float("nan"))


def nll_loss(
    input: Tensor,
    target: Tensor | Array,
    weight: Tensor | Array | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    r"""Negative log-likelihood, :math:`-w_{t_n} x_{n t_n}`, of log-probabilities, as `log_softmax` returns them.

    Arguments, reductions and errors are those of `cross_entropy` with classes.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.loss import nll_loss
    >>> nll_loss(nnative.tensor([[-0.5, -1.0], [-2.0, -0.25]]), np.array([0, 1]))
    tensor(0.3750)
    """
    require_input("nll_loss", input)
    check_reduction("nll_loss", reduction)
    x = input.data
    if x.ndim:
        weight = _class_weight("nll_loss", input, weight, x.shape[min(1, x.ndim - 1)])
    rows, labels, shape = _rows("nll_loss", input, plain("nll_loss", target))
    loss = NLL.apply(rows, labels, weight, reduction, ignore_index)
    return reshape(loss, shape) if reduction == "none" and x.ndim != 2 else loss
