"""Copies and conversions between dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, wrap
from nnative.ops.operands import silent

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from nnative.tensor import Tensor


class Cast(Function):
    """x in another dtype; a copy also where the dtype stays."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, dtype: Any) -> Array:  # noqa: D102
        ctx.dtype = x.dtype
        return _convert(x, dtype)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return _convert(grad, ctx.dtype), None


@silent
def _convert(x: Array, dtype: Any) -> Array:
    if x.dtype == dtype:
        return _native.copy(x)
    native = dtype.kind == "f" and (x.dtype.kind == "f" or x.dtype in (np.int64, np.uint8, np.bool_))
    return _native.cast(x, dtype) if native else x.astype(dtype)


def clone(x: Tensor) -> Tensor:
    """Return a copy; gradients flow back through it."""
    return Cast.apply(x, x.dtype)


def cast(x: Tensor, dtype: DTypeLike) -> Tensor:
    """Return x in another dtype, x itself if it has it; gradients flow back from one float type to the other.

    Examples
    --------
    >>> import nnative
    >>> nnative.tensor([0, 1]).to("float64")
    tensor([0., 1.], dtype=float64)
    """
    wanted = np.dtype(dtype)
    if wanted == x.dtype:
        return x
    if wanted.kind not in "fiub" or (wanted.kind == "f" and wanted.itemsize not in (4, 8)):
        raise TypeError(f"[to] expected float32, float64, an integer type or bool, got {wanted}")
    if wanted.kind == "f":
        return Cast.apply(x, wanted)
    with np.errstate(all="ignore"):
        return wrap(x._data.astype(wanted))
