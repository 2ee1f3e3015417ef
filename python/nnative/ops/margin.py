"""Losses of margins and similarities: of scores, labels of several classes, rankings, and embeddings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nnative.autograd import Array
from nnative.ops.arithmetic import add, div, minimum, mul, pow, sub
from nnative.ops.cast import cast
from nnative.ops.elementwise import abs, clip, neg, sqrt
from nnative.ops.reduce import max, sum
from nnative.ops.reduction import (
    array_of,
    check_reduction,
    checked_pair,
    pair_loss,
    pairwise,
    plain,
    reduce,
    require_input,
)

if TYPE_CHECKING:
    from nnative.tensor import Tensor

SoftMargin = pairwise("SoftMargin", "soft_margin")
HingeEmbedding = pairwise("HingeEmbedding", "hinge_embedding")
CosineEmbedding = pairwise("CosineEmbedding", "cosine_embedding")


def _signs(name: str, input: Tensor, target: Any) -> Any:
    """Return a target of 1 and −1 in the input's dtype."""
    target = plain(name, target)
    return target if array_of(target).dtype == input.data.dtype else cast(target, input.data.dtype)


def soft_margin_loss(input: Tensor, target: Tensor | Array, *, reduction: str = "mean") -> Tensor:
    r"""Logistic loss of scores x and targets of 1 and −1, :math:`\log(1 + e^{-t x})`.

    Input and target have one shape; the target may be of integers. ValueError and TypeError as `mse_loss`.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.margin import soft_margin_loss
    >>> soft_margin_loss(nnative.tensor([0.0, 100.0]), nnative.tensor([1.0, 1.0]), reduction="none")
    tensor([0.6931, 0.0000])
    """
    require_input("soft_margin_loss", input)
    target = _signs("soft_margin_loss", input, target)
    return pair_loss("soft_margin_loss", SoftMargin, input, target, reduction)


def hinge_embedding_loss(
    input: Tensor, target: Tensor | Array, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor:
    r"""Loss of a distance x: x itself where t = 1, :math:`\max(0, \mathrm{margin} - x)` where t = −1.

    Input and target have one shape; the target may be of integers. ValueError and TypeError as `mse_loss`.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.margin import hinge_embedding_loss
    >>> hinge_embedding_loss(nnative.tensor([0.25, 0.25]), nnative.tensor([1.0, -1.0]), reduction="none")
    tensor([0.2500, 0.7500])
    """
    require_input("hinge_embedding_loss", input)
    target = _signs("hinge_embedding_loss", input, target)
    return pair_loss("hinge_embedding_loss", HingeEmbedding, input, target, reduction, margin)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor | Array, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    r"""Loss of the cosine c of pairs of vectors: :math:`1 - c` where t = 1, :math:`\max(0, c - m)` where t = −1.

    Parameters
    ----------
    input1, input2
        Vectors, (N, D), or (D) for one pair.
    target
        1 for pairs that should be alike, −1 for others, (N), or () for one pair.
    margin
        m, the cosine below which unlike pairs cost nothing, from −1 to 1.
    reduction
        ``"mean"`` or ``"sum"`` over the pairs, or ``"none"``.

    Raises
    ------
    ValueError
        For other shapes.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.margin import cosine_embedding_loss
    >>> x, y = nnative.tensor([[1.0, 0.0]]), nnative.tensor([[0.0, 2.0]])
    >>> cosine_embedding_loss(x, y, nnative.tensor([1.0]))
    tensor(1.)
    """
    name = "cosine_embedding_loss"
    checked_pair(name, input1, input2, "input2")
    if input1.ndim not in (1, 2):
        raise ValueError(f"[{name}] expected inputs of shape (N, D) or (D), got {input1.shape}")
    squares = [add(sum(mul(x, x), -1), 1e-12) for x in (input1, input2)]
    cosine = div(sum(mul(input1, input2), -1), sqrt(mul(*squares)))
    return pair_loss(name, CosineEmbedding, cosine, _signs(name, input1, target), reduction, margin)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor | Array, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    r"""Loss of two scores of which the first should be the higher (t = 1) or lower (t = −1) one.

    :math:`\max(0, -t (x_1 - x_2) + \mathrm{margin})`; all three have one shape, the target may be of integers.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.margin import margin_ranking_loss
    >>> x, y = nnative.tensor([1.0, 1.0]), nnative.tensor([3.0, 0.0])
    >>> margin_ranking_loss(x, y, nnative.ones(2), reduction="none")
    tensor([2., 0.])
    """
    check_reduction("margin_ranking_loss", reduction)
    checked_pair("margin_ranking_loss", input1, input2, "input2")
    target = checked_pair("margin_ranking_loss", input1, _signs("margin_ranking_loss", input1, target))
    return reduce(clip(add(mul(neg(target), sub(input1, input2)), margin), min=0.0), reduction)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    r"""Distance of vectors along the last dimension, :math:`\lVert x_1 - x_2 + \epsilon \rVert_p`; shapes broadcast.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.margin import pairwise_distance
    >>> pairwise_distance(nnative.tensor([3.0, 4.0]), nnative.zeros(2))
    tensor(5.0000)
    """
    difference = add(sub(x1, x2), eps)
    if p == 2:
        return sqrt(sum(mul(difference, difference), -1, keepdim))
    size = abs(difference)
    if p == 1:
        return sum(size, -1, keepdim)
    if math.isinf(p) and p > 0:
        largest: Tensor = max(size, -1, keepdim)[0]
        return largest
    return pow(sum(pow(size, p), -1, keepdim), 1 / p)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    r"""Loss of triplets that asks for a positive example closer to the anchor than a negative one, by a margin.

    :math:`\max(0, d(a, p) - d(a, n) + \mathrm{margin})` with d of `pairwise_distance`.

    Parameters
    ----------
    anchor, positive, negative
        Vectors, (N, D) or (D).
    margin
        By how much the negative should be further away; above 0.
    p, eps
        The norm of the distance, and what is added to differences.
    swap
        Take the positive example's distance to the negative where that is shorter than the anchor's.
    reduction
        ``"mean"`` or ``"sum"`` over the triplets, or ``"none"``.

    References
    ----------
    V. Balntas et al., Learning local feature descriptors with triplets and shallow convolutional networks, BMVC 2016.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.margin import triplet_margin_loss
    >>> a, b = nnative.zeros(1, 2), nnative.tensor([[3.0, 4.0]])
    >>> triplet_margin_loss(a, b, b)
    tensor(1.)
    """
    name = "triplet_margin_loss"
    check_reduction(name, reduction)
    if not margin > 0:
        raise ValueError(f"[{name}] expected margin to be above 0, got {margin}")
    checked_pair(name, anchor, positive, "positive")
    checked_pair(name, anchor, negative, "negative")
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduce(clip(add(sub(near, far), margin), min=0.0), reduction)
