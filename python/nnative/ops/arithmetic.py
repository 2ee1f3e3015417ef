"""Operations on two operands that broadcast: ``+ − * / **``, maximum, minimum, and comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, TensorBase, wrap
from nnative.ops.operands import Operand, fail_broadcast, natives, operands, silent, unbroadcast

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class Binary(Function):
    """An operation on two operands: a subclass names its kernel, this class chooses between it and NumPy.

    Floats are for kernels; NumPy computes integers and bools, which have no gradients.
    """

    name: str
    kernel: Any  # of two float arrays, or one and a number
    compute: Any  # the same in NumPy
    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:  # noqa: D102
        if not natives(a, b):
            a, b = operands(ctx.name, a, b)
            if a.dtype.kind != "f":
                return _integers(ctx, a, b)
        ctx.saved_tensors = a, b
        try:
            return ctx.kernel(a, b)  # type: ignore[no-any-return]
        except ValueError:
            if _broadcasts(a, b):
                raise
            raise fail_broadcast(ctx.name, a, b) from None


@silent
def _integers(ctx: Binary, a: Array, b: Array) -> Array:
    if not _broadcasts(a, b):
        raise fail_broadcast(ctx.name, a, b)
    return np.asarray(ctx.compute(a, b))


def _broadcasts(a: Any, b: Any) -> bool:
    try:
        np.broadcast_shapes(np.shape(a), np.shape(b))
    except ValueError:
        return False
    return True


class Add(Binary):
    """a + b."""

    name = "add"
    kernel = _native.add
    compute = np.add

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        return (
            unbroadcast(grad, a.shape) if needs[0] else None,
            unbroadcast(grad, b.shape) if needs[1] else None,
        )


class Sub(Binary):
    """a − b."""

    name = "sub"
    kernel = _native.sub

    @staticmethod
    def compute(a: Array, b: Array) -> Array:
        """Return a − b; for bool arrays, where NumPy has no difference, an error."""
        if a.dtype.kind == "b":
            raise TypeError("[sub] expected numbers, got bool: use ^ or to(dtype)")
        return np.subtract(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        db = None
        if needs[1]:
            db = _native.neg(grad) if b.shape == grad.shape else _native.sum_to(grad, b.shape, -1.0)
        return unbroadcast(grad, a.shape) if needs[0] else None, db


class Mul(Binary):
    """a · b."""

    name = "mul"
    kernel = _native.mul
    compute = np.multiply

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        return (
            unbroadcast(_native.mul(grad, b), a.shape) if needs[0] else None,
            unbroadcast(_native.mul(grad, a), b.shape) if needs[1] else None,
        )


class Div(Binary):
    """a / b."""

    name = "div"
    kernel = _native.div

    @staticmethod
    def compute(a: Array, b: Array) -> Array:
        """Raise: the quotient of integers would be of another dtype."""
        raise TypeError(f"[div] expected float32 or float64, got {a.dtype}: convert with to(dtype)")

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        return (
            unbroadcast(_native.div(grad, b), a.shape) if needs[0] else None,
            unbroadcast(_native.div_backward(grad, a, b), b.shape) if needs[1] else None,
        )


class Pow(Binary):
    """a to the power b."""

    name = "pow"
    kernel = _native.pow
    compute = np.power

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        return (
            unbroadcast(_native.pow_backward_base(grad, a, b), a.shape) if needs[0] else None,
            unbroadcast(_native.pow_backward_exponent(grad, a, b), b.shape) if needs[1] else None,
        )


class Maximum(Binary):
    """The larger of a and b; equal elements share the gradient."""

    name = "maximum"
    kernel = _native.maximum
    compute = np.maximum

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        return (
            unbroadcast(_native.maximum_backward(grad, a, b), a.shape) if needs[0] else None,
            unbroadcast(_native.maximum_backward(grad, b, a), b.shape) if needs[1] else None,
        )


class Minimum(Binary):
    """The smaller of a and b; equal elements share the gradient."""

    name = "minimum"
    kernel = _native.minimum
    compute = np.minimum

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (a, b), needs = ctx.saved_tensors, ctx.needs_input_grad
        # Where a is the smaller, b is the larger: the rule of maximum with its operands exchanged.
        return (
            unbroadcast(_native.maximum_backward(grad, b, a), a.shape) if needs[0] else None,
            unbroadcast(_native.maximum_backward(grad, a, b), b.shape) if needs[1] else None,
        )


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
