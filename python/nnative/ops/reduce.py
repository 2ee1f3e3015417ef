"""Reductions over all or some dimensions: sum, mean, max, min; and the index of the largest element."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nnative.autograd import Array, Function, TensorBase, wrap
from nnative.ops.operands import array_of, require_float, silent

if TYPE_CHECKING:
    from nnative.tensor import Tensor

Dims: TypeAlias = "int | tuple[int, ...] | None"


def normalise_dims(name: str, dim: Dims, ndim: int) -> tuple[int, ...]:
    """Return the dimensions as sorted non-negative numbers, all of them for None."""
    if dim is None:
        return tuple(range(ndim))
    dims = dim if isinstance(dim, tuple | list) else (dim,)
    for d in dims:
        if not isinstance(d, int | np.integer) or isinstance(d, bool):
            raise TypeError(f"[{name}] expected dim to be an int, a tuple of ints or None, got {dim!r}")
        if not -ndim <= d < ndim:
            raise ValueError(f"[{name}] expected dim in [{-ndim}, {ndim}) for {ndim} dimensions, got {d}")
    result = tuple(sorted(int(d) % ndim for d in dims))
    if len(set(result)) != len(result):
        raise ValueError(f"[{name}] expected dimensions that differ, got {dim}")
    return result


class Sum(Function):
    """The sum over some dimensions times ``scale``."""

    returns_fresh = True

    @staticmethod
    @silent
    def forward(ctx: Any, x: Array, dims: tuple[int, ...], keepdim: bool, scale: float) -> Array:  # noqa: D102
        ctx.shape, ctx.dims, ctx.scale = x.shape, dims, scale
        total = np.asarray(np.sum(x, axis=dims, keepdims=keepdim))
        return total if scale == 1.0 else np.asarray(total * x.dtype.type(scale))

    @staticmethod
    @silent
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        kept = grad.reshape([1 if i in ctx.dims else size for i, size in enumerate(ctx.shape)])
        if ctx.scale != 1.0:
            kept = kept * grad.dtype.type(ctx.scale)
        dx = np.empty(ctx.shape, grad.dtype)
        dx[...] = kept
        return dx, None, None, None


class Max(Function):
    """The largest element along the last dimension of a view of x; the first of equal ones gets the gradient."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, indices: Array, dim: int | None, keepdim: bool) -> Array:  # noqa: D102
        ctx.shape, ctx.indices, ctx.dim = x.shape, indices, dim
        if dim is None:
            return np.asarray(x.reshape(-1)[indices])
        result = np.take_along_axis(x, np.expand_dims(indices, dim), dim)
        return result if keepdim else result.squeeze(dim)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        dx = np.zeros(ctx.shape, grad.dtype)
        if ctx.dim is None:
            dx.reshape(-1)[ctx.indices] = grad
        else:
            indices = np.expand_dims(ctx.indices, ctx.dim)
            np.put_along_axis(dx, indices, grad.reshape(indices.shape), ctx.dim)
        return dx, None, None, None


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


def _extreme(name: str, x: Any, dim: int | None, keepdim: bool, locate: Any) -> Any:
    array = array_of(name, x)
    if dim is not None:
        (dim,) = normalise_dims(name, int(dim), array.ndim)
    if (array.size if dim is None else array.shape[dim]) == 0:
        raise ValueError(f"[{name}] expected at least one element to choose from, got shape {array.shape}")
    indices = np.asarray(locate(array, axis=dim))
    values = Max.apply(x, indices, dim, keepdim)
    if dim is None:
        return values
    return values, wrap(np.expand_dims(indices, dim) if keepdim else indices)


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
    return _extreme("max", x, dim, keepdim, np.argmax)


def min(x: Tensor | Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the smallest element or, with ``dim``, the pair (values, indices) along that dimension; see `max`."""
    return _extreme("min", x, dim, keepdim, np.argmin)


def argmax(x: Tensor | Array, dim: int | None = None) -> Tensor:
    """Return the index of the largest element, the first of equal ones, as int64: of all, or along ``dim``.

    Examples
    --------
    >>> import nnative
    >>> nnative.tensor([[1.0, 5.0], [7.0, 2.0]]).argmax(dim=1)
    tensor([1, 0])
    """
    array = array_of("argmax", x)
    if dim is not None:
        (dim,) = normalise_dims("argmax", dim, array.ndim)
    if (array.size if dim is None else array.shape[dim]) == 0:
        raise ValueError(f"[argmax] expected at least one element to choose from, got shape {array.shape}")
    return wrap(np.asarray(np.argmax(array, axis=dim)))
