"""Losses: a number, or one for each row or element, that training makes small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, TensorBase

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class CrossEntropy(Function):
    """−log softmax(logits)[target] of each row; with a scale, that times their sum."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, logits: Array, target: Array, scale: float | None) -> Array:  # noqa: D102
        if scale is None:
            loss, probability = _native.cross_entropy_forward(logits, target)
        else:
            loss, probability = _native.cross_entropy_sum(logits, target, scale)
        ctx.save_for_backward(probability, target)
        ctx.scale = 1.0 if scale is None else scale
        return loss

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        probability, target = ctx.saved_tensors
        return _native.cross_entropy_backward(grad, probability, target, ctx.scale), None, None


class SquaredError(Function):
    """(x − target)² of each element; with a scale, that times their sum."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, target: Array, scale: float | None) -> Array:  # noqa: D102
        ctx.save_for_backward(x, target)
        ctx.scale = 1.0 if scale is None else scale
        if scale is None:
            return _native.squared_error_forward(x, target)
        return _native.squared_error_sum(x, target, scale)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        x, target = ctx.saved_tensors
        for_x, for_target, _ = ctx.needs_input_grad
        return (
            _native.squared_error_backward(grad, x, target, ctx.scale) if for_x else None,
            _native.squared_error_backward(grad, target, x, ctx.scale) if for_target else None,
            None,
        )


def _scale(name: str, reduction: str, counts: dict[str, int]) -> float | None:
    """Return what the sum of the losses is multiplied by: 1 / counts[reduction], 1 for "sum", None for "none"."""
    if reduction in counts:
        # The mean of nothing is NaN, as in PyTorch.
        return 1.0 / counts[reduction] if counts[reduction] else float("nan")
    if reduction == "sum":
        return 1.0
    if reduction == "none":
        return None
    known = ", ".join(repr(r) for r in (*counts, "sum", "none"))
    raise ValueError(f"[{name}] expected reduction to be one of {known}, got {reduction!r}")


def _require_tensor(name: str, x: Any) -> None:
    if not isinstance(x, TensorBase):
        raise TypeError(f"[{name}] expected a Tensor as input, got {type(x).__name__}")


def _plain(name: str, target: Any) -> Any:
    """Return a tensor as it is and an ndarray in contiguous, aligned memory."""
    if isinstance(target, TensorBase):
        return target
    if not isinstance(target, np.ndarray):
        raise TypeError(f"[{name}] expected a Tensor or ndarray as target, got {type(target).__name__}")
    return target if target.flags.c_contiguous and target.flags.aligned else target.copy()


def cross_entropy(input: Tensor, target: Tensor | Array, reduction: str = "mean") -> Tensor:
    r"""Cross-entropy of logits and class indices, :math:`\log\sum_c e^{x_{nc}} - x_{n t_n}`.

    Softmax is part of it: pass logits, not probabilities. Stable for logits of any size.

    Parameters
    ----------
    input
        The logits, (N, C), float32 or float64.
    target
        The class of each row, (N,), any integer dtype, a Tensor or an ndarray.
    reduction
        ``"mean"`` or ``"sum"`` over the rows, or ``"none"`` for the losses (N,). The mean of no rows is NaN.

    Raises
    ------
    ValueError
        For other shapes, or for an index outside [0, C), which is named.
    TypeError
        For targets that are not integers, or logits that are not float32 or float64.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.loss import cross_entropy
    >>> logits = nnative.Tensor(np.array([[0.0, 0.0], [1e4, 0.0]]))
    >>> cross_entropy(logits, np.array([0, 0]), reduction="none").numpy().round(4)
    array([0.6931, 0.    ])
    """
    _require_tensor("cross_entropy", input)
    shape = input.data.shape
    return CrossEntropy.apply(
        input,
        _plain("cross_entropy", target),
        _scale("cross_entropy", reduction, {"mean": shape[0] if shape else 1}),
    )


def mse_loss(input: Tensor, target: Tensor | Array, reduction: str = "mean") -> Tensor:
    r"""Squared error, :math:`(x - t)^2`, reduced over all elements.

    Parameters
    ----------
    input
        float32 or float64, any shape.
    target
        The same shape and dtype, a Tensor (which may need a gradient too) or an ndarray.
    reduction
        ``"mean"`` over all elements, ``"sum"``, ``"batchmean"`` (the sum divided by the length of the first dimension)
        or ``"none"`` for the losses in the input's shape. The mean of nothing is NaN.

    Raises
    ------
    ValueError
        When the shapes differ: nothing is broadcast.
    TypeError
        For other dtypes, or two different ones.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.loss import mse_loss
    >>> x = nnative.Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True)
    >>> loss = mse_loss(x, np.zeros((2, 2)))
    >>> loss.numpy()
    array(7.5)
    >>> loss.backward()
    >>> x.grad
    array([[0.5, 1. ],
           [1.5, 2. ]])
    """
    _require_tensor("mse_loss", input)
    x = input.data
    return SquaredError.apply(
        input,
        _plain("mse_loss", target),
        _scale("mse_loss", reduction, {"mean": x.size, "batchmean": len(x) if x.ndim else 1}),
    )
