"""Averages of the weights of a model while it trains, equal (SWA) or exponential (EMA), and a schedule for them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from nnative import _native
from nnative.autograd import TensorBase
from nnative.grad_mode import no_grad
from nnative.nn.module import Module
from nnative.nn.norm import BatchNorm1d
from nnative.optim.lr_scheduler.swa import SWALR
from nnative.recording import state as recording_state
from nnative.tensor import Tensor

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


class _Average:
    """Moves averages by a fixed weight, or by 1 / (n + 1), towards the tensors of a model: one native launch."""

    def __init__(self, weight: float | None) -> None:
        self.weight = weight

    def __call__(self, averaged: list[Tensor], current: list[Tensor], num_averaged: Any) -> None:
        if recording_state.recording is not None:
            for t in (*averaged, *current):
                recording_state.recording.use(t)
        n = num_averaged.data if isinstance(num_averaged, TensorBase) else np.array(num_averaged, np.int64)
        _native.average([t.data for t in averaged], [t.data for t in current], n, self.weight)


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """Return ``averaged ← decay · averaged + (1 − decay) · current`` for lists of tensors, as `AveragedModel` takes it.

    Raises
    ------
    ValueError
        For a decay outside [0, 1].

    Examples
    --------
    >>> from nnative import nn
    >>> from nnative.optim import swa_utils
    >>> ema = swa_utils.AveragedModel(nn.Linear(2, 1), multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.99))
    """
    return _Average(1 - _checked(decay))


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """Return ``averaged ← averaged + (current − averaged) / (n + 1)`` for lists of tensors."""
    return _Average(None)


def get_ema_avg_fn(decay: float = 0.999) -> Callable[..., Tensor]:
    """Return ``decay · averaged + (1 − decay) · current`` as a function of one tensor; see `get_ema_multi_avg_fn`."""
    _checked(decay)
    return lambda averaged, current, num_averaged: decay * averaged + (1 - decay) * current


def get_swa_avg_fn() -> Callable[..., Tensor]:
    """Return ``averaged + (current − averaged) / (n + 1)`` as a function of one tensor."""
    return lambda averaged, current, num_averaged: averaged + (current - averaged) / (int(num_averaged) + 1)


def _checked(decay: float) -> float:
    if not 0 <= decay <= 1:
        raise ValueError(
            f"[get_ema_avg_fn] Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )
    return decay


class AveragedModel(Module):
    """A copy of a model whose weights are an average of the model's over its training.

    The first `update_parameters` copies the weights, later ones average. The equal average of all is stochastic weight
    averaging (SWA), ``averaged ← averaged + (current − averaged) / (n + 1)``; `get_ema_multi_avg_fn` gives the
    exponential one.

    Parameters
    ----------
    model
        The model; it is copied.
    device
        For PyTorch's sake: None or "cpu".
    avg_fn
        A function of an averaged tensor, the model's, and the number averaged, that returns the average.
    multi_avg_fn
        A function of two lists of tensors and the number averaged, that changes those of the first in place. The
        functions of this module can be recorded in a step, others cannot.
    use_buffers
        Average buffers of floats too; otherwise they are copied, as buffers of integers always are.

    Attributes
    ----------
    module
        The copy.
    n_averaged
        The number of updates, int64 of shape ().

    Raises
    ------
    ValueError
        For both functions, and another device.

    References
    ----------
    P. Izmailov et al., Averaging weights leads to wider optima and better generalization, UAI 2018. B. Polyak and
    A. Juditsky, Acceleration of stochastic approximation by averaging, 1992.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> from nnative.optim.swa_utils import AveragedModel
    >>> model = nn.Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     model.weight.data[...] = value
    ...     averaged.update_parameters(model)
    >>> averaged(nnative.ones(1, 1)).item()
    3.0
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[..., Tensor] | None = None,
        multi_avg_fn: Callable[..., None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("[AveragedModel] Only one of avg_fn and multi_avg_fn should be provided")
        if device is not None and str(device) != "cpu":
            raise ValueError(f"[AveragedModel] expected device None or 'cpu', got {device!r}")
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", np.zeros((), np.int64))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the averaged model returns."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the present weights of the model into the average."""
        averaged: list[Tensor] = list(self.module.parameters())
        current: list[Tensor] = list(model.parameters())
        for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
            if self.use_buffers and mine.data.dtype.kind == "f":
                averaged.append(mine)
                current.append(theirs)
            else:
                _copy(mine, theirs)
        average = self.multi_avg_fn or (get_swa_multi_avg_fn() if self.avg_fn is None else None)
        if isinstance(average, _Average):
            average(averaged, current, self.n_averaged)
            return
        if int(self.n_averaged) == 0:
            for mine, theirs in zip(averaged, current, strict=True):
                _copy(mine, theirs)
        elif average is not None:
            average(averaged, current, self.n_averaged)
        elif self.avg_fn is not None:
            for mine, theirs in zip(averaged, current, strict=True):
                _copy(mine, self.avg_fn(mine.detach(), theirs.detach(), self.n_averaged))
        self.n_averaged.data[...] += 1


def _copy(to: Tensor, value: Tensor) -> None:
    if recording_state.recording is not None:
        recording_state.recording.use(to)
        recording_state.recording.use(value)
    _native.assign(to.data, value.data)


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Set the running statistics of batch normalisation to plain averages over the batches of a loader.

    Averaged weights have seen no data: after training call this once with the averaged model. Every layer is in
    training mode meanwhile; modes and momenta are restored.

    Parameters
    ----------
    loader
        Batches of inputs, or tuples that begin with them.
    model
        A model; one without `BatchNorm1d` is left alone.
    device
        For PyTorch's sake.

    Examples
    --------
    >>> import numpy as np
    >>> from nnative import nn
    >>> from nnative.optim.swa_utils import update_bn
    >>> layer = nn.BatchNorm1d(1)
    >>> update_bn([np.array([[1.0], [3.0]], np.float32), np.array([[5.0], [7.0]], np.float32)], layer)
    >>> layer.running_mean
    tensor([4.])
    """
    layers = [module for module in model.modules() if isinstance(module, BatchNorm1d)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.train()
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
        for batch in loader:
            x = batch[0] if isinstance(batch, list | tuple) else batch
            model(x if isinstance(x, TensorBase) else Tensor(x))
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for module, training in modes:
            module.training = training
