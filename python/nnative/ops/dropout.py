"""Dropout: elements that are zero at random while training."""

from __future__ import annotations

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


def drop_probability(p: float | None, keep: float | None, mode: str) -> float:
    """Return the probability of dropping from the two ways to give it; 0.5 without either."""
    if mode not in MODES:
        raise ValueError(f"[dropout] expected mode to be 'inverted' or 'classic', got {mode!r}")
    if p is not None and keep is not None:
        raise ValueError(f"[dropout] expected p or keep = 1 - p, got both: p={p}, keep={keep}")
    name, given = ("keep", keep) if keep is not None else ("p", 0.5 if p is None else p)
    if not 0.0 <= given <= 1.0:
        raise ValueError(f"[dropout] expected {name} between 0 and 1, got {given}")
    return float(given) if keep is None else 1.0 - float(keep)


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
    if not isinstance(input, TensorBase):
        raise TypeError(f"[dropout] expected a Tensor, got {type(input).__name__}")
    require_float("dropout", input.data)
    if p == 0.0:
        return input
    if not training:
        return input if mode == "inverted" else mul(input, 1.0 - p)
    return Dropout.apply(input, p, 1.0 if mode == "classic" or p == 1.0 else 1.0 / (1.0 - p))
