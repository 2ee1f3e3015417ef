"""Tensor: one C-contiguous ndarray, its gradient, and the operators that put operations on the tape."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnative import autograd
from nnative.autograd import Array, TensorBase


class Tensor(TensorBase):
    """An ndarray that remembers how it was computed."""

    __slots__ = ()
    __array_ufunc__ = None  # ndarray + Tensor is Tensor.__radd__

    def numpy(self) -> Array:
        """Return the data, sharing memory."""
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy:
            return np.array(self.data, dtype=dtype)
        return np.asarray(self.data, dtype=dtype)


autograd.set_tensor_type(Tensor)
