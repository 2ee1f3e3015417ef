"""Penalties on weights, to be added to a loss."""

from __future__ import annotations

from collections.abc import Iterable

from nnative.autograd import TensorBase
from nnative.ops.penalty import Penalty
from nnative.tensor import Tensor


def elastic_net_penalty(parameters: TensorBase | Iterable[TensorBase], l1: float = 0.0, l2: float = 0.0) -> Tensor:
    r"""Return :math:`l_1 \sum |w| + \frac{l_2}{2} \sum w^2` over all parameters; add it to the loss.

    Its gradient is :math:`l_1 \mathrm{sign}(w) + l_2 w`, 0 at 0: ``l2`` is what optimizers call ``weight_decay``.
    Forward and backward are one native launch each.

    Parameters
    ----------
    parameters
        A tensor or several, of one dtype; mostly weights without biases.
    l1, l2
        As in the formula.

    Raises
    ------
    ValueError
        For no parameters, and factors that are no numbers of at least 0.
    TypeError
        For parameters of different dtypes.

    References
    ----------
    H. Zou and T. Hastie, Regularization and variable selection via the elastic net, 2005.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> w = nnative.tensor([1.0, -2.0, 0.0], requires_grad=True)
    >>> penalty = nn.utils.elastic_net_penalty([w], l1=0.5, l2=1.0)
    >>> penalty.backward()
    >>> penalty.item(), w.grad
    (4.0, array([ 1.5, -2.5,  0. ], dtype=float32))
    """
    if not (l1 >= 0 and l2 >= 0):
        raise ValueError(f"[elastic_net_penalty] expected factors of at least 0, got l1={l1}, l2={l2}")
    several = [parameters] if isinstance(parameters, TensorBase) else list(parameters)
    return Penalty.apply(float(l1), float(l2), *several)


def l1_penalty(parameters: TensorBase | Iterable[TensorBase], weight: float = 1.0) -> Tensor:
    """Return ``weight · Σ|w|`` over all parameters; see `elastic_net_penalty`.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.utils.l1_penalty([nnative.tensor([1.0, -2.0])], 0.5).item()
    1.5
    """
    return elastic_net_penalty(parameters, l1=weight)


def l2_penalty(parameters: TensorBase | Iterable[TensorBase], weight: float = 1.0) -> Tensor:
    """Return ``weight / 2 · Σw²`` over all parameters, which has the gradient of ``weight_decay=weight``.

    See `elastic_net_penalty`.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.utils.l2_penalty([nnative.tensor([1.0, -2.0])], 0.5).item()
    1.25
    """
    return elastic_net_penalty(parameters, l2=weight)
