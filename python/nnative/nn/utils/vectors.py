"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nnative import ops
from nnative.autograd import Array, TensorBase
from nnative.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return all values of the parameters as one tensor of one dimension; gradients flow back through it.

    Raises
    ------
    ValueError
        For no parameters.

    Examples
    --------
    >>> from nnative import nn
    >>> nn.utils.parameters_to_vector(nn.Linear(3, 2).parameters()).shape
    (8,)
    """
    flat = [ops.reshape(p, (-1,)) for p in parameters]
    if not flat:
        raise ValueError("[parameters_to_vector] expected parameters, got none")
    return ops.cat(flat)


def vector_to_parameters(vec: Tensor | Array, parameters: Iterable[Tensor]) -> None:
    """Copy the values of a vector into the parameters, in place: recorded steps and optimizers see them.

    Raises
    ------
    TypeError, ValueError
        For another type, dtype or number of values than the parameters have; they are then unchanged.

    Examples
    --------
    >>> import numpy as np
    >>> from nnative import nn
    >>> layer = nn.Linear(2, 1)
    >>> nn.utils.vector_to_parameters(np.array([1, 2, 3], np.float32), layer.parameters())
    >>> layer.weight.data, layer.bias.data
    (array([[1., 2.]], dtype=float32), array([3.], dtype=float32))
    """
    values = vec._data if isinstance(vec, TensorBase) else vec
    if not isinstance(values, np.ndarray):
        raise TypeError(f"[vector_to_parameters] expected a tensor or an array, got {type(vec).__name__}")
    targets = list(parameters)
    size = sum(p.numel() for p in targets)
    if values.shape != (size,):
        raise ValueError(f"[vector_to_parameters] expected a vector of {size} values, got shape {values.shape}")
    for p in targets:
        if p.dtype != values.dtype:
            raise TypeError(f"[vector_to_parameters] expected {p.dtype}, as the parameters are, got {values.dtype}")
    start = 0
    for p in targets:
        p.data[...] = values[start : start + p.numel()].reshape(p.shape)
        start += p.numel()
