"""Losses of classes and probabilities, and of numbers, as modules; those with margins are in margin.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nnative.nn.module import Module
from nnative.ops import loss, probability, regression
from nnative.ops.reduction import check_reduction
from nnative.recording import state as recording_state
from nnative.tensor import Tensor


class Loss(Module):
    """Base of the losses: a function of the inputs, of ``reduction``, and of the attributes that ``options`` names."""

    function: ClassVar[Callable[..., Tensor]]
    options: ClassVar[tuple[str, ...]] = ()
    batchmean: ClassVar[bool] = False

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = legacy_reduction(type(self).__name__, size_average, reduce, reduction)
        check_reduction(type(self).__name__, self.reduction, self.batchmean)

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """Return the loss of an input and a target, or what else the loss compares, under its function's names."""
        recording = recording_state.recording
        if recording is not None:
            for name in ("reduction", *self.options):
                recording.watch(self, name)
        options = {name: getattr(self, name) for name in self.options}
        return self.function(*inputs, **named, reduction=self.reduction, **options)


def legacy_reduction(name: str, size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Return the reduction that PyTorch's old arguments mean, if they are given."""
    for argument, value in (("size_average", size_average), ("reduce", reduce)):
        if value is not None and not isinstance(value, bool):
            raise TypeError(f"[{name}] expected {argument} to be a bool or None, got {value!r}: write reduction=")
    if size_average is None and reduce is None:
        return reduction
    return "none" if reduce is False else "sum" if size_average is False else "mean"


class CrossEntropyLoss(Loss):
    r"""Cross-entropy of logits and classes, :math:`-w_t (x_t - \log\sum_c \exp x_c)` for each row; or of probabilities.

    Arguments and shapes are those of `functional.cross_entropy`; ``weight`` is a buffer.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative import nn
    >>> nn.CrossEntropyLoss()(nnative.zeros(2, 4), np.array([0, 3]))
    tensor(1.3863)
    """

    function = staticmethod(loss.cross_entropy)
    options = ("weight", "ignore_index", "label_smoothing")

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing


class NLLLoss(Loss):
    """Negative log-likelihood of log-probabilities (N, C, …) and classes; see `functional.nll_loss`."""

    function = staticmethod(loss.nll_loss)
    options = ("weight", "ignore_index")

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index


class BCELoss(Loss):
    """Binary cross-entropy of probabilities; see `functional.binary_cross_entropy`."""

    function = staticmethod(probability.binary_cross_entropy)
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


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits; see `functional.binary_cross_entropy_with_logits`.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.BCEWithLogitsLoss(pos_weight=nnative.tensor([3.0]))(nnative.zeros(2, 1), nnative.ones(2, 1))
    tensor(2.0794)
    """

    function = staticmethod(probability.binary_cross_entropy_with_logits)
    options = ("weight", "pos_weight")

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)


class KLDivLoss(Loss):
    """Kullback-Leibler divergence, best with ``reduction="batchmean"``; see `functional.kl_div`."""

    function = staticmethod(probability.kl_div)
    options = ("log_target",)
    batchmean = True

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target


class MSELoss(Loss):
    r"""Squared error, :math:`(x - t)^2`; the lecture notes' :math:`\frac12\sum` is half of ``reduction="sum"``.

    ``"batchmean"`` is the sum over the outputs, averaged over the samples.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.MSELoss()(nnative.tensor([1.0, 3.0]), nnative.tensor([1.0, 1.0]))
    tensor(2.)
    """

    function = staticmethod(regression.mse_loss)
    batchmean = True


class L1Loss(Loss):
    """Absolute error; see `functional.l1_loss`."""

    function = staticmethod(regression.l1_loss)


class SmoothL1Loss(Loss):
    """Squared error near 0, absolute error beyond; see `functional.smooth_l1_loss`."""

    function = staticmethod(regression.smooth_l1_loss)
    options = ("beta",)

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta


class HuberLoss(Loss):
    """Huber's loss; see `functional.huber_loss`."""

    function = staticmethod(regression.huber_loss)
    options = ("delta",)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta


class PoissonNLLLoss(Loss):
    """Negative log-likelihood of counts; see `functional.poisson_nll_loss`."""

    function = staticmethod(regression.poisson_nll_loss)
    options = ("log_input", "full", "eps")

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Any, target: Any) -> Tensor:
        """Return the loss of an input, which is a logarithm unless ``log_input=False``, and a target."""
        return super().forward(log_input, target)


class GaussianNLLLoss(Loss):
    """Negative log-likelihood of a Gaussian, of input, target and variance; see `functional.gaussian_nll_loss`."""

    function = staticmethod(regression.gaussian_nll_loss)
    options = ("full", "eps")

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps
