"""Losses of numbers: squared, absolute and smooth errors, and likelihoods of Gaussian and Poisson variables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, wrap
from nnative.ops.arithmetic import add, div, mul, sub
from nnative.ops.elementwise import log
from nnative.ops.operands import same_dtype
from nnative.ops.reduction import array_of, check_reduction, checked_pair, pair_loss, pairwise, plain, reduce, reshaped
from nnative.recording import state as recording_state

if TYPE_CHECKING:
    from nnative.tensor import Tensor

SquaredError = pairwise("SquaredError", "squared_error")
AbsoluteError = pairwise("AbsoluteError", "absolute_error")
SmoothL1 = pairwise("SmoothL1", "smooth_l1")
Huber = pairwise("Huber", "huber")
PoissonNLL = pairwise("PoissonNLL", "poisson_nll")
LogPoissonNLL = pairwise("LogPoissonNLL", "poisson_nll_log")


class AtLeast(Function):
    """x, at least ``low``; the gradient passes everywhere, as if x were there."""

    @staticmethod
    def forward(ctx: Any, x: Array, low: float) -> Array:  # noqa: D102
        return _native.clip(x, low, math.inf)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return grad, None


def mse_loss(
    input: Tensor, target: Tensor | Array, *, reduction: str = "mean", weight: Tensor | Array | None = None
) -> Tensor:
    r"""Squared error, :math:`(x - t)^2`, reduced over all elements.

    Parameters
    ----------
    input
        float32 or float64, any shape.
    target
        The same shape and dtype, a Tensor (which may need a gradient too) or an ndarray.
    reduction
        ``"mean"`` over all elements, ``"sum"``, ``"batchmean"`` (the sum divided by the length of the first dimension)
        or ``"none"`` for the losses in the input's shape. The mean of nothing is NaN.
    weight
        Multiplies the losses before they are reduced; it broadcasts.

    Raises
    ------
    ValueError
        When the shapes of input and target differ: nothing else is broadcast.
    TypeError
        For other dtypes, or two different ones.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.regression import mse_loss
    >>> x = nnative.Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True)
    >>> loss = mse_loss(x, np.zeros((2, 2)))
    >>> loss.numpy()
    array(7.5)
    >>> loss.backward()
    >>> x.grad
    array([[0.5, 1. ],
           [1.5, 2. ]])
    """
    return pair_loss("mse_loss", SquaredError, input, target, reduction, weight=weight, batchmean=weight is None)


def l1_loss(
    input: Tensor, target: Tensor | Array, *, reduction: str = "mean", weight: Tensor | Array | None = None
) -> Tensor:
    r"""Absolute error, :math:`|x - t|`; arguments and errors as `mse_loss`, without ``"batchmean"``.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.regression import l1_loss
    >>> l1_loss(nnative.tensor([1.0, 5.0]), nnative.tensor([2.0, 2.0]))
    tensor(2.)
    """
    return pair_loss("l1_loss", AbsoluteError, input, target, reduction, weight=weight)


def smooth_l1_loss(input: Tensor, target: Tensor | Array, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    r"""Squared error near 0, absolute error beyond: :math:`\frac{e^2}{2\beta}` for |e| < β, else :math:`|e| - \beta/2`.

    With β = 0 it is `l1_loss`. Arguments and errors are those of `mse_loss`; ValueError for a negative β.

    References
    ----------
    R. Girshick, Fast R-CNN, ICCV 2015.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.regression import smooth_l1_loss
    >>> smooth_l1_loss(nnative.tensor([0.5, 3.0]), nnative.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if beta < 0:
        raise ValueError(f"[smooth_l1_loss] expected beta to be at least 0, got {beta}")
    return pair_loss("smooth_l1_loss", SmoothL1, input, target, reduction, beta)


def huber_loss(
    input: Tensor,
    target: Tensor | Array,
    *,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | Array | None = None,
) -> Tensor:
    r"""Huber's loss, :math:`\frac12 e^2` for :math:`|e| \le \delta`, else :math:`\delta (|e| - \delta/2)`.

    Arguments and errors are those of `mse_loss`; ValueError unless δ is above 0.

    References
    ----------
    P. Huber, Robust estimation of a location parameter, Annals of Mathematical Statistics 35, 1964.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.regression import huber_loss
    >>> huber_loss(nnative.tensor([0.5, 3.0]), nnative.zeros(2), reduction="none", delta=2.0)
    tensor([0.1250, 4.0000])
    """
    if not delta > 0:
        raise ValueError(f"[huber_loss] expected delta to be above 0, got {delta}")
    return pair_loss("huber_loss", Huber, input, target, reduction, delta, weight=weight)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor | Array,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    r"""Negative log-likelihood of counts: :math:`e^x - t x` for the logarithm x of the rate, else :math:`x - t \log x`.

    Parameters
    ----------
    input
        The logarithm of the expected count, or without ``log_input`` the count itself.
    target
        The counts, of the input's shape and dtype.
    full
        Add Stirling's approximation of log t!, :math:`t \log t - t + \frac12\log(2\pi t)`, where t > 1.
    eps
        Added to the input before its logarithm is taken.
    reduction
        ``"mean"``, ``"sum"`` or ``"none"``.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.regression import poisson_nll_loss
    >>> poisson_nll_loss(nnative.tensor([0.0, 1.0]), nnative.tensor([1.0, 2.0]), reduction="none")
    tensor([1.0000, 0.7183])
    """
    if log_input:
        return pair_loss("poisson_nll_loss", LogPoissonNLL, input, target, reduction, float(full))
    return pair_loss("poisson_nll_loss", PoissonNLL, input, target, reduction, float(full), eps)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor | Array,
    var: Tensor | Array | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    r"""Negative log-likelihood of a Gaussian, :math:`\frac12(\log v + (x - t)^2 / v)`, v being at least ``eps``.

    Parameters
    ----------
    input, target
        Expected values and observations, of one shape and dtype.
    var
        The variance v: a number, or of the input's shape, or that shape without the last dimension or with 1 there.
    full
        Add the constant :math:`\frac12\log 2\pi`.
    eps
        The least variance; the gradient passes to smaller ones as well.
    reduction
        ``"mean"``, ``"sum"`` or ``"none"``.

    Raises
    ------
    ValueError
        For other shapes, and (except in a replay) for a negative variance.

    References
    ----------
    D. Nix and A. Weigend, Estimating the mean and variance of the target probability distribution, ICNN 1994.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.regression import gaussian_nll_loss
    >>> gaussian_nll_loss(nnative.tensor([1.0, 3.0]), nnative.zeros(2), nnative.ones(2))
    tensor(2.5000)
    """
    check_reduction("gaussian_nll_loss", reduction)
    target = checked_pair("gaussian_nll_loss", input, target)
    shape = input.data.shape
    if isinstance(var, float | int):
        var = wrap(_native.full(shape, float(var), input.data.dtype))
    spread = plain("gaussian_nll_loss", var, "var")
    values = array_of(spread)
    same_dtype("gaussian_nll_loss", input.data, values)
    if values.shape == shape[:-1] and shape:
        spread = reshaped(spread, (*values.shape, 1))
    elif values.shape not in (shape, (*shape[:-1], 1)):
        raise ValueError(f"[gaussian_nll_loss] expected var of a shape like the input's {shape}, got {values.shape}")
    if recording_state.recording is None and np.any(values < 0):
        raise ValueError("[gaussian_nll_loss] expected var to have no negative element")
    error, spread = sub(input, target), AtLeast.apply(spread, eps)
    losses = mul(add(log(spread), div(mul(error, error), spread)), 0.5)
    if full:
        losses = add(losses, 0.5 * math.log(2 * math.pi))
    return reduce(losses, reduction)
