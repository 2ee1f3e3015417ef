"""Elements picked by index: indexing by arrays and masks, embeddings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, TensorBase
from nnative.ops.operands import array_of, require_float
from nnative.ops.shape import Slice, reshape

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class Take(Function):
    """x[:, …, index] for int64 indices along a dimension; elements taken several times add up their gradients."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, index: Array, dim: int) -> Array:  # noqa: D102
        ctx.saved_tensors = x.shape, index, dim
        try:
            return _native.take(np.asarray(x, order="C"), index, dim)
        except IndexError as error:
            raise IndexError(f"[index] {error}, for shape {x.shape}") from None

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        shape, index, dim = ctx.saved_tensors
        return _native.take_backward(grad, index, shape, dim), None, None


class Embedding(Function):
    """Rows of a weight; rows taken several times add up their gradients, in the order of the indices."""

    returns_fresh = True

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any, weight: Array, index: Array, padding_idx: int | None, scale_grad_by_freq: bool
    ) -> Array:
        ctx.saved_tensors = weight.shape, index, padding_idx, scale_grad_by_freq
        return _native.embedding_forward(weight, index)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        shape, index, padding_idx, by_frequency = ctx.saved_tensors
        return _native.embedding_backward(grad, index, shape, padding_idx, by_frequency), None, None, None


def index(x: Tensor | Array, key: Any) -> Tensor:
    """Return ``x[key]``: integers, slices, None, ``...``, integer arrays, bool masks.

    A result that is contiguous in x shares its memory. IndexError for a key out of range or of another kind.

    Examples
    --------
    >>> import nnative
    >>> x = nnative.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> x[[0, 0, 2]].sum().backward()
    >>> x.grad
    array([2., 0., 1.], dtype=float32)
    """
    keys = tuple([_key(k) for k in key]) if isinstance(key, tuple) else (_key(key),)
    arrays = [k for k in keys if isinstance(k, np.ndarray)]
    if not arrays:
        return Slice.apply(x, keys)
    if all(k.dtype.kind in "iu" for k in arrays):
        arrays = [np.asarray(k, np.int64, order="C") for k in arrays]
        dim = len(keys) - len(arrays)
        if len(arrays) == 1 and len(keys) <= x.ndim and all(_is_all(k) for k in keys[:-1]):
            return Take.apply(x, arrays[0], dim)
        if dim == 0 and len(keys) <= x.ndim and all(k.shape == arrays[0].shape for k in arrays):
            return _at(x, arrays)
    return _at_places(x, keys)


def _key(key: Any) -> Any:
    """Return a part of a key with tensors, lists and arrays as arrays."""
    if isinstance(key, TensorBase):
        key = key._data
    elif isinstance(key, list):
        key = np.asarray(key) if key else np.zeros(0, np.int64)
    elif isinstance(key, bool | np.bool_):
        key = np.asarray(key)
    if isinstance(key, np.ndarray) and key.ndim == 0 and key.dtype.kind in "iu":
        return int(key)
    return key


def _is_all(key: Any) -> bool:
    return isinstance(key, slice) and key == slice(None)


def _at(x: Any, arrays: list[Array]) -> Tensor:
    """Return x[arrays[0], arrays[1], …] for arrays of one shape: the first dimensions become one."""
    shape = x.shape
    flat, size = arrays[0], shape[0]
    for index, n in zip(arrays[1:], shape[1:]):  # noqa: B905 (dimensions that no array indexes stay)
        try:
            flat = _native.join_index(flat, index, size, n)
        except IndexError as error:
            raise IndexError(f"[index] {error}, for shape {shape}") from None
        size *= n
    return Take.apply(reshape(x, (size, *shape[len(arrays) :])), flat, 0)


def _at_places(x: Any, keys: tuple[Any, ...]) -> Tensor:
    """Return x[keys] for any key that NumPy knows, from the places of its elements in x."""
    shape = x.shape
    try:
        places = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)[keys]
    except (IndexError, TypeError) as error:
        raise IndexError(f"[index] {error}, for shape {shape}") from None
    return Take.apply(reshape(x, (-1,)) if x.ndim != 1 else x, np.asarray(places, order="C"), 0)


def padding_row(padding_idx: int | None, rows: int) -> int | None:
    """Return the row of a ``padding_idx``, which may count from the end."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise ValueError(f"[embedding] expected padding_idx within {rows} embeddings, got {padding_idx}")
    return padding_idx % rows


def embedding(
    input: Tensor | Array,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of ``weight`` at integer indices.

    Parameters
    ----------
    input
        Indices from 0 on, integers of any shape (…).
    weight
        (num_embeddings, embedding_dim), float32 or float64.
    padding_idx
        A row that gets no gradient; negative ones count from the end.
    max_norm
        Scale the rows that are used and whose norm is larger to this norm first, in place.
    norm_type
        p of that p-norm, above 0; infinity for the largest absolute value.
    scale_grad_by_freq
        Divide the gradient of a row by how often it occurs in the input.
    sparse
        Accepted for PyTorch's sake if False: gradients are arrays of the weight's shape.

    Returns
    -------
    Tensor
        Of shape (…, embedding_dim).

    Raises
    ------
    IndexError
        For an index outside [0, num_embeddings).
    ValueError
        For a ``padding_idx`` outside the rows, and other values out of range.
    TypeError
        For indices that are no integers, and a weight of another dtype.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.gather import embedding
    >>> weight = nnative.tensor([[0.0, 0.0], [1.0, 2.0]], requires_grad=True)
    >>> embedding(nnative.tensor([1, 1, 0]), weight, padding_idx=0).sum().backward()
    >>> weight.grad
    array([[0., 0.],
           [2., 2.]], dtype=float32)
    """
    index = array_of("embedding", input)
    if index.dtype.kind not in "iu":
        raise TypeError(f"[embedding] expected indices that are integers, got {index.dtype}")
    table = array_of("embedding", weight)
    require_float("embedding", table)
    if table.ndim != 2:
        raise ValueError(f"[embedding] expected a weight of 2 dimensions, got shape {table.shape}")
    if sparse:
        raise ValueError("[embedding] expected sparse=False: gradients are dense arrays")
    row = padding_row(padding_idx, len(table))
    index = np.asarray(index, np.int64, order="C")
    try:
        if max_norm is not None:
            if not norm_type > 0:
                raise ValueError(f"[embedding] expected norm_type above 0, got {norm_type}")
            _native.embedding_renorm(table, index, max_norm, norm_type)
        return Embedding.apply(weight, index, row, scale_grad_by_freq)
    except IndexError:
        bad = index[(index < 0) | (index >= len(table))]
        raise IndexError(f"[embedding] index {bad[0]} is out of range for {len(table)} embeddings") from None
