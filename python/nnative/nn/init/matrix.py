"""Initialisers of whole matrices: identities, orthogonal and sparse ones."""

from __future__ import annotations

import math

import numpy as np

from nnative import random
from nnative.nn.init.target import T, data_of

Generator = random.Generator


def eye_(tensor: T) -> T:
    """Fill a matrix with the identity: as many inputs as possible come out of a linear layer as they are.

    Raises ValueError for another number of dimensions.
    """
    data = data_of("eye_", tensor)
    if data.ndim != 2:
        raise ValueError(f"[eye_] Only tensors with 2 dimensions are supported, got shape {data.shape}")
    data[...] = np.eye(*data.shape, dtype=data.dtype)
    return tensor


def dirac_(tensor: T, groups: int = 1) -> T:
    """Fill the weight of a convolution so that it keeps as many channels of its input, of each group, as possible.

    Raises ValueError for other than 3, 4 or 5 dimensions, and for groups that do not divide the outputs.

    Examples
    --------
    >>> import nnative
    >>> from nnative.nn import init
    >>> init.dirac_(nnative.zeros(1, 2, 3))
    tensor([[[0., 1., 0.],
             [0., 0., 0.]]])
    """
    data = data_of("dirac_", tensor)
    if data.ndim not in (3, 4, 5):
        raise ValueError(f"[dirac_] Only tensors with 3, 4, or 5 dimensions are supported, got shape {data.shape}")
    if groups < 1 or data.shape[0] % groups:
        raise ValueError(f"[dirac_] dim 0 must be divisible by groups, got shape {data.shape} and {groups}")
    data[...] = 0
    outputs = data.shape[0] // groups
    kept = np.arange(min(outputs, data.shape[1]))
    middle = tuple(size // 2 for size in data.shape[2:])
    for g in range(groups):
        place = (g * outputs + kept, kept, *middle)
        data[place] = 1
    return tensor


def orthogonal_(tensor: T, gain: float = 1, generator: Generator | None = None) -> T:
    """Fill with ``gain`` times a matrix whose rows, or columns if there are fewer, are orthonormal; each as likely.

    Dimensions behind the first are one. Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", 2014. Raises ValueError for fewer than 2 dimensions.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.nn import init
    >>> w = init.orthogonal_(nnative.zeros(3, 5)).data
    >>> bool(np.allclose(w @ w.T, np.eye(3), atol=1e-5))
    True
    """
    data = data_of("orthogonal_", tensor)
    if data.ndim < 2:
        raise ValueError(f"[orthogonal_] Only tensors with 2 or more dimensions are supported, got shape {data.shape}")
    if data.size == 0:
        return tensor
    rows, columns = data.shape[0], data.size // data.shape[0]
    draw = generator or random.default_generator
    q, r = np.linalg.qr(draw.normal((max(rows, columns), min(rows, columns)), 0.0, 1.0, np.float64))
    q *= np.sign(np.diagonal(r))  # otherwise some matrices would be likelier: Mezzadri 2007
    data[...] = gain * (q.T if rows < columns else q).reshape(data.shape)
    return tensor


def sparse_(tensor: T, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> T:
    """Fill a matrix with normal numbers, but a share ``sparsity`` of each column, at random places, with 0.

    Columns are the inputs of a `Linear`. For units with k incoming weights each, the rule of Martens, "Deep learning
    via Hessian-free optimization", 2010, fill the transpose. ValueError for another number of dimensions and for a
    sparsity outside [0, 1].

    Examples
    --------
    >>> import nnative
    >>> from nnative.nn import init
    >>> (init.sparse_(nnative.ones(10, 3), 0.7).data == 0).sum(0)
    array([7, 7, 7])
    """
    data = data_of("sparse_", tensor)
    if data.ndim != 2:
        raise ValueError(f"[sparse_] Only tensors with 2 dimensions are supported, got shape {data.shape}")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"[sparse_] expected sparsity between 0 and 1, got {sparsity}")
    draw = generator or random.default_generator
    data[...] = draw.normal(data.shape, 0.0, std, data.dtype)
    order = np.argsort(draw.uniform(data.shape, 0.0, 1.0, np.float64), axis=0)
    np.put_along_axis(data, order[: math.ceil(sparsity * len(data))], 0, axis=0)
    return tensor
