"""Operations on the elements of one tensor: negation, exp, log, square root, absolute value, clip; and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative.autograd import Array, Function, TensorBase
from nnative.ops.operands import Operand, array_of, operands, require_float, silent, unbroadcast

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class Neg(Function):
    """−x."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:  # noqa: D102
        return np.negative(array_of("neg", x))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:  # noqa: D102
        return np.negative(grad)


class Exp(Function):
    """e to the power x."""

    returns_fresh = True

    @staticmethod
    @silent
    def forward(ctx: Any, x: Array) -> Array:  # noqa: D102
        require_float("exp", x)
        y = np.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Array:  # noqa: D102
        (y,) = ctx.saved_tensors
        return grad * y  # type: ignore[no-any-return]


class Log(Function):
    """The natural logarithm of x."""

    returns_fresh = True

    @staticmethod
    @silent
    def forward(ctx: Any, x: Array) -> Array:  # noqa: D102
        require_float("log", x)
        ctx.save_for_backward(x)
        return np.log(x)

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Array:  # noqa: D102
        (x,) = ctx.saved_tensors
        return grad / x  # type: ignore[no-any-return]


class Sqrt(Function):
    """The square root of x."""

    returns_fresh = True

    @staticmethod
    @silent
    def forward(ctx: Any, x: Array) -> Array:  # noqa: D102
        require_float("sqrt", x)
        y = np.sqrt(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Array:  # noqa: D102
        (y,) = ctx.saved_tensors
        return grad / (y + y)  # type: ignore[no-any-return]


class Abs(Function):
    """The absolute value of x, with gradient 0 at 0."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:  # noqa: D102
        x = array_of("abs", x)
        ctx.save_for_backward(x)
        return np.abs(x)

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Array:  # noqa: D102
        (x,) = ctx.saved_tensors
        return grad * np.sign(x)  # type: ignore[no-any-return]


class Clip(Function):
    """x, at least ``low`` and at most ``high``; the gradient passes where x is within the bounds."""

    returns_fresh = True

    @staticmethod
    @silent
    def forward(ctx: Any, x: Array, low: float | None, high: float | None) -> Array:  # noqa: D102
        x = array_of("clip", x)
        for bound in (low, high):
            if bound is not None:
                operands("clip", x, bound)
        ctx.save_for_backward(x, low, high)
        return np.asarray(np.clip(x, low, high), x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        x, low, high = ctx.saved_tensors
        inside = np.ones(x.shape, bool)
        if low is not None:
            inside &= x >= low
        if high is not None:
            inside &= x <= high
        return np.where(inside, grad, grad.dtype.type(0)), None, None


class Where(Function):
    """a where the condition holds, else b."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, condition: Array, a: Any, b: Any) -> Any:  # noqa: D102
        a, b = operands("where", a, b)
        ctx.save_for_backward(condition, a.shape, b.shape)
        try:
            return np.where(condition, a, b)
        except ValueError:
            raise ValueError(
                f"[where] expected shapes that broadcast, got {condition.shape}, {a.shape} and {b.shape}"
            ) from None

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        condition, a_shape, b_shape = ctx.saved_tensors
        zero = grad.dtype.type(0)
        return (
            None,
            unbroadcast(np.where(condition, grad, zero), a_shape),
            unbroadcast(np.where(condition, zero, grad), b_shape),
        )


def neg(x: Operand) -> Tensor:
    """Return −x."""
    return Neg.apply(x)


def exp(x: Operand) -> Tensor:
    """Return e to the power x, elementwise; TypeError for integers."""
    return Exp.apply(x)


def log(x: Operand) -> Tensor:
    """Return the natural logarithm, elementwise: −∞ at 0 and NaN below; TypeError for integers."""
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
