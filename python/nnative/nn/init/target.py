"""The array that an initialiser fills."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from nnative.autograd import Array, TensorBase

T = TypeVar("T", bound=TensorBase)


def data_of(operation: str, tensor: Any) -> Array:
    """Return a tensor's array; raise unless it is a float array that can be written."""
    if not isinstance(tensor, TensorBase):
        raise TypeError(f"[{operation}] expected a Tensor, got {type(tensor).__name__}")
    if tensor.data.dtype not in (np.float32, np.float64) and operation != "constant_":
        raise TypeError(f"[{operation}] expected a float32 or float64 tensor, got {tensor.data.dtype}")
    data: Array = tensor.data
    if not data.flags.writeable:
        raise ValueError(f"[{operation}] expected a tensor that can be written, got a read-only array of {data.shape}")
    return data
