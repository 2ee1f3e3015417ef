"""Operations on two operands that broadcast: ``+ − * / **``, maximum, minimum, and comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative.autograd import Array, Function, TensorBase, wrap
from nnative.ops.operands import Operand, fail_broadcast, operands, silent, unbroadcast

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class Binary(Function):
    """An operation on two operands: a subclass says what it computes, this class broadcasts."""

    name: str
    compute: Any  # of two arrays of one dtype, elementwise
    keeps_operands = True  # whether backward needs their values

    @staticmethod
    @silent
    def forward(ctx: Any, a: Any, b: Any) -> Array:  # noqa: D102
        a, b = operands(ctx.name, a, b)
        try:
            result = ctx.compute(a, b)
        except ValueError:
            if _broadcasts(a, b):
                raise
            raise fail_broadcast(ctx.name, a, b) from None
        ctx.shapes = a.shape, b.shape
        if ctx.keeps_operands:
            ctx.save_for_backward(a, b)
        return np.asarray(result)


def _broadcasts(a: Array, b: Array) -> bool:
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return True


class Add(Binary):
    """a + b."""

    name = "add"
    keeps_operands = False
    compute = np.add

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a_shape, b_shape), needs = ctx.shapes, ctx.needs_input_grad
        return (
            unbroadcast(grad, a_shape) if needs[0] else None,
            unbroadcast(grad, b_shape) if needs[1] else None,
        )


class Sub(Binary):
    """a − b."""

    name = "sub"
    keeps_operands = False

    @staticmethod
    def compute(a: Array, b: Array) -> Array:
        """Return a − b; for bool arrays, where NumPy has no difference, an error."""
        if a.dtype.kind == "b":
            raise TypeError("[sub] expected numbers, got bool: use ^ or to(dtype)")
        return np.subtract(a, b)

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a_shape, b_shape), needs = ctx.shapes, ctx.needs_input_grad
        return (
            unbroadcast(grad, a_shape) if needs[0] else None,
            unbroadcast(np.negative(grad), b_shape) if needs[1] else None,
        )


class Mul(Binary):
    """a · b."""

    name = "mul"
    compute = np.multiply
    returns_fresh = True

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        return (
            unbroadcast(np.asarray(grad * b), a.shape) if needs[0] else None,
            unbroadcast(np.asarray(grad * a), b.shape) if needs[1] else None,
        )


class Div(Binary):
    """a / b."""

    name = "div"
    returns_fresh = True

    @staticmethod
    def compute(a: Array, b: Array) -> Array:
        """Return a / b of floats; integers are an error, since the result would be of another dtype."""
        if a.dtype.kind != "f":
            raise TypeError(f"[div] expected float32 or float64, got {a.dtype}: convert with to(dtype)")
        return np.divide(a, b)

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        quotient = np.asarray(grad / b)
        return (
            unbroadcast(quotient, a.shape) if needs[0] else None,
            unbroadcast(np.negative(np.asarray(quotient * (a / b))), b.shape) if needs[1] else None,
        )


class Pow(Binary):
    """a to the power b."""

    name = "pow"
    compute = np.power
    returns_fresh = True

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        da = db = None
        if needs[0]:
            # b = 0 would be 0 · ∞ at a = 0
            da = unbroadcast(np.where(b == 0, b, grad * (b * np.power(a, b - b.dtype.type(1)))), a.shape)
        if needs[1]:
            # a = 0 would be 0 · −∞ for b > 0
            slope = np.where((a == 0) & (b >= 0), a, np.power(a, b) * np.log(a))
            db = unbroadcast(np.asarray(grad * slope), b.shape)
        return da, db


class Maximum(Binary):
    """The larger of a and b; equal elements share the gradient."""

    name = "maximum"
    compute: Any = np.maximum
    returns_fresh = True

    @staticmethod
    def wins(a: Array, b: Array) -> Any:
        """Return where the result is a."""
        return a > b

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        share = np.where(a == b, grad * grad.dtype.type(0.5), grad)
        zero = grad.dtype.type(0)
        return (
            unbroadcast(np.where(ctx.wins(b, a), zero, share), a.shape) if needs[0] else None,
            unbroadcast(np.where(ctx.wins(a, b), zero, share), b.shape) if needs[1] else None,
        )


class Minimum(Maximum):
    """The smaller of a and b; equal elements share the gradient."""

    name = "minimum"
    compute = np.minimum

    @staticmethod
    def wins(a: Array, b: Array) -> Any:
        """Return where the result is a."""
        return a < b


def add(a: Operand, b: Operand) -> Tensor:
    """Return a + b, elementwise; shapes broadcast.

    Raises TypeError for operands of two dtypes (a Python number takes the other's) and ValueError for shapes that do
    not broadcast; so do the other operations of this module.

    Examples
    --------
    >>> import nnative
    >>> nnative.tensor([1.0, 2.0]) + 1
    tensor([2., 3.])
    """
    return Add.apply(a, b)


def sub(a: Operand, b: Operand) -> Tensor:
    """Return a − b, elementwise; shapes broadcast."""
    return Sub.apply(a, b)


def mul(a: Operand, b: Operand) -> Tensor:
    """Return a · b, elementwise; shapes broadcast."""
    return Mul.apply(a, b)


def div(a: Operand, b: Operand) -> Tensor:
    """Return a / b of float tensors, elementwise; division by zero gives infinity or NaN. Shapes broadcast."""
    return Div.apply(a, b)


def pow(a: Operand, b: Operand) -> Tensor:
    """Return a to the power b, elementwise; shapes broadcast.

    Examples
    --------
    >>> import nnative
    >>> nnative.tensor([1.0, 2.0, 3.0]) ** 2
    tensor([1., 4., 9.])
    """
    return Pow.apply(a, b)


def maximum(a: Operand, b: Operand) -> Tensor:
    """Return the larger of a and b, elementwise, NaN if either is NaN; shapes broadcast."""
    return Maximum.apply(a, b)


def minimum(a: Operand, b: Operand) -> Tensor:
    """Return the smaller of a and b, elementwise, NaN if either is NaN; shapes broadcast."""
    return Minimum.apply(a, b)


def _comparison(name: str, compute: Callable[[Array, Array], Array]) -> Callable[[Any, Any], Any]:
    def compare(a: Any, b: Any) -> Any:
        if not isinstance(b, TensorBase | np.ndarray | np.generic | float | int):
            return NotImplemented
        x, y = (v._data if isinstance(v, TensorBase) else v for v in (a, b))
        x, y = operands(name, x, y)
        if not _broadcasts(x, y):
            raise fail_broadcast(name, x, y)
        return wrap(np.asarray(compute(x, y)))

    compare.__name__ = name
    compare.__doc__ = f"Return the bool tensor of ``a {name} b``, elementwise."
    return compare


eq = _comparison("eq", np.equal)
ne = _comparison("ne", np.not_equal)
lt = _comparison("lt", np.less)
le = _comparison("le", np.less_equal)
gt = _comparison("gt", np.greater)
ge = _comparison("ge", np.greater_equal)
