"""Reductions over all or some dimensions: sum, mean, max, min; and the index of the largest element."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, TensorBase, wrap
from nnative.ops.operands import Dims, array_of, normalise_dims, require_float
from nnative.ops.shape import reshape

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class Sum(Function):
    """The sum over some dimensions times ``scale``."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, dims: tuple[int, ...], keepdim: bool, scale: float) -> Array:  # noqa: D102
        ctx.saved_tensors = x.shape, dims, scale
        if x.dtype.kind != "f":
            return np.asarray(np.sum(x, axis=dims, keepdims=keepdim))
        return _native.sum(np.asarray(x, order="C"), dims, keepdim, scale)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        shape, dims, scale = ctx.saved_tensors
        kept = grad.reshape([1 if i in dims else size for i, size in enumerate(shape)])
        if scale != 1.0:
            kept = _native.mul(kept, scale)
        return _native.copy(np.broadcast_to(kept, shape)), None, None, None


class Max(Function):
    """The elements at some indices along a dimension."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, indices: Array, dim: int, keepdim: bool) -> Array:  # noqa: D102
        ctx.saved_tensors = x.shape, indices, dim
        if x.dtype.kind == "f":
            result = _native.pick(x, indices, dim)
        else:
            result = np.take_along_axis(x, np.expand_dims(indices, dim), dim).squeeze(dim)
        return np.expand_dims(result, dim) if keepdim else result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        shape, indices, dim = ctx.saved_tensors
        return _native.pick_backward(grad, indices, shape, dim), None, None, None


def _one_of(name: str, dim: Any, axis: Any) -> Any:
    if dim is not None and axis is not None:
        raise TypeError(f"[{name}] expected dim or axis, its NumPy name, got both")
    return axis if dim is None else dim


def sum(x: Tensor | Array, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None) -> Tensor:
    """Return the sum of all elements or, with ``dim`` (``axis``), over those dimensions.

    Integers and bools sum to int64. ValueError for a dimension that does not exist.

    Examples
    --------
    >>> import nnative
    >>> nnative.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(dim=0)
    tensor([4., 6.])
    """
    dims = normalise_dims("sum", _one_of("sum", dim, axis), x.ndim)
    return Sum.apply(x, dims, keepdim, 1.0)


def mean(x: Tensor | Array, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None) -> Tensor:
    """Return the mean of all elements or, with ``dim`` (``axis``), over those dimensions; NaN of no elements.

    TypeError for integers, ValueError for a dimension that does not exist.

    Examples
    --------
    >>> import nnative
    >>> nnative.tensor([[1.0, 2.0], [3.0, 4.0]]).mean()
    tensor(2.5000)
    """
    require_float("mean", x._data if isinstance(x, TensorBase) else x)
    dims = normalise_dims("mean", _one_of("mean", dim, axis), x.ndim)
    count = math.prod([x.shape[d] for d in dims])
    return Sum.apply(x, dims, keepdim, 1.0 / count if count else math.nan)


def _locate(name: str, x: Any, dim: int | None, native: Any, numpy: Any) -> tuple[Any, Array, int]:
    """Return x, the indices of its extremes along dim, and dim; flattened, and 0, for None."""
    array = array_of(name, x)
    if dim is not None:
        (dim,) = normalise_dims(name, dim, array.ndim)
    if (array.size if dim is None else array.shape[dim]) == 0:
        raise ValueError(f"[{name}] expected at least one element to choose from, got shape {array.shape}")
    if dim is None:
        x, array, dim = reshape(x, (-1,)), array.reshape(-1), 0
    if array.dtype.kind == "f":
        return x, native(np.asarray(array, order="C"), dim), dim
    return x, np.asarray(numpy(array, dim)), dim


def _extreme(name: str, x: Any, dim: int | None, keepdim: bool, native: Any, numpy: Any) -> Any:
    x, indices, at = _locate(name, x, dim, native, numpy)
    if dim is None:
        return Max.apply(x, indices, 0, False)
    return Max.apply(x, indices, at, keepdim), wrap(np.expand_dims(indices, at) if keepdim else indices)


def max(x: Tensor | Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the largest element or, with ``dim``, the pair (values, indices) along that dimension.

    The first of equal elements is taken and receives the gradient; NaN counts as the largest. ValueError for no
    elements.

    Examples
    --------
    >>> import nnative
    >>> values, indices = nnative.tensor([[1.0, 5.0], [7.0, 2.0]]).max(dim=1)
    >>> values, indices
    (tensor([5., 7.]), tensor([1, 0]))
    """
    return _extreme("max", x, dim, keepdim, _native.argmax, np.argmax)


def min(x: Tensor | Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the smallest element or, with ``dim``, the pair (values, indices) along that dimension; see `max`."""
    return _extreme("min", x, dim, keepdim, _native.argmin, np.argmin)


def argmax(x: Tensor | Array, dim: int | None = None) -> Tensor:
    """Return the index of the largest element, the first of equal ones, as int64: of all, or along ``dim``.

    Examples
    --------
    >>> import nnative
    >>> nnative.tensor([[1.0, 5.0], [7.0, 2.0]]).argmax(dim=1)
    tensor([1, 0])
    """
    return wrap(_locate("argmax", x, dim, _native.argmax, np.argmax)[1])
