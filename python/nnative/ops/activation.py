"""Activations: ReLU, sigmoid, tanh, step, softmax along a dimension; more in rectifier.py and smooth.py."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from nnative.autograd import Function
from nnative.ops.arithmetic import mul
from nnative.ops.elementwise import neg
from nnative.ops.gather import index
from nnative.ops.operands import normalise_dims
from nnative.ops.pointwise import apply, pointwise, require_tensor
from nnative.ops.shape import transpose

if TYPE_CHECKING:
    from nnative.tensor import Tensor


ReLU = pointwise("ReLU", "relu", saves_output=True)
LeakyReLU = pointwise("LeakyReLU", "leaky_relu")
Sigmoid = pointwise("Sigmoid", "sigmoid", saves_output=True)
Tanh = pointwise("Tanh", "tanh", saves_output=True)
Softmax = pointwise("Softmax", "softmax", saves_output=True)
LogSoftmax = pointwise("LogSoftmax", "log_softmax", saves_output=True)
Step = pointwise("Step", "step")
Sign = pointwise("Sign", "sign")


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Rectified linear unit, :math:`\max(x, 0)`; its derivative at 0 is 0, and NaN stays NaN.

    Parameters
    ----------
    input
        x, float32 or float64, any shape.
    inplace
        Accepted for PyTorch's sake, without effect; so it is in all activations.

    Raises
    ------
    TypeError
        For anything but a Tensor of float32 or float64.

    References
    ----------
    V. Nair and G. Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import relu
    >>> relu(nnative.Tensor(np.array([-1.0, 0.0, 2.0]))).numpy()
    array([0., 0., 2.])
    """
    return apply("relu", ReLU, input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    r"""Leaky rectified linear unit, :math:`x` where :math:`x > 0`, else :math:`\mathrm{negative\_slope}\cdot x`.

    Parameters
    ----------
    input
        x, float32 or float64, any shape.
    negative_slope
        The slope below zero; the lecture notes also use 0.1.
    inplace
        Accepted, without effect.

    Raises
    ------
    TypeError
        For anything but a Tensor of float32 or float64.

    References
    ----------
    A. Maas, A. Hannun and A. Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import leaky_relu
    >>> leaky_relu(nnative.Tensor(np.array([-1.0, 2.0])), 0.1).numpy()
    array([-0.1,  2. ])
    """
    return apply("leaky_relu", LeakyReLU, input, negative_slope)


def sigmoid(input: Tensor) -> Tensor:
    r"""Logistic function, :math:`1 / (1 + e^{-x})`, for a Tensor of float32 or float64 of any shape (else TypeError).

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import sigmoid
    >>> sigmoid(nnative.Tensor(np.array([-1e4, 0.0, 1e4]))).numpy()
    array([0. , 0.5, 1. ])
    """
    return apply("sigmoid", Sigmoid, input)


def tanh(input: Tensor) -> Tensor:
    r"""Hyperbolic tangent, :math:`2\sigma(2x) - 1`, for a Tensor of float32 or float64 of any shape (else TypeError).

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import tanh
    >>> tanh(nnative.Tensor(np.array([-1e4, 0.0, 1e4]))).numpy()
    array([-1.,  0.,  1.])
    """
    return apply("tanh", Tanh, input)


def step(input: Tensor) -> Tensor:
    """1 where x > 0, else 0, also at 0: the threshold neuron. Its gradient is 0 everywhere.

    References
    ----------
    W. McCulloch and W. Pitts, A logical calculus of the ideas immanent in nervous activity, 1943.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.activation import step
    >>> step(nnative.tensor([-2.0, 0.0, 2.0]))
    tensor([0., 0., 1.])
    """
    return apply("step", Step, input)


def sign(input: Tensor) -> Tensor:
    """1 where x > 0, else −1, also at 0 (`numpy.sign` gives 0 there): 2·step(x) − 1. Its gradient is 0 everywhere.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.activation import sign
    >>> sign(nnative.tensor([-2.0, 0.0, 2.0]))
    tensor([-1., -1.,  1.])
    """
    return apply("sign", Sign, input)


def softmax(input: Tensor, dim: int | None = None) -> Tensor:
    r"""Softmax along a dimension, :math:`e^{x_i} / \sum_j e^{x_j}`.

    Parameters
    ----------
    input
        x, float32 or float64, any shape.
    dim
        The dimension that sums to one; negative ones count from the end. Name it: without, it is the first of 0, 1 or 3
        dimensions and else the second, with a warning, as in PyTorch.

    Raises
    ------
    TypeError
        For anything but a Tensor of float32 or float64.
    ValueError
        When the input has no such dimension.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import softmax
    >>> softmax(nnative.Tensor(np.array([[1e4, 1e4], [0.0, -np.inf]])), dim=1).numpy()
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return _along("softmax", Softmax, input, dim)


def log_softmax(input: Tensor, dim: int | None = None) -> Tensor:
    r"""Logarithm of softmax along a dimension, :math:`x_i - \log\sum_j e^{x_j}`; arguments and errors as `softmax`.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import log_softmax
    >>> log_softmax(nnative.Tensor(np.array([0.0, 1e4])), dim=0).numpy()
    array([-10000.,      0.])
    """
    return _along("log_softmax", LogSoftmax, input, dim)


def softmin(input: Tensor, dim: int | None = None) -> Tensor:
    r"""Softmax of −x along a dimension, :math:`e^{-x_i} / \sum_j e^{-x_j}`; arguments and errors as `softmax`.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import softmin
    >>> softmin(nnative.Tensor(np.array([0.0, 1e4])), dim=0).numpy()
    array([1., 0.])
    """
    require_tensor("softmin", input)
    return _along("softmin", Softmax, neg(input), dim)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    r"""Gated linear unit, :math:`a\,\sigma(b)` of the two halves a and b along a dimension.

    Parameters
    ----------
    input
        float32 or float64, of an even size along ``dim``.
    dim
        The dimension that is halved.

    Raises
    ------
    TypeError
        For anything but a Tensor of float32 or float64.
    ValueError
        When the input has no such dimension, or an odd size along it.

    References
    ----------
    Y. Dauphin et al., Language modeling with gated convolutional networks, ICML 2017.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import glu
    >>> glu(nnative.Tensor(np.array([1.0, 2.0, 0.0, 1e4]))).numpy()
    array([0.5, 2. ])
    """
    require_tensor("glu", input)
    shape = input.data.shape
    (at,) = normalise_dims("glu", dim, len(shape))
    if shape[at] % 2:
        raise ValueError(f"[glu] expected an even size along dimension {dim}, got shape {shape}")
    half, before = shape[at] // 2, (slice(None),) * at
    return mul(index(input, (*before, slice(0, half))), sigmoid(index(input, (*before, slice(half, None)))))


def _along(name: str, function: type[Function], x: Tensor, dim: int | None) -> Tensor:
    """Apply a function of the last dimension along another one."""
    require_tensor(name, x)
    if dim is None:
        dim = 0 if x.data.ndim in (0, 1, 3) else 1
        warnings.warn(f"[{name}] dim should be given; took {dim} for shape {x.data.shape}", UserWarning, stacklevel=3)
    dims = max(x.data.ndim, 1)
    if not hasattr(dim, "__index__"):
        raise TypeError(f"[{name}] expected dim to be an int, got {dim!r}")
    if not -dims <= dim < dims:
        raise ValueError(f"[{name}] expected dim from {-dims} to {dims - 1}, got {dim} for shape {x.data.shape}")
    if dim % dims == dims - 1:
        return function.apply(x)
    return transpose(function.apply(transpose(x, dim, -1)), dim, -1)
