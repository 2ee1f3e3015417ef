"""Operations that move elements without computing: reshape, permute, slices, concatenation, broadcasting."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function
from nnative.ops.operands import array_of, normalise_dims, same_dtype, unbroadcast

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class Reshape(Function):
    """The same elements in another shape; shares memory."""

    @staticmethod
    def forward(ctx: Any, x: Array, shape: tuple[int, ...]) -> Array:  # noqa: D102
        ctx.shape = x.shape
        try:
            if min(shape, default=0) < -1:  # NumPy takes every negative size for -1
                raise ValueError
            return x.reshape(shape)
        except ValueError:
            raise ValueError(f"[reshape] expected a shape of {x.size} elements, got {shape} for {x.shape}") from None

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return grad.reshape(ctx.shape), None


class Permute(Function):
    """The dimensions in another order."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, dims: tuple[int, ...]) -> Array:  # noqa: D102
        ctx.dims = dims
        return _contiguous(x.transpose(dims))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return _native.copy(grad.transpose(sorted(range(grad.ndim), key=ctx.dims.__getitem__))), None


class BroadcastTo(Function):
    """x repeated along dimensions of one element, and new ones in front."""

    @staticmethod
    def forward(ctx: Any, x: Array, shape: tuple[int, ...]) -> Array:  # noqa: D102
        ctx.shape = x.shape
        try:
            return _contiguous(np.broadcast_to(x, shape))
        except ValueError:
            raise ValueError(f"[broadcast_to] expected a shape that broadcasts to {shape}, got {x.shape}") from None

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return unbroadcast(grad, ctx.shape), None


class Slice(Function):
    """x[key] for a key of integers, slices, None and ``...``; contiguous elements share memory."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, key: Any) -> Array:  # noqa: D102
        ctx.saved_tensors = x.shape, key
        try:
            return _contiguous(x[key if Ellipsis in key else (*key, ...)])
        except (IndexError, TypeError) as error:
            raise IndexError(f"[index] {error}, for shape {x.shape}") from None

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        shape, key = ctx.saved_tensors
        dx = _native.full(shape, 0.0, grad.dtype)
        # An Ellipsis keeps the view of one element an array.
        _native.assign(dx[key if Ellipsis in key else (*key, ...)], grad)
        return dx, None


class Concatenate(Function):
    """Arrays one after the other along a dimension."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, dim: int, *arrays: Array) -> Array:  # noqa: D102
        ctx.dim, ctx.sizes = dim, [a.shape[dim] for a in arrays]
        first = arrays[0]
        out = _native.empty((*first.shape[:dim], sum(ctx.sizes), *first.shape[dim + 1 :]), first.dtype)
        for part, array in zip(_parts(ctx, out), arrays, strict=True):
            _native.assign(part, array)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        needs = ctx.needs_input_grad[1:]
        return (None, *[_native.copy(g) if need else None for g, need in zip(_parts(ctx, grad), needs, strict=True)])


def _parts(ctx: Any, array: Array) -> list[Array]:
    """Return the views of the parts of a concatenated array."""
    before = (slice(None),) * ctx.dim
    ends = itertools.accumulate(ctx.sizes)
    keys = [(*before, slice(end - size, end)) for size, end in zip(ctx.sizes, ends, strict=True)]
    return [array[key] for key in keys]


def _contiguous(view: Array) -> Array:
    return view if view.flags.c_contiguous else _native.copy(view)


