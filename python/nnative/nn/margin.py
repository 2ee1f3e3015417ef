"""Losses of margins, labels of several classes, rankings and embeddings, as modules."""

from __future__ import annotations

from typing import Any

from nnative.nn.loss import Loss
from nnative.ops import margin as margins
from nnative.ops import multilabel


class SoftMarginLoss(Loss):
    """log(1 + exp(−t · x)) for targets of 1 and −1; see `functional.soft_margin_loss`."""

    function = staticmethod(margins.soft_margin_loss)


class HingeEmbeddingLoss(Loss):
    """x where t = 1, max(0, margin − x) where t = −1; see `functional.hinge_embedding_loss`."""

    function = staticmethod(margins.hinge_embedding_loss)
    options = ("margin",)

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class CosineEmbeddingLoss(Loss):
    """Loss of the cosine of two inputs and a target of 1 or −1; see `functional.cosine_embedding_loss`."""

    function = staticmethod(margins.cosine_embedding_loss)
    options = ("margin",)

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class MarginRankingLoss(Loss):
    """Loss of two scores and which should be higher; see `functional.margin_ranking_loss`."""

    function = staticmethod(margins.margin_ranking_loss)
    options = ("margin",)

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class TripletMarginLoss(Loss):
    """Loss of an anchor, a positive and a negative example; see `functional.triplet_margin_loss`."""

    function = staticmethod(margins.triplet_margin_loss)
    options = ("margin", "p", "eps", "swap")

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if not margin > 0:
            raise ValueError(f"[TripletMarginLoss] expected margin to be above 0, got {margin}")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap


class MultiMarginLoss(Loss):
    """Hinge loss of scores (N, C) and classes (N); see `functional.multi_margin_loss`."""

    function = staticmethod(multilabel.multi_margin_loss)
    options = ("p", "margin", "weight")

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError(f"[MultiMarginLoss] expected p to be 1 or 2, got {p}")
        if weight is not None and weight.ndim != 1:
            raise ValueError(f"[MultiMarginLoss] expected weight with shape (C,), got {weight.shape}")
        self.p = p
        self.margin = margin
        self.register_buffer("weight", weight)


class MultiLabelMarginLoss(Loss):
    """Hinge loss of scores (N, C) and several classes of each row; see `functional.multilabel_margin_loss`."""

    function = staticmethod(multilabel.multilabel_margin_loss)


class MultiLabelSoftMarginLoss(Loss):
    """Binary cross-entropy of logits, averaged over classes; see `functional.multilabel_soft_margin_loss`."""

    function = staticmethod(multilabel.multilabel_soft_margin_loss)
    options = ("weight",)

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
