"""Operations on the elements of one tensor: negation, exp, log, square root, absolute value, clip; and where."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, TensorBase
from nnative.ops.operands import Operand, array_of, natives, operands, require_float, unbroadcast
from nnative.ops.pointwise import pointwise

if TYPE_CHECKING:
    from nnative.tensor import Tensor


Exp = pointwise("Exp", "exp", saves_output=True)
Log = pointwise("Log", "log")


class Neg(Function):
    """−x."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:  # noqa: D102
        x = array_of("neg", x)
        return _native.neg(x) if x.dtype.kind == "f" else np.negative(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:  # noqa: D102
        return _native.neg(grad)


class Sqrt(Function):
    """The square root of x."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:  # noqa: D102
        require_float("sqrt", x)
        y = _native.sqrt(x)
        ctx.saved_tensors = (y,)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:  # noqa: D102
        (y,) = ctx.saved_tensors
        return _native.sqrt_backward(grad, y)


class Abs(Function):
    """The absolute value of x, with gradient 0 at 0."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:  # noqa: D102
        x = array_of("abs", x)
        ctx.saved_tensors = (x,)
        return _native.abs(x) if x.dtype.kind == "f" else np.abs(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:  # noqa: D102
        (x,) = ctx.saved_tensors
        return _native.abs_backward(grad, x)


class Clip(Function):
    """x, at least ``low`` and at most ``high``; the gradient passes where x is within the bounds."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, low: float | None, high: float | None) -> Array:  # noqa: D102
        x = array_of("clip", x)
        if x.dtype.kind != "f":
            for bound in (low, high):
                if bound is not None:
                    operands("clip", x, bound)
            return np.asarray(np.clip(x, low, high), x.dtype)
        low, high = -math.inf if low is None else low, math.inf if high is None else high
        ctx.saved_tensors = x, low, high
        return _native.clip(x, low, high)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return _native.clip_backward(grad, *ctx.saved_tensors), None, None


class Where(Function):
    """a where the condition holds, else b."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, condition: Array, a: Any, b: Any) -> Array:  # noqa: D102
        if not natives(a, b):
            a, b = operands("where", a, b)
        ctx.saved_tensors = condition, a, b
        try:
            if (a if isinstance(a, np.ndarray) else b).dtype.kind == "f":
                return _native.where(condition, a, b)
            return np.asarray(np.where(condition, a, b))
        except ValueError:
            raise ValueError(
                f"[where] expected shapes that broadcast, got {condition.shape}, {np.shape(a)} and {np.shape(b)}"
            ) from None

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (condition, a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        return (
            None,
            unbroadcast(_native.where(condition, grad, 0.0), a.shape) if needs[1] else None,
            unbroadcast(_native.where(condition, 0.0, grad), b.shape) if needs[2] else None,
        )


def neg(x: Operand) -> Tensor:
    """Return −x."""
    return Neg.apply(x)


def exp(x: Operand) -> Tensor:
    """Return e to the power x, elementwise; TypeError for integers."""
    require_float("exp", x._data if isinstance(x, TensorBase) else x)
    return Exp.apply(x)


def log(x: Operand) -> Tensor:
    """Return the natural logarithm, elementwise: −∞ at 0 and NaN below; TypeError for integers."""
    require_float("log", x._data if isinstance(x, TensorBase) else x)
    return Log.apply(x)


def sqrt(x: Operand) -> Tensor:
    """Return the square root, elementwise: NaN below 0; TypeError for integers.

    Examples
    --------
    >>> import nnative
    >>> nnative.sqrt(nnative.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return Sqrt.apply(x)


def abs(x: Operand) -> Tensor:
    """Return the absolute value, elementwise, with gradient 0 at 0."""
    return Abs.apply(x)


def clip(x: Operand, min: float | None = None, max: float | None = None) -> Tensor:
    """Return x limited to [min, max]; a bound of None does not limit.

    Examples
    --------
    >>> import nnative
    >>> nnative.tensor([-2.0, 0.5, 3.0]).clip(0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    for bound in (min, max):
        if bound is not None and not isinstance(bound, float | int):
            raise TypeError(f"[clip] expected bounds that are numbers or None, got {type(bound).__name__}")
    return Clip.apply(x, min, max)


def where(condition: Tensor | Array, a: Operand, b: Operand) -> Tensor:
    """Return a where the bool ``condition`` holds, else b; shapes broadcast.

    Examples
    --------
    >>> import nnative
    >>> x = nnative.tensor([-1.0, 2.0])
    >>> nnative.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    mask = condition._data if isinstance(condition, TensorBase) else np.asarray(condition)
    if mask.dtype != bool:
        raise TypeError(f"[where] expected a condition of bool, got {mask.dtype}")
    return Where.apply(mask, a, b)