def reshape(x: Tensor | Array, *shape: int | Sequence[int]) -> Tensor:
    """Return the elements in another shape, where one size may be −1; shares memory.

    Examples
    --------
    >>> import nnative
    >>> nnative.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return Reshape.apply(x, _numbers(shape))


def flatten(x: Tensor | Array, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return x with the dimensions from ``start_dim`` to ``end_dim`` made one."""
    shape = x.shape
    if not shape:
        return Reshape.apply(x, (1,))
    (start,) = normalise_dims("flatten", start_dim, len(shape))
    (end,) = normalise_dims("flatten", end_dim, len(shape))
    if start > end:
        raise ValueError(f"[flatten] expected start_dim before end_dim, got {start_dim} and {end_dim}")
    return Reshape.apply(x, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(x: Tensor | Array, dim: int, sizes: Sequence[int]) -> Tensor:
    """Return x with dimension ``dim`` as several of these sizes, of which one may be −1; the reverse of `flatten`."""
    (at,) = normalise_dims("unflatten", dim, x.ndim)
    known = math.prod(size for size in sizes if size != -1)
    parts = [x.shape[at] // known if size == -1 and known else size for size in sizes]
    if not parts or min(parts) < 0 or math.prod(parts) != x.shape[at]:
        raise ValueError(f"[unflatten] expected sizes of {x.shape[at]} elements, got {tuple(sizes)} for {x.shape}")
    return Reshape.apply(x, (*x.shape[:at], *parts, *x.shape[at + 1 :]))


def permute(x: Tensor | Array, *dims: int | Sequence[int]) -> Tensor:
    """Return x with its dimensions in the order ``dims``, which names each once."""
    order = _numbers(dims)
    if len(order) != x.ndim:
        raise ValueError(f"[permute] expected {x.ndim} dimensions for shape {x.shape}, got {order}")
    normalise_dims("permute", order, x.ndim)
    return Permute.apply(x, tuple(d % x.ndim for d in order))


def transpose(x: Tensor | Array, dim0: int, dim1: int) -> Tensor:
    """Return x with two dimensions exchanged.

    Examples
    --------
    >>> import nnative
    >>> nnative.zeros(2, 3).transpose(0, 1).shape
    (3, 2)
    """
    (a,), (b,) = normalise_dims("transpose", dim0, x.ndim), normalise_dims("transpose", dim1, x.ndim)
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return Permute.apply(x, tuple(order))


def squeeze(x: Tensor | Array, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Return x without its dimensions of one element, or without those of them that ``dim`` names."""
    dims = normalise_dims("squeeze", dim, x.ndim)
    return Reshape.apply(x, tuple(s for i, s in enumerate(x.shape) if s != 1 or i not in dims))


def unsqueeze(x: Tensor | Array, dim: int) -> Tensor:
    """Return x with a new dimension of one element before dimension ``dim``."""
    (at,) = normalise_dims("unsqueeze", dim, x.ndim + 1)
    return Reshape.apply(x, (*x.shape[:at], 1, *x.shape[at:]))


def broadcast_to(x: Tensor | Array, shape: Sequence[int]) -> Tensor:
    """Return x repeated to a shape that it broadcasts to."""
    return BroadcastTo.apply(x, _numbers((shape,)))


def concatenate(tensors: Sequence[Tensor | Array], dim: int = 0) -> Tensor:
    """Return the tensors one after the other along ``dim``.

    ValueError unless all other sizes agree, TypeError for several dtypes.

    Examples
    --------
    >>> import nnative
    >>> nnative.concatenate([nnative.ones(2), nnative.zeros(1)])
    tensor([1., 1., 0.])
    """
    arrays = _list("concatenate", tensors)
    shape = arrays[0].shape
    (dim,) = normalise_dims("concatenate", dim, len(shape))
    for a in arrays:
        if a.ndim != len(shape) or a.shape[:dim] + a.shape[dim + 1 :] != shape[:dim] + shape[dim + 1 :]:
            raise ValueError(
                f"[concatenate] expected shapes that agree except in dimension {dim}, got {shape} and {a.shape}"
            )
    return Concatenate.apply(dim, *tensors)


cat = concatenate


def stack(tensors: Sequence[Tensor | Array], dim: int = 0) -> Tensor:
    """Return tensors of one shape along a new dimension ``dim``.

    Examples
    --------
    >>> import nnative
    >>> nnative.stack([nnative.ones(2), nnative.zeros(2)]).shape
    (2, 2)
    """
    arrays = _list("stack", tensors)
    for a in arrays:
        if a.shape != arrays[0].shape:
            raise ValueError(f"[stack] expected one shape, got {arrays[0].shape} and {a.shape}")
    return concatenate([unsqueeze(t, dim) for t in tensors], dim)


def _list(name: str, tensors: Sequence[Tensor | Array]) -> list[Array]:
    arrays = [array_of(name, t) for t in tensors]
    if not arrays:
        raise ValueError(f"[{name}] expected at least one tensor, got none")
    same_dtype(name, *arrays)
    return arrays


def _numbers(values: tuple[Any, ...]) -> tuple[int, ...]:
    """Return sizes or dimensions that were given one by one, or as one tuple or list."""
    if len(values) == 1 and isinstance(values[0], tuple | list):
        values = tuple(values[0])
    for value in values:
        if not isinstance(value, int | np.integer):
            raise TypeError(f"[shape] expected integers, got {values}")
    return values
