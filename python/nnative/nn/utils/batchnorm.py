"""Batch normalisation after training: exact population statistics, and folding into the layer before."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

from nnative.autograd import TensorBase
from nnative.grad_mode import no_grad
from nnative.nn.activation import Identity
from nnative.nn.container import Sequential
from nnative.nn.linear import Linear
from nnative.nn.module import Module
from nnative.nn.norm import BatchNorm1d
from nnative.nn.parameter import Parameter
from nnative.nn.utils.monte_carlo import switched
from nnative.tensor import Tensor

M = TypeVar("M", bound=Module)


@no_grad()
def recalibrate_batchnorm(model: M, loader: Iterable[Any]) -> M:
    r"""Replace running statistics by plain averages over the batches of a loader; returns the model.

    This is the second half of Algorithm 2 of the paper: after training, with the weights as they are,
    :math:`E[x] = E_B[\mu_B]` and :math:`Var[x] = \frac{m}{m-1} E_B[\sigma_B^2]`. All other layers are in evaluation
    mode, so that the statistics are those of the network that predicts, without dropout. Modes and momenta are
    restored.

    Parameters
    ----------
    model
        A model with `BatchNorm1d` layers that track statistics; without any it is returned as it is.
    loader
        Batches of training data: inputs, or tuples that begin with them. Batches of more samples are closer to the
        statistics of all; each batch counts the same.

    Raises
    ------
    ValueError
        For a loader without batches.

    References
    ----------
    S. Ioffe and C. Szegedy, Batch normalization: accelerating deep network training by reducing internal covariate
    shift, ICML 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from nnative import nn
    >>> x = np.array([[1.0], [2.0], [3.0], [6.0]], np.float32)
    >>> norm = nn.utils.recalibrate_batchnorm(nn.BatchNorm1d(1), [x[:2], x[2:]])
    >>> norm.running_mean, norm.running_var
    (tensor([3.]), tensor([2.5000]))
    """
    layers = [m for m in model.modules() if isinstance(m, BatchNorm1d) and m.running_mean is not None]
    if not layers:
        return model
    momenta = [layer.momentum for layer in layers]
    batches = 0
    try:
        for layer in layers:
            layer.momentum = None
        with switched(model, layers):
            for batch in loader:
                if batches == 0:  # only now: an empty loader leaves the statistics alone
                    for layer in layers:
                        layer.reset_running_stats()
                x = batch[0] if isinstance(batch, tuple | list) else batch
                model(x if isinstance(x, TensorBase) else Tensor(x))
                batches += 1
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    if batches == 0:
        raise ValueError("[recalibrate_batchnorm] expected a loader with batches, got none")
    return model


def fold_batchnorm(model: M) -> M:
    r"""Return a copy of a model for inference whose batch norms are folded into the linear layers before them.

    Wherever a `Sequential` has a `Linear` and right behind it a `BatchNorm1d` that tracks statistics, the copy has a
    Linear of :math:`\hat W = sW` and :math:`\hat b = s(b - \mu) + \beta` with :math:`s = \gamma / \sqrt{\sigma^2 +
    \epsilon}`, and an `Identity`. The copy is in evaluation mode and gives the same results to rounding. Layers that
    the model uses in several places are left as they are.

    Parameters
    ----------
    model
        Any module; it is not changed.

    Examples
    --------
    >>> from nnative import nn
    >>> nn.utils.fold_batchnorm(nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU()))
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): Identity()
      (2): ReLU()
    )
    """
    result = copy.deepcopy(model).eval()
    uses: dict[int, int] = {}
    for parent in result.modules():
        for child in vars(parent).values():
            if isinstance(child, Module):
                uses[id(child)] = uses.get(id(child), 0) + 1
    for parent in list(result.modules()):
        if not isinstance(parent, Sequential):
            continue
        for i in range(len(parent) - 1):
            linear, norm = parent[i], parent[i + 1]
            if (
                type(linear) is Linear
                and type(norm) is BatchNorm1d
                and norm.running_mean is not None
                and uses[id(linear)] == uses[id(norm)] == 1
            ):
                _fold(linear, norm)
                parent[i + 1] = Identity()
    return result


def _fold(linear: Linear, norm: BatchNorm1d) -> None:
    """Put the scale and the shift of a batch norm into the linear layer before it, in float64."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    dtype = linear.weight.dtype
    scale = 1 / np.sqrt(norm.running_var.data.astype(np.float64) + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight.data
    shift = -norm.running_mean.data * scale
    if linear.bias is not None:
        shift = shift + linear.bias.data * scale
    if norm.bias is not None:
        shift = shift + norm.bias.data
    linear.weight.data[...] = linear.weight.data * scale[:, None]
    linear.bias = Parameter(shift.astype(dtype), requires_grad=linear.weight.requires_grad)
