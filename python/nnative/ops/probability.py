"""Losses of probabilities: binary cross-entropy, of probabilities or logits, and the Kullback-Leibler divergence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnative.autograd import Array
from nnative.ops.arithmetic import add, mul, sub
from nnative.ops.reduction import check_reduction, checked_pair, pair_loss, pairwise, plain, reduce
from nnative.ops.smooth import logsigmoid
from nnative.recording import state as recording_state

if TYPE_CHECKING:
    from nnative.tensor import Tensor

BinaryCrossEntropy = pairwise("BinaryCrossEntropy", "binary_cross_entropy")
BinaryCrossEntropyWithLogits = pairwise("BinaryCrossEntropyWithLogits", "binary_cross_entropy_logits")
KLDiv = pairwise("KLDiv", "kl_div")
LogKLDiv = pairwise("LogKLDiv", "kl_div_log")


def binary_cross_entropy(
    input: Tensor, target: Tensor | Array, weight: Tensor | Array | None = None, *, reduction: str = "mean"
) -> Tensor:
    r"""Cross-entropy of probabilities x of the class 1: :math:`-t \log x - (1 - t) \log(1 - x)`.

    Logarithms are at least −100, so that a wrong certainty has a finite loss, as in PyTorch.

    Parameters
    ----------
    input
        The probabilities, float32 or float64, any shape. From logits `binary_cross_entropy_with_logits` is exact.
    target
        The probabilities that they should be, mostly 0 and 1, of the input's shape and dtype.
    weight
        Multiplies the losses before they are reduced; it broadcasts.
    reduction
        ``"mean"`` over all elements, ``"sum"``, or ``"none"``.

    Raises
    ------
    ValueError
        For two shapes, and for an input outside [0, 1], whose loss is NaN in a replay.
    TypeError
        For other dtypes, or two different ones.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.probability import binary_cross_entropy
    >>> binary_cross_entropy(nnative.tensor([0.5, 0.0]), nnative.tensor([1.0, 0.0]), reduction="none")
    tensor([0.6931, 0.0000])
    """
    loss = pair_loss("binary_cross_entropy", BinaryCrossEntropy, input, target, reduction, weight=weight)
    if recording_state.recording is None and np.isnan(loss.data).any():
        x = input.data
        outside = (x < 0) | (x > 1)
        if outside.any():
            raise ValueError(f"[binary_cross_entropy] expected input between 0 and 1, got {x[outside].flat[0]}")
    return loss


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor | Array,
    weight: Tensor | Array | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | Array | None = None,
) -> Tensor:
    r"""Cross-entropy of the logits x of the class 1: :math:`-p\,t \log\sigma(x) - (1 - t) \log(1 - \sigma(x))`.

    Parameters
    ----------
    input
        The logits, float32 or float64, any shape.
    target
        The probabilities that their sigmoid should be, of the input's shape and dtype.
    weight
        Multiplies the losses before they are reduced; it broadcasts.
    reduction
        ``"mean"`` over all elements, ``"sum"``, or ``"none"``.
    pos_weight
        p, the weight of the class 1, for example the number of zeros for each one; it broadcasts.

    Raises
    ------
    ValueError
        For two shapes.
    TypeError
        For other dtypes, or two different ones.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.probability import binary_cross_entropy_with_logits
    >>> binary_cross_entropy_with_logits(nnative.tensor([0.0, -1e4]), nnative.tensor([1.0, 1.0]), reduction="none")
    tensor([6.9315e-01, 1.0000e+04])
    """
    name = "binary_cross_entropy_with_logits"
    if pos_weight is None:
        return pair_loss(name, BinaryCrossEntropyWithLogits, input, target, reduction, weight=weight)
    check_reduction(name, reduction)
    target = checked_pair(name, input, target)
    ones = add(mul(target, sub(plain(name, pos_weight, "pos_weight"), 1.0)), 1.0)
    losses = sub(mul(sub(1.0, target), input), mul(ones, logsigmoid(input)))
    return reduce(losses if weight is None else mul(losses, plain(name, weight, "weight")), reduction)


def kl_div(input: Tensor, target: Tensor | Array, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    r"""Kullback-Leibler divergence of a log-probability x from a probability t: :math:`t (\log t - x)`.

    Parameters
    ----------
    input
        Logarithms of probabilities, float32 or float64, any shape.
    target
        Probabilities, or with ``log_target`` their logarithms, of the input's shape and dtype.
    reduction
        ``"batchmean"``, the divergence itself: the sum divided by the length of the first dimension; ``"mean"`` over
        all elements; ``"sum"`` or ``"none"``.
    log_target
        Whether the target is a logarithm.

    Raises
    ------
    ValueError
        For two shapes.
    TypeError
        For other dtypes, or two different ones.

    References
    ----------
    S. Kullback and R. Leibler, On information and sufficiency, Annals of Mathematical Statistics 22, 1951.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.ops.probability import kl_div
    >>> half = nnative.Tensor(np.log(np.full((1, 2), 0.5)))
    >>> kl_div(half, np.array([[0.0, 1.0]]), reduction="batchmean").numpy().round(4)
    np.float64(0.6931)
    """
    operation = LogKLDiv if log_target else KLDiv
    return pair_loss("kl_div", operation, input, target, reduction, batchmean=True)
