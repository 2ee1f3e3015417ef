"""Predictions with their uncertainty: Monte Carlo dropout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from nnative import ops
from nnative.grad_mode import no_grad
from nnative.nn.dropout import _Dropout
from nnative.nn.module import Module
from nnative.recording import state as recording_state
from nnative.tensor import Tensor


@contextmanager
def switched(model: Module, training: Iterable[Module]) -> Iterator[None]:
    """Within the block, have some modules of a model in training mode and all others in evaluation mode."""
    chosen = {id(module) for module in training}
    before = [(module, module.training) for module in model.modules()]
    recording = recording_state.recording
    try:
        for module, _ in before:
            if recording is not None:  # what a replay must find is the mode of now
                recording.watch(module, "training")
            module.training = id(module) in chosen
        yield
    finally:
        for module, mode in before:
            module.training = mode


@no_grad()
def mc_dropout(model: Module, x: Any, samples: int = 32) -> tuple[Tensor, Tensor]:
    r"""Return mean and variance of predictions with different dropout masks, as if the weights were uncertain.

    The dropout layers (`Dropout`, `AlphaDropout`, `GaussianDropout`) are on and all other layers in evaluation mode;
    each module's mode is restored. The variance is the plain one, :math:`\frac{1}{T}\sum_t (y_t - \bar y)^2`.

    Parameters
    ----------
    model
        A module whose output is one tensor.
    x
        Its input.
    samples
        T, the number of predictions.

    Raises
    ------
    ValueError
        For fewer than one sample, and for a model without dropout layers.

    References
    ----------
    Y. Gal and Z. Ghahramani, Dropout as a Bayesian approximation: representing model uncertainty in deep learning,
    ICML 2016.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
    >>> mean, variance = nn.utils.mc_dropout(model, nnative.ones(4, 2), samples=10)
    >>> mean.shape, variance.shape
    ((4, 1), (4, 1))
    """
    if samples < 1:
        raise ValueError(f"[mc_dropout] expected at least one sample, got {samples}")
    layers = [module for module in model.modules() if isinstance(module, _Dropout)]
    if not layers:
        raise ValueError(f"[mc_dropout] expected a model with dropout layers, got {type(model).__name__} without any")
    with switched(model, layers):
        predictions = ops.stack([model(x) for _ in range(samples)])
    mean = ops.mean(predictions, 0)
    deviation = ops.sub(predictions, mean)
    return mean, ops.mean(ops.mul(deviation, deviation), 0)
