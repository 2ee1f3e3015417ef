"""Functions that make tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative.autograd import Array
from nnative.conversion import as_data
from nnative.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def tensor(data: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor with a copy of the data; see `Tensor` for what data may be.

    Examples
    --------
    >>> import nnative
    >>> nnative.tensor([[1, 2], [3, 4]], dtype="float32")
    tensor([[1., 2.],
            [3., 4.]])
    """
    array = as_data(data, dtype, "tensor")
    return Tensor(array.copy() if isinstance(data, np.ndarray | Tensor) else array, requires_grad)


def from_numpy(array: Array) -> Tensor:
    """Return a tensor that shares the memory of a C-contiguous ndarray; TypeError for anything else."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"[from_numpy] expected an ndarray, got {type(array).__name__}")
    if not array.flags.c_contiguous:
        raise ValueError(f"[from_numpy] expected a C-contiguous array to share, got strides {array.strides}")
    return Tensor(array)


def _shape(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    if len(size) == 1 and isinstance(size[0], tuple | list):
        size = tuple(size[0])
    if not all(isinstance(n, int | np.integer) and n >= 0 for n in size):
        raise ValueError(f"[{name}] expected sizes that are integers of at least 0, got {size}")
    return size


def zeros(*size: Any, dtype: DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """Return a tensor of zeros: ``zeros(2, 3)`` or ``zeros((2, 3))``."""
    return Tensor(np.zeros(_shape("zeros", size), dtype), requires_grad)


def ones(*size: Any, dtype: DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """Return a tensor of ones: ``ones(2, 3)`` or ``ones((2, 3))``."""
    return Tensor(np.ones(_shape("ones", size), dtype), requires_grad)


def full(size: Any, fill_value: float, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor with one value everywhere, by default float32 for a float and int64 for an int."""
    filled = np.broadcast_to(as_data(fill_value, dtype, "full"), _shape("full", (size,)))
    return Tensor(filled.copy(), requires_grad)


def arange(start: float, end: float | None = None, step: float = 1, dtype: DTypeLike | None = None) -> Tensor:
    """Return the numbers from ``start`` (0 if only one argument is given) up to ``end``, which is left out."""
    first, last = (0, start) if end is None else (start, end)
    if dtype is None and any(isinstance(v, float) for v in (first, last, step)):
        dtype = np.float32
    try:
        values: Array = np.arange(first, last, step, dtype)  # type: ignore[call-overload]
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f"[arange] expected finite numbers and a step that is not 0, got {first}, {last}, {step}"
        ) from None
    return Tensor(values)


def zeros_like(x: Tensor | Array, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return zeros of the shape and dtype of x."""
    return Tensor(np.zeros(x.shape, x.dtype if dtype is None else dtype), requires_grad)


def ones_like(x: Tensor | Array, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return ones of the shape and dtype of x."""
    return Tensor(np.ones(x.shape, x.dtype if dtype is None else dtype), requires_grad)
