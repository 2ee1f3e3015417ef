"""Dropout and noise: elements that are zero, or changed, at random while training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nnative import _native, random
from nnative.autograd import Array, Function, TensorBase
from nnative.ops.arithmetic import mul
from nnative.ops.operands import require_float

if TYPE_CHECKING:
    from nnative.tensor import Tensor

MODES = ("inverted", "classic")


class Dropout(Function):
    """0 with probability p, else scale · x; the mask is made again for the gradient."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, p: float, scale: float) -> Array:  # noqa: D102
        y, state = _native.dropout_forward(x, random.default_generator.cell, p, scale)
        ctx.save_for_backward(state)
        ctx.p, ctx.scale = p, scale
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (state,) = ctx.saved_tensors
        return _native.dropout_backward(grad, state, ctx.p, ctx.scale), None, None


class AlphaDropout(Function):
    """shift + scale · x or, with probability p, ``instead``."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, p: float, scale: float, shift: float, instead: float) -> Array:  # noqa: D102
        y, state = _native.dropout_forward(x, random.default_generator.cell, p, scale, shift, instead)
        ctx.save_for_backward(state)
        ctx.p, ctx.scale = p, scale
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (state,) = ctx.saved_tensors
        return _native.dropout_backward(grad, state, ctx.p, ctx.scale), None, None, None, None


class GaussianDropout(Function):
    """x · (1 + std · z) with normal numbers z, which are made again for the gradient."""

    returns_fresh = True

    @staticmethod
    def forward(ctx: Any, x: Array, std: float) -> Array:  # noqa: D102
        y, state = _native.gaussian_dropout_forward(x, random.default_generator.cell, std)
        ctx.save_for_backward(state)
        ctx.std = std
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        (state,) = ctx.saved_tensors
        return _native.gaussian_dropout_backward(grad, state, ctx.std), None


class GaussianNoise(Function):
    """x + std · z with normal numbers z."""

    @staticmethod
    def forward(ctx: Any, x: Array, std: float) -> Array:  # noqa: D102
        return _native.gaussian_noise(x, random.default_generator.cell, std)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        return grad, None


def drop_probability(p: float | None, keep: float | None, mode: str = "inverted", name: str = "dropout") -> float:
    """Return the probability of dropping from the two ways to give it; 0.5 without either."""
    if mode not in MODES:
        raise ValueError(f"[{name}] expected mode to be 'inverted' or 'classic', got {mode!r}")
    if p is not None and keep is not None:
        raise ValueError(f"[{name}] expected p or keep = 1 - p, got both: p={p}, keep={keep}")
    which, given = ("keep", keep) if keep is not None else ("p", 0.5 if p is None else p)
    if not 0.0 <= given <= 1.0:
        raise ValueError(f"[{name}] expected {which} between 0 and 1, got {given}")
    return float(given) if keep is None else 1.0 - float(keep)


def _require_tensor(name: str, x: Any) -> None:
    if not isinstance(x, TensorBase):
        raise TypeError(f"[{name}] expected a Tensor, got {type(x).__name__}")
    require_float(name, x.data)


def dropout(
    input: Tensor,
    p: float | None = None,
    training: bool = True,
    inplace: bool = False,
    *,
    keep: float | None = None,
    mode: str = "inverted",
) -> Tensor:
    r"""Set elements to zero at random, each with probability p, and scale the others by :math:`1/(1-p)`.

    What is dropped is a function of the default generator's seed and stream and of the element's place; each call in
    training takes one stream. Probabilities are rounded to multiples of 2⁻¹⁶, and those with few bits (½, ¼, ¾) are the
    fastest. A dropped element is 0 even where the input is NaN or infinite.

    Parameters
    ----------
    input
        float32 or float64, any shape.
    p
        The probability of dropping an element; 0.5 by default.
    training
        Without it the input is returned as it is.
    inplace
        Accepted for PyTorch's sake, without effect.
    keep
        The probability of keeping an element, instead of p.
    mode
        ``"inverted"``, or ``"classic"`` for the paper's form: no scaling in training, multiplication by 1 − p after it.

    Raises
    ------
    ValueError
        For probabilities outside [0, 1], for p beside keep, and for other modes.
    TypeError
        For anything but a Tensor of float32 or float64.

    References
    ----------
    N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 2014.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.dropout import dropout
    >>> x = nnative.ones(1000)
    >>> sorted(set(dropout(x, 0.5).tolist()))
    [0.0, 2.0]
    >>> dropout(x, 0.5, training=False) is x
    True
    """
    p = drop_probability(p, keep, mode)
    _require_tensor("dropout", input)
    if p == 0.0:
        return input
    if not training:
        return input if mode == "inverted" else mul(input, 1.0 - p)
    return Dropout.apply(input, p, 1.0 if mode == "classic" or p == 1.0 else 1.0 / (1.0 - p))


_ALPHA = 1.7580993408473766  # −limit of SELU: λα


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    r"""Set elements to SELU's limit at random and rescale, so that mean 0 and variance 1 stay what they are.

    An element becomes :math:`a\alpha' + b` with probability p and :math:`ax + b` else, with
    :math:`\alpha' = -\lambda\alpha \approx -1.7581`, :math:`a = ((1 + p\alpha'^2)(1-p))^{-1/2}` and
    :math:`b = -ap\alpha'`. Masks are those of `dropout`.

    Parameters
    ----------
    input
        float32 or float64, any shape.
    p
        The probability of dropping an element; 1 gives zeros.
    training
        Without it the input is returned as it is.
    inplace
        Accepted for PyTorch's sake, without effect.

    Raises
    ------
    ValueError
        For probabilities outside [0, 1].
    TypeError
        For anything but a Tensor of float32 or float64.

    References
    ----------
    G. Klambauer et al., Self-normalizing neural networks, NeurIPS 2017.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.dropout import alpha_dropout
    >>> len(set(alpha_dropout(nnative.zeros(1000), 0.5, training=True).tolist()))
    2
    """
    p = drop_probability(p, None, name="alpha_dropout")
    _require_tensor("alpha_dropout", input)
    if p == 0.0 or not training:
        return input
    if p == 1.0:
        return AlphaDropout.apply(input, 1.0, 0.0, 0.0, 0.0)
    a = 1.0 / math.sqrt((_ALPHA**2 * p + 1.0) * (1.0 - p))
    return AlphaDropout.apply(input, p, a, _ALPHA * a * p, -_ALPHA * a * (1.0 - p))


def gaussian_dropout(
    input: Tensor, p: float | None = None, training: bool = True, *, keep: float | None = None
) -> Tensor:
    r"""Multiply each element by a normal number of mean 1 and variance :math:`p/(1-p)`, the moments of dropout.

    The numbers are a function of the default generator's seed and stream and of the element's place, the same in
    float32 and float64; each call in training takes one stream.

    Parameters
    ----------
    input
        float32 or float64, any shape.
    p
        The probability of the dropout that this stands for, below 1; 0.5 by default.
    training
        Without it the input is returned as it is.
    keep
        1 − p, instead of p.

    Raises
    ------
    ValueError
        For p outside [0, 1), and for p beside keep.
    TypeError
        For anything but a Tensor of float32 or float64.

    References
    ----------
    N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 2014, section 10.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.dropout import gaussian_dropout
    >>> y = gaussian_dropout(nnative.ones(10000), 0.2)
    >>> abs(y.mean().item() - 1) < 0.02
    True
    """
    p = noise_probability(p, keep)
    _require_tensor("gaussian_dropout", input)
    if p == 0.0 or not training:
        return input
    return GaussianDropout.apply(input, math.sqrt(p / (1.0 - p)))


def noise_probability(p: float | None, keep: float | None) -> float:
    """Return p of Gaussian dropout, for which 1 is no value either."""
    p = drop_probability(p, keep, name="gaussian_dropout")
    if p == 1.0:
        raise ValueError("[gaussian_dropout] expected p below 1: the variance p/(1 - p) is infinite")
    return p


def gaussian_noise(input: Tensor, std: float = 1.0, training: bool = True) -> Tensor:
    r"""Add normal noise of mean 0 and standard deviation ``std`` in training, :math:`y = x + \sigma z`.

    The numbers are a function of the default generator's seed and stream and of the element's place, the same in
    float32 and float64; each call in training takes one stream.

    Raises
    ------
    ValueError
        For a negative or infinite ``std``.
    TypeError
        For anything but a Tensor of float32 or float64.

    References
    ----------
    C. M. Bishop, Training with noise is equivalent to Tikhonov regularization, Neural Computation 1995.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.dropout import gaussian_noise
    >>> gaussian_noise(nnative.zeros(2), 0.1, training=False)
    tensor([0., 0.])
    """
    if not (std >= 0.0 and math.isfinite(std)):
        raise ValueError(f"[gaussian_noise] expected a finite std of at least 0, got {std}")
    _require_tensor("gaussian_noise", input)
    if std == 0.0 or not training:
        return input
    return GaussianNoise.apply(input, float(std))
