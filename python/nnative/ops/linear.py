"""Matrix products: the linear layer's ``x Wᵀ + b`` and ``a @ b``, both on the same three kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function
from nnative.ops.operands import array_of, require_float, same_dtype, unbroadcast
from nnative.ops.shape import reshape

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class Linear(Function):
    """x (…,K) · weightᵀ (M,K) + bias (M)."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, weight: Array, bias: Array | None) -> Array:  # noqa: D102
        if type(x) is np.ndarray and x.ndim == 2:
            try:
                y = _native.linear_forward(x, weight, bias)
            except (TypeError, ValueError):  # the kernel takes less, and says less about what it does not take
                pass
            else:
                ctx.saved_tensors = x, weight
                ctx.shape = None
                return y
        _check_linear(x, weight, bias)
        rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
        if not rows.flags.c_contiguous:
            rows = _native.copy(rows)
        ctx.saved_tensors = rows, weight
        ctx.shape = x.shape
        return _native.linear_forward(rows, weight, bias).reshape(*x.shape[:-1], weight.shape[0])

    @staticmethod
    def backward(ctx: Any, dy: Array) -> Any:  # noqa: D102
        x, weight = ctx.saved_tensors
        need_x, need_weight, need_bias = ctx.needs_input_grad
        if ctx.shape is not None:
            dy = dy.reshape(x.shape[0], weight.shape[0])
        dx = dweight = dbias = None
        if need_x:
            dx = _native.linear_backward_input(dy, weight)
            if ctx.shape is not None:
                dx = dx.reshape(ctx.shape)
        if need_weight or need_bias:
            dweight, dbias = _native.linear_backward_weight(dy, x, need_bias)
        return dx, dweight, dbias


def _check_linear(x: Any, weight: Array, bias: Array | None) -> None:
    x = array_of("linear", x)
    require_float("linear", x)
    same_dtype("linear", x, weight, *([] if bias is None else [bias]))
    if weight.ndim != 2:
        raise ValueError(f"[linear] expected a weight of 2 dimensions, got shape {weight.shape}")
    if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ValueError(f"[linear] expected input of {weight.shape[1]} features, got shape {x.shape}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"[linear] expected a bias of shape {weight.shape[:1]}, got {bias.shape}")


class MatMul(Function):
    """a (…,N,K) · b (…,K,M), batches broadcast."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:  # noqa: D102
        ctx.save_for_backward(a, b)
        return _batched(_native.linear_backward_input, a, b, (a.shape[-2], b.shape[-1]))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        a, b = ctx.saved_tensors
        da = db = None
        if ctx.needs_input_grad[0]:
            da = unbroadcast(_batched(_nt, grad, b, a.shape[-2:]), a.shape)
        if ctx.needs_input_grad[1]:
            db = unbroadcast(_batched(_tn, a, grad, b.shape[-2:]), b.shape)
        return da, db


def _nt(a: Array, b: Array) -> Array:
    """Return a · bᵀ."""
    return _native.linear_forward(a, b, None)


def _tn(a: Array, b: Array) -> Array:
    """Return aᵀ · b."""
    return _native.linear_backward_weight(a, b, False)[0]


def _batched(product: Callable[[Array, Array], Array], a: Array, b: Array, shape: tuple[int, ...]) -> Array:
    """Apply a product of matrices to every pair of matrices in two batches."""
    if a.ndim == b.ndim == 2:
        return product(a, b)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    out = _native.empty((*batch, *shape), a.dtype)
    a, b = np.broadcast_to(a, batch + a.shape[-2:]), np.broadcast_to(b, batch + b.shape[-2:])
    for i in np.ndindex(*batch):
        _native.assign(out[i], product(a[i], b[i]))
    return out


def linear(input: Tensor | Array, weight: Tensor | Array, bias: Tensor | Array | None = None) -> Tensor:
    """Return input · weightᵀ + bias.

    Parameters
    ----------
    input
        Of shape (…, K), float32 or float64.
    weight
        Of shape (M, K) and the input's dtype.
    bias
        Of shape (M), or None.

    Returns
    -------
    Tensor
        Of shape (…, M).

    Raises
    ------
    ValueError, TypeError
        For shapes that do not fit, and for several dtypes.

    Examples
    --------
    >>> import nnative
    >>> nnative.ops.linear(nnative.ones(2, 3), nnative.ones(1, 3), nnative.ones(1))
    tensor([[4.],
            [4.]])
    """
    return Linear.apply(input, weight, bias)


def matmul(a: Tensor | Array, b: Tensor | Array) -> Tensor:
    """Return the matrix product: of matrices, of vectors, and of batches of matrices, which broadcast.

    Raises ValueError for shapes that do not fit, TypeError for several dtypes and for numbers.

    Examples
    --------
    >>> import nnative
    >>> nnative.tensor([[1.0, 2.0], [3.0, 4.0]]) @ nnative.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    x, y = array_of("matmul", a), array_of("matmul", b)
    require_float("matmul", x)
    require_float("matmul", y)
    same_dtype("matmul", x, y)
    if x.ndim == 0 or y.ndim == 0 or x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
        raise ValueError(f"[matmul] expected shapes (…, N, K) and (…, K, M), got {x.shape} and {y.shape}")
    if x.ndim > 2 or y.ndim > 2:
        try:
            np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        except ValueError:
            raise ValueError(f"[matmul] expected batches that broadcast, got {x.shape} and {y.shape}") from None
    a, b = (np.asarray(v, order="C") if isinstance(v, np.ndarray) else v for v in (a, b))
    if (x.ndim > 1 and y.ndim > 2) or x.ndim == y.ndim == 2:
        return MatMul.apply(a, b)
    return _flat_matmul(a, b, x.shape, y.shape)


def _flat_matmul(a: Any, b: Any, a_shape: tuple[int, ...], b_shape: tuple[int, ...]) -> Tensor:
    """Return a product with a vector (one row on the left, one column on the right) or of a batch with one matrix."""
    if len(b_shape) == 1:
        b = reshape(b, (*b_shape, 1))
    rows = (1, *a_shape) if len(b_shape) > 2 else (math.prod(a_shape[:-1]), a_shape[-1])
    product = MatMul.apply(reshape(a, rows), b)
    columns = b_shape[-1:] if len(b_shape) > 1 else ()
    return reshape(product, (*a_shape[:-1], *b_shape[:-2], *columns))
