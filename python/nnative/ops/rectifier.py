"""Activations in pieces: rectifiers with slopes, exponentials and bounds, and shrinkage."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nnative import _native, random
from nnative.autograd import Array, Function
from nnative.ops.activation import leaky_relu
from nnative.ops.operands import require_float, same_dtype, unbroadcast
from nnative.ops.pointwise import apply, pointwise, require_tensor

if TYPE_CHECKING:
    from nnative.tensor import Tensor

_ELU = pointwise("ELU", "elu")
_Hardtanh = pointwise("Hardtanh", "hardtanh")
_Hardsigmoid = pointwise("Hardsigmoid", "hardsigmoid")
_Hardswish = pointwise("Hardswish", "hardswish")
_Hardshrink = pointwise("Hardshrink", "hardshrink")
_Softshrink = pointwise("Softshrink", "softshrink")
_Threshold = pointwise("Threshold", "threshold")

# Fixed points of mean 0 and variance 1 (Klambauer et al. 2017).
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


class PReLU(Function):
    """x where x > 0, else weight · x with one weight for each channel, or one for all."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, weight: Array) -> Array:  # noqa: D102
        channels = x.shape[1] if x.ndim > 1 else 1
        if weight.ndim > 1 or weight.size not in (1, channels):
            raise ValueError(
                f"[prelu] expected weight of shape (1,) or ({channels},) for input of shape {x.shape}, "
                f"got shape {weight.shape}"
            )
        each = weight.reshape((weight.size,) + (1,) * max(x.ndim - 2, 0)) if x.ndim else weight.reshape(())
        ctx.saved_tensors = x, each, weight.shape
        return _native.prelu(x, each)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (x, each, shape), needs = ctx.saved_tensors, ctx.needs_input_grad
        dx = _native.prelu_backward_input(grad, x, each) if needs[0] else None
        if not needs[1]:
            return dx, None
        return dx, unbroadcast(_native.prelu_backward_weight(grad, x, each), each.shape).reshape(shape)


