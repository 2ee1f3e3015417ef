"""Operations composed of others: products of two inputs, the largest of several pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnative.autograd import Array
from nnative.ops.arithmetic import mul
from nnative.ops.linear import linear
from nnative.ops.operands import array_of, same_dtype
from nnative.ops.reduce import max
from nnative.ops.shape import reshape, unflatten

if TYPE_CHECKING:
    from nnative.tensor import Tensor


def bilinear(input1: Tensor | Array, input2: Tensor | Array, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    r"""Return :math:`y_o = x_1^T W_o\, x_2 + b_o`: one matrix product with the outer products of the inputs.

    Parameters
    ----------
    input1, input2
        (…, K1) and (…, K2), alike but for the last dimension, float32 or float64.
    weight
        (M, K1, K2).
    bias
        (M), or None.

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
    >>> from nnative.ops.bilinear import bilinear
    >>> bilinear(nnative.tensor([1.0, 2.0]), nnative.tensor([3.0]), nnative.ones(1, 2, 1))
    tensor([9.])
    """
    x1, x2, w = (array_of("bilinear", a) for a in (input1, input2, weight))
    same_dtype("bilinear", x1, x2, w)
    if w.ndim != 3:
        raise ValueError(f"[bilinear] expected a weight of 3 dimensions, got shape {w.shape}")
    M, K1, K2 = w.shape
    if not x1.ndim or not x2.ndim or x1.shape[:-1] != x2.shape[:-1] or (x1.shape[-1], x2.shape[-1]) != (K1, K2):
        raise ValueError(f"[bilinear] expected inputs of shape (…, {K1}) and (…, {K2}), got {x1.shape} and {x2.shape}")
    outer = mul(reshape(input1, (*x1.shape, 1)), reshape(input2, (*x2.shape[:-1], 1, K2)))
    return linear(reshape(outer, (*x1.shape[:-1], K1 * K2)), reshape(weight, (M, K1 * K2)), bias)


def maxout(x: Tensor | Array, num_pieces: int) -> Tensor:
    """Return the largest of each ``num_pieces`` consecutive elements of the last dimension.

    The first of equal elements receives the gradient. ValueError where they do not divide the dimension. Goodfellow et
    al., "Maxout networks", 2013.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.bilinear import maxout
    >>> maxout(nnative.tensor([1.0, 3.0, 2.0, 0.0]), 2)
    tensor([3., 2.])
    """
    if not x.ndim or num_pieces < 1 or x.shape[-1] % num_pieces:
        raise ValueError(f"[maxout] expected a last dimension divisible by {num_pieces}, got shape {x.shape}")
    values: Tensor = max(unflatten(x, -1, (x.shape[-1] // num_pieces, num_pieces)), -1)[0]
    return values
