"""ArrayDataset: arrays of equal length, sliced together."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from nnative.autograd import Array
from nnative.tensor import Tensor

Batch: TypeAlias = tuple[Any, ...]


class ArrayDataset:
    """Arrays whose first axis counts the same samples: inputs, targets, weights.

    ``dataset[index]`` is a tuple with the rows of each array. A slice gives views; an array of indices gives one gather
    for each array. What was given as a Tensor comes back as a Tensor, an ndarray as an ndarray.

    Parameters
    ----------
    *arrays
        ndarrays or Tensors of shape (N, …) and any numeric dtype. One that is not C-contiguous is copied, once, so that
        every batch is contiguous.

    Raises
    ------
    ValueError
        For arrays of different lengths, without a first axis, or of Python objects; for a Tensor that requires a
        gradient (its batches would be cut off from the tape).
    TypeError
        For anything that is not an ndarray or a Tensor.

    Examples
    --------
    >>> import numpy as np
    >>> from nnative.data import ArrayDataset
    >>> data = ArrayDataset(np.arange(6.0).reshape(3, 2), np.array([0, 1, 0]))
    >>> len(data)
    3
    >>> data[1:]
    (array([[2., 3.],
           [4., 5.]]), array([1, 0]))
    """

    def __init__(self, *arrays: Array | Tensor) -> None:
        if not arrays:
            raise ValueError("[ArrayDataset] expected at least one array, got none")
        self.arrays = tuple(_checked(i, a) for i, a in enumerate(arrays))
        lengths = [len(a) for a in map(_data, self.arrays)]
        if len(set(lengths)) > 1:
            shapes = ", ".join(str(_data(a).shape) for a in self.arrays)
            raise ValueError(f"[ArrayDataset] expected arrays of equal length, got shapes {shapes}")
        self._length = lengths[0]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: slice | Array | int) -> Batch:
        return tuple(take(a, index) for a in self.arrays)

    def __repr__(self) -> str:
        parts = ", ".join(f"{_data(a).dtype} {_data(a).shape}" for a in self.arrays)
        return f"ArrayDataset({parts})"


def take(array: Array | Tensor, index: slice | Array | int) -> Any:
    """Return rows of an array: a view for a slice, one gather for an array of indices."""
    if isinstance(array, Tensor):
        return Tensor(take(array.data, index))
    # numpy.take copies whole rows and keeps C order, both unlike array[index]
    return np.take(array, index, axis=0) if isinstance(index, np.ndarray) and index.dtype.kind in "iu" else array[index]


def _data(array: Array | Tensor) -> Array:
    return array.data if isinstance(array, Tensor) else array


def _checked(position: int, array: Array | Tensor) -> Array | Tensor:
    data = _data(array)
    where = f"[ArrayDataset] array {position}:"
    if not isinstance(data, np.ndarray):
        raise TypeError(f"{where} expected an ndarray or a Tensor, got {type(array).__name__}")
    if data.ndim == 0:
        raise ValueError(f"{where} expected an array with a first axis of samples, got shape ()")
    if data.dtype.hasobject:
        raise ValueError(f"{where} expected numbers, got dtype {data.dtype}")
    if isinstance(array, Tensor):
        if array.requires_grad:
            raise ValueError(f"{where} got a Tensor that requires a gradient; pass its ndarray, tensor.data")
        return array
    return np.ascontiguousarray(array)
