"""What operations on several arrays share: the rule for their dtypes, and the gradient of broadcasting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nnative import _native
from nnative.autograd import Array, TensorBase

if TYPE_CHECKING:
    from nnative.tensor import Tensor

# What an operation takes where it takes a tensor.
Operand: TypeAlias = "Tensor | Array | float"
Dims: TypeAlias = "int | tuple[int, ...] | None"

# Infinity and NaN are results, as in PyTorch, not warnings.
silent = np.errstate(all="ignore")


def operands(name: str, a: Any, b: Any) -> tuple[Array, Array]:
    """Return two arrays of one dtype: a Python number takes the other's, anything else is an error.

    Raises
    ------
    TypeError
        For float32 with float64, a float with an integer or bool array, and what is no array or number.
    """
    if type(a) is np.ndarray and type(b) is np.ndarray and a.dtype is b.dtype:
        return a, b
    a_is_number, b_is_number = type(a) in (float, int, bool), type(b) in (float, int, bool)
    if b_is_number and not a_is_number:
        a = array_of(name, a)
        return a, _adopt(name, b, a.dtype)
    if a_is_number and not b_is_number:
        b = array_of(name, b)
        return _adopt(name, a, b.dtype), b
    a, b = array_of(name, a), array_of(name, b)
    same_dtype(name, a, b)
    return a, b


def array_of(name: str, value: Any) -> Array:
    """Return an array for an array, a tensor or a number."""
    if isinstance(value, TensorBase):
        value = value._data
    if not isinstance(value, np.ndarray | np.generic | float | int):
        raise TypeError(f"[{name}] expected a tensor, an array or a number, got {type(value).__name__}")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8 or array.dtype == np.float16:
        raise TypeError(f"[{name}] expected float32, float64, integers or bool, got {array.dtype}")
    return array


def same_dtype(name: str, *arrays: Array) -> None:
    """Raise TypeError unless all arrays are of one float dtype, or all hold integers, or all hold bools."""
    first = arrays[0].dtype
    for array in arrays[1:]:
        other = array.dtype
        if first != other and not (first.kind in "iu" and other.kind in "iu"):
            raise TypeError(
                f"[{name}] expected operands of one dtype, got {first} and {other}: convert one with to(dtype)"
            )


def require_float(name: str, x: Any) -> None:
    """Raise TypeError unless x is a float32 or float64 array."""
    if not isinstance(x, np.ndarray) or x.dtype.char not in "fd":
        got = x.dtype if isinstance(x, np.ndarray | np.generic) else type(x).__name__
        raise TypeError(f"[{name}] expected a float32 or float64 tensor, got {got}")


def _adopt(name: str, number: float, dtype: np.dtype[Any]) -> Array:
    if dtype.kind != "f" and type(number) is float:
        raise TypeError(f"[{name}] expected an integer beside a tensor of {dtype}, got {number}")
    try:
        return np.asarray(number, dtype)
    except OverflowError:
        raise OverflowError(f"[{name}] expected a number that fits into {dtype}, got {number}") from None


def fail_broadcast(name: str, a: Array, b: Array) -> ValueError:
    """Return the error for shapes that do not broadcast."""
    return ValueError(f"[{name}] expected shapes that broadcast, got {a.shape} and {b.shape}")


def unbroadcast(grad: Array, shape: tuple[int, ...]) -> Array:
    """Return the gradient of an operand of ``shape`` that was broadcast to the gradient's shape: a sum."""
    return grad if grad.shape == shape else _native.sum_to(grad, shape, 1.0)


def natives(a: Any, b: Any) -> bool:
    """Return whether kernels take both as they are: float arrays of one dtype, or one of them and a number."""
    if type(a) is np.ndarray:
        if a.dtype.char in "fd":
            if type(b) is np.ndarray:
                if b.dtype is a.dtype:
                    return True
            elif type(b) is float or type(b) is int:
                return True
    elif type(b) is np.ndarray and (type(a) is float or type(a) is int):
        return b.dtype.char in "fd"
    return False


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