class RReLU(Function):
    """x where x > 0, else x times a random slope of its own."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, lower: float, upper: float) -> Array:  # noqa: D102
        state = _native.take_stream(random.default_generator.cell)
        slopes = _native.uniform_from(x.shape, state, lower, upper, x.dtype)
        ctx.saved_tensors = x, slopes
        return _native.prelu(x, slopes)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return _native.prelu_backward_input(grad, *ctx.saved_tensors), None, None


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Rectifier with a ceiling, :math:`\min(\max(x, 0), 6)` (Krizhevsky, CIFAR-10 networks, 2010).

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import relu6
    >>> relu6(nnative.tensor([-1.0, 3.0, 9.0]))
    tensor([0., 3., 6.])
    """
    return apply("relu6", _Hardtanh, input, 0.0, 6.0)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    r"""Rectifier with learnt slopes, :math:`\max(x, 0) + w \min(x, 0)`.

    Parameters
    ----------
    input
        (N, C, …), or any shape where w is one number; float32 or float64.
    weight
        w, of shape (1) or (C), the input's dtype.

    Raises
    ------
    ValueError
        For another shape of w.
    TypeError
        For anything but tensors of one float dtype.

    References
    ----------
    K. He et al., Delving deep into rectifiers, ICCV 2015.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import prelu
    >>> prelu(nnative.tensor([[-2.0, -2.0], [1.0, 1.0]]), nnative.tensor([0.5, 0.25]))
    tensor([[-1.0000, -0.5000],
            [ 1.0000,  1.0000]])
    """
    require_tensor("prelu", input)
    require_tensor("prelu", weight)
    require_float("prelu", input.data)
    same_dtype("prelu", input.data, weight.data)
    return PReLU.apply(input, weight)


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    r"""Rectifier with random slopes: :math:`x` where :math:`x > 0`, else :math:`a x` with :math:`a \sim U(l, u)`.

    In training each element has an ``a`` of its own, a function of the default generator's seed and stream and of the
    element's place; otherwise a is the mean of ``lower`` and ``upper``.

    Raises
    ------
    ValueError
        When lower is above upper, or not finite.

    References
    ----------
    B. Xu et al., Empirical evaluation of rectified activations in convolutional network, 2015.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import rrelu
    >>> rrelu(nnative.tensor([-1.0, 2.0]), 0.25, 0.75)
    tensor([-0.5000,  2.0000])
    """
    if not lower <= upper or math.isinf(upper - lower):
        raise ValueError(f"[rrelu] expected finite lower <= upper, got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    require_tensor("rrelu", input)
    require_float("rrelu", input.data)
    return RReLU.apply(input, float(lower), float(upper))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    r"""Exponential linear unit, :math:`x` where :math:`x > 0`, else :math:`\alpha (e^x - 1)`.

    References
    ----------
    D.-A. Clevert, T. Unterthiner and S. Hochreiter, Fast and accurate deep network learning by exponential linear
    units, ICLR 2016.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import elu
    >>> elu(nnative.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return apply("elu", _ELU, input, alpha, 1.0, 1.0)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Self-normalising unit, :math:`\lambda\,\mathrm{elu}(x, \alpha)` with λ = 1.0507… and α = 1.6733….

    References
    ----------
    G. Klambauer et al., Self-normalizing neural networks, NeurIPS 2017.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import selu
    >>> selu(nnative.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return apply("selu", _ELU, input, _SELU_ALPHA, _SELU_SCALE, 1.0)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    r"""Continuously differentiable ELU, :math:`\max(x, 0) + \min(\alpha (e^{x/\alpha} - 1), 0)`; ValueError for α ≤ 0.

    References
    ----------
    J. Barron, Continuously differentiable exponential linear units, 2017.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import celu
    >>> celu(nnative.tensor([-1.0, 2.0]), 2.0)
    tensor([-0.7869,  2.0000])
    """
    if not alpha > 0:
        raise ValueError(f"[celu] expected alpha to be above 0, got {alpha}")
    return apply("celu", _ELU, input, alpha, 1.0, 1 / alpha)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x, at least ``min_val`` and at most ``max_val``; the gradient is 0 at the bounds and beyond.

    Raises ValueError for a ``min_val`` above ``max_val``.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import hardtanh
    >>> hardtanh(nnative.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(f"[hardtanh] expected min_val <= max_val, got {min_val} and {max_val}")
    return apply("hardtanh", _Hardtanh, input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Piecewise linear sigmoid, :math:`\min(\max(x + 3, 0), 6) / 6` (Howard et al., MobileNetV3, ICCV 2019).

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import hardsigmoid
    >>> hardsigmoid(nnative.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return apply("hardsigmoid", _Hardsigmoid, input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Piecewise SiLU, :math:`x \min(\max(x + 3, 0), 6) / 6` (Howard et al., MobileNetV3, ICCV 2019).

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import hardswish
    >>> hardswish(nnative.tensor([0.0, 1.5, 4.0]))
    tensor([0.0000, 1.1250, 4.0000])
    """
    return apply("hardswish", _Hardswish, input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    r"""X where :math:`|x| > \lambda`, else 0.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import hardshrink
    >>> hardshrink(nnative.tensor([-2.0, 0.25, 2.0]))
    tensor([-2.,  0.,  2.])
    """
    return apply("hardshrink", _Hardshrink, input, lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    r"""X moved towards 0 by λ, and 0 where :math:`|x| \le \lambda`; ValueError for a negative λ.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import softshrink
    >>> softshrink(nnative.tensor([-2.0, 0.25, 2.0]))
    tensor([-1.5000,  0.0000,  1.5000])
    """
    if lambd < 0:
        raise ValueError(f"[softshrink] expected lambd to be at least 0, got {lambd}")
    return apply("softshrink", _Softshrink, input, lambd)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """X where x is above ``threshold``, else ``value``.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.rectifier import threshold
    >>> threshold(nnative.tensor([0.0, 1.0, 2.0]), 1.0, 7.0)
    tensor([7., 7., 2.])
    """
    return apply("threshold", _Threshold, input, threshold, value)
