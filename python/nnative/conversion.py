"""From whatever a user has to the array of a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative.autograd import Array, TensorBase

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def as_data(data: Any, dtype: DTypeLike | None = None, name: str = "Tensor") -> Array:
    """Return data as a C-contiguous ndarray of float32, float64, integers or bool.

    Python floats become float32, arrays keep their dtype and, if they are C-contiguous, share their memory.
    TypeError for other dtypes, ValueError for lists of uneven lengths.
    """
    if isinstance(data, TensorBase):
        array = data._data
    elif isinstance(data, list | tuple):
        array = _from_list(data, name)
    elif isinstance(data, float):
        array = np.asarray(data, np.float64 if isinstance(data, np.float64) else np.float32)
    else:
        array = np.asarray(data)
    wanted = array.dtype if dtype is None else np.dtype(dtype)
    for d in (array.dtype, wanted):
        if d.kind not in "fiub" or (d.kind == "f" and d.itemsize not in (4, 8)):
            hint = ": convert it with astype(numpy.float32)" if d.kind == "f" else ""
            raise TypeError(f"[{name}] expected float32, float64, integers or bool, got {d}{hint}")
    native = np.dtype(wanted.char)  # NumPy's own object, so that dtypes compare by identity
    array = np.asarray(array, native, order="C")
    if array.dtype is not native:
        array = array.view(native)
    return array if array.flags.aligned else array.copy()


def _from_list(data: list[Any] | tuple[Any, ...], name: str) -> Array:
    first: Any = data
    while isinstance(first, list | tuple) and first:
        first = first[0]
    if isinstance(first, TensorBase):
        raise TypeError(f"[{name}] expected numbers, got a list of tensors: join them with nnative.stack")
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(f"[{name}] expected lists of even lengths: {error}") from None
    if array.dtype == np.float64 and not isinstance(first, np.ndarray | np.generic):
        with np.errstate(over="ignore"):
            array = array.astype(np.float32)
    return array
