"""Activations: elementwise functions, and softmax along a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnative import _native
from nnative.autograd import Array, Function, TensorBase
from nnative.ops.shape import transpose

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class _FromOutput(Function):
    """An operation whose gradient follows from its result alone; subclasses name the two kernels."""

    returns_fresh = True
    kernels: tuple[Any, Any]

    @classmethod
    def forward(cls, ctx: Any, x: Array) -> Array:
        y: Array = cls.kernels[0](x)
        ctx.save_for_backward(y)
        return y

    @classmethod
    def backward(cls, ctx: Any, grad: Array) -> Any:
        return cls.kernels[1](grad, *ctx.saved_tensors)


class ReLU(_FromOutput):
    """max(x, 0)."""

    kernels = (_native.relu_forward, _native.relu_backward)


class Sigmoid(_FromOutput):
    """1 / (1 + e^−x)."""

    kernels = (_native.sigmoid_forward, _native.sigmoid_backward)


class Tanh(_FromOutput):
    """tanh x."""

    kernels = (_native.tanh_forward, _native.tanh_backward)


class Exp(_FromOutput):
    """e^x."""

    kernels = (_native.exp_forward, _native.exp_backward)


class Softmax(_FromOutput):
    """e^x / Σ e^x along the last dimension."""

    kernels = (_native.softmax_forward, _native.softmax_backward)


class LogSoftmax(_FromOutput):
    """x − log Σ e^x along the last dimension."""

    kernels = (_native.log_softmax_forward, _native.log_softmax_backward)


class LeakyReLU(Function):
    """x where x > 0, else negative_slope·x."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, negative_slope: float) -> Array:  # noqa: D102
        ctx.save_for_backward(x)
        ctx.negative_slope = negative_slope
        return _native.leaky_relu_forward(x, negative_slope)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (x,) = ctx.saved_tensors
        return _native.leaky_relu_backward(grad, x, ctx.negative_slope), None


class Log(Function):
    """The natural logarithm."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:  # noqa: D102
        ctx.save_for_backward(x)
        return _native.log_forward(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return _native.log_backward(grad, *ctx.saved_tensors)


def _require_tensor(name: str, x: Any) -> None:
    if not isinstance(x, TensorBase):
        raise TypeError(f"[{name}] expected a Tensor, got {type(x).__name__}")


def relu(x: Tensor) -> Tensor:
    r"""Rectified linear unit, :math:`\max(x, 0)`; its derivative at 0 is 0, and NaN stays NaN.

    Parameters
    ----------
    x
        float32 or float64, any shape.

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
    _require_tensor("relu", x)
    return ReLU.apply(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    r"""Leaky rectified linear unit, :math:`x` where :math:`x > 0`, else :math:`\mathrm{negative\_slope}\cdot x`.

    Parameters
    ----------
    x
        float32 or float64, any shape.
    negative_slope
        The slope below zero; the lecture notes also use 0.1.

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
    _require_tensor("leaky_relu", x)
    return LeakyReLU.apply(x, negative_slope)


def sigmoid(x: Tensor) -> Tensor:
    r"""Logistic function, :math:`1 / (1 + e^{-x})`, for a Tensor of float32 or float64 of any shape (else TypeError).

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import sigmoid
    >>> sigmoid(nnative.Tensor(np.array([-1e4, 0.0, 1e4]))).numpy()
    array([0. , 0.5, 1. ])
    """
    _require_tensor("sigmoid", x)
    return Sigmoid.apply(x)


def tanh(x: Tensor) -> Tensor:
    r"""Hyperbolic tangent, :math:`2\sigma(2x) - 1`, for a Tensor of float32 or float64 of any shape (else TypeError).

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import tanh
    >>> tanh(nnative.Tensor(np.array([-1e4, 0.0, 1e4]))).numpy()
    array([-1.,  0.,  1.])
    """
    _require_tensor("tanh", x)
    return Tanh.apply(x)


def exp(x: Tensor) -> Tensor:
    """Exponential function, for a Tensor of float32 or float64 of any shape (else TypeError).

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import exp
    >>> exp(nnative.Tensor(np.array([0.0, -np.inf]))).numpy()
    array([1., 0.])
    """
    _require_tensor("exp", x)
    return Exp.apply(x)


def log(x: Tensor) -> Tensor:
    """Natural logarithm, for a Tensor of float32 or float64 of any shape (else TypeError); −∞ at 0, NaN below.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import log
    >>> log(nnative.Tensor(np.array([0.0, 1.0]))).numpy()
    array([-inf,   0.])
    """
    _require_tensor("log", x)
    return Log.apply(x)


def softmax(x: Tensor, dim: int) -> Tensor:
    r"""Softmax along a dimension, :math:`e^{x_i} / \sum_j e^{x_j}`.

    Parameters
    ----------
    x
        float32 or float64, any shape.
    dim
        The dimension that sums to one; negative ones count from the end.

    Raises
    ------
    TypeError
        For anything but a Tensor of float32 or float64.
    ValueError
        When x has no such dimension.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import softmax
    >>> softmax(nnative.Tensor(np.array([[1e4, 1e4], [0.0, -np.inf]])), dim=1).numpy()
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return _along("softmax", Softmax, x, dim)


def log_softmax(x: Tensor, dim: int) -> Tensor:
    r"""Logarithm of softmax along a dimension, :math:`x_i - \log\sum_j e^{x_j}`; arguments and errors as `softmax`.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.activation import log_softmax
    >>> log_softmax(nnative.Tensor(np.array([0.0, 1e4])), dim=0).numpy()
    array([-10000.,      0.])
    """
    return _along("log_softmax", LogSoftmax, x, dim)


def _along(name: str, function: type[Function], x: Tensor, dim: int) -> Tensor:
    """Apply a function of the last dimension along another one."""
    _require_tensor(name, x)
    dims = max(x.data.ndim, 1)
    if not hasattr(dim, "__index__"):
        raise TypeError(f"[{name}] expected dim to be an int, got {dim!r}")
    if not -dims <= dim < dims:
        raise ValueError(f"[{name}] expected dim from {-dims} to {dims - 1}, got {dim} for shape {x.data.shape}")
    if dim % dims == dims - 1:
        return function.apply(x)
    return transpose(function.apply(transpose(x, dim, -1)), dim, -1)
