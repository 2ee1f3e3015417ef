"""Smooth activations: GELU, SiLU, Mish, softplus and its relatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnative.ops.pointwise import apply, pointwise

if TYPE_CHECKING:
    from nnative.tensor import Tensor

_GELU = {"none": pointwise("GELU", "gelu"), "tanh": pointwise("TanhGELU", "gelu_tanh")}
_SiLU = pointwise("SiLU", "silu")
_Mish = pointwise("Mish", "mish")
_LogSigmoid = pointwise("LogSigmoid", "log_sigmoid")
_Softplus = pointwise("Softplus", "softplus")
_Softsign = pointwise("Softsign", "softsign")
_Tanhshrink = pointwise("Tanhshrink", "tanhshrink")


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    r"""Gaussian error linear unit, :math:`x \Phi(x)`, Φ being the standard normal distribution function.

    Parameters
    ----------
    input
        float32 or float64, any shape.
    approximate
        ``"none"``, or ``"tanh"`` for :math:`\frac x2 (1 + \tanh(\sqrt{2/\pi}\,(x + 0.044715 x^3)))`.

    Raises
    ------
    ValueError
        For another ``approximate``.

    References
    ----------
    D. Hendrycks and K. Gimpel, Gaussian error linear units, 2016.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.smooth import gelu
    >>> gelu(nnative.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    if approximate not in _GELU:
        raise ValueError(f"[gelu] expected approximate to be 'none' or 'tanh', got {approximate!r}")
    return apply("gelu", _GELU[approximate], input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Sigmoid linear unit (swish), :math:`x \sigma(x)`.

    References
    ----------
    S. Elfwing, E. Uchibe and K. Doya, Sigmoid-weighted linear units, Neural Networks 107, 2018.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.smooth import silu
    >>> silu(nnative.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return apply("silu", _SiLU, input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Mish, :math:`x \tanh(\log(1 + e^x))`.

    References
    ----------
    D. Misra, Mish: a self regularized non-monotonic activation function, BMVC 2020.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.smooth import mish
    >>> mish(nnative.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """
    return apply("mish", _Mish, input)


def logsigmoid(input: Tensor) -> Tensor:
    r"""Logarithm of the logistic function, :math:`-\log(1 + e^{-x})`, without overflow.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.smooth import logsigmoid
    >>> logsigmoid(nnative.tensor([-1e4, 0.0]))
    tensor([-1.0000e+04, -6.9315e-01])
    """
    return apply("logsigmoid", _LogSigmoid, input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    r"""Smooth rectifier, :math:`\log(1 + e^{\beta x}) / \beta`, and x itself where βx is above ``threshold``.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.smooth import softplus
    >>> softplus(nnative.tensor([0.0, 100.0]))
    tensor([  0.6931, 100.0000])
    """
    return apply("softplus", _Softplus, input, beta, threshold)


def softsign(input: Tensor) -> Tensor:
    r"""X divided by its size plus one, :math:`x / (1 + |x|)`.

    References
    ----------
    J. Bergstra et al., Quadratic polynomials learn better image features, 2009.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.smooth import softsign
    >>> softsign(nnative.tensor([-1.0, 0.0, 3.0]))
    tensor([-0.5000,  0.0000,  0.7500])
    """
    return apply("softsign", _Softsign, input)


def tanhshrink(input: Tensor) -> Tensor:
    r"""X minus its hyperbolic tangent, :math:`x - \tanh x`.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.smooth import tanhshrink
    >>> tanhshrink(nnative.tensor([0.0, 1e4]))
    tensor([   0., 9999.])
    """
    return apply("tanhshrink", _Tanhshrink, input)
