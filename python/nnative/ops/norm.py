"""Batch normalisation: each channel to mean 0 and variance 1, then scaled and shifted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function
from nnative.ops.operands import array_of, require_float, same_dtype

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class BatchNorm(Function):
    """(x − mean) · invstd · weight + bias for each channel, by the statistics of the batch or the running ones."""

    returns_fresh = True

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        x: Array,
        running_mean: Array | None,
        running_var: Array | None,
        batches: Array | None,
        weight: Array | None,
        bias: Array | None,
        training: bool,
        momentum: float | None,
        eps: float,
    ) -> Array:
        if type(x) is not np.ndarray or x.ndim < 2:
            _fail_input(x)
        dtype, channels = x.dtype, x.shape[1:2]
        for values in (running_mean, running_var, weight, bias):
            if values is not None and (values.dtype is not dtype or values.shape != channels):
                _check_channels(x, running_mean, running_var, weight, bias)
        if training:
            if x.shape[0] * math.prod(x.shape[2:]) < 2:
                raise ValueError(
                    f"[batch_norm] expected more than 1 value per channel when training, got input of shape {x.shape}"
                )
            y, mean, invstd = _native.batch_norm_forward(
                x, running_mean, running_var, batches, weight, bias, momentum, eps
            )
        elif running_mean is None or running_var is None:
            raise ValueError("[batch_norm] expected running_mean and running_var where training is False")
        else:
            y, mean, invstd = _native.batch_norm_infer(x, running_mean, running_var, weight, bias, eps)
        ctx.save_for_backward(x, mean, invstd, weight)
        ctx.training = training
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        needs = ctx.needs_input_grad
        x, mean, invstd, weight = ctx.saved_tensors
        dx, dweight, dbias = _native.batch_norm_backward(grad, x, mean, invstd, weight, ctx.training, needs[0])
        return dx, None, None, None, dweight if needs[4] else None, dbias if needs[5] else None, None, None, None


def _fail_input(x: Any) -> None:
    x = array_of("batch_norm", x)
    raise ValueError(f"[batch_norm] expected input of shape (N, C) or (N, C, …), got {x.shape}")


def _check_channels(x: Array, *arrays: Array | None) -> None:
    require_float("batch_norm", x)
    for name, values in zip(("running_mean", "running_var", "weight", "bias"), arrays, strict=True):
        if values is not None:
            same_dtype("batch_norm", x, values)
            if values.shape != x.shape[1:2]:
                raise ValueError(
                    f"[batch_norm] expected {name} of {x.shape[1]} channels for input of shape {x.shape}, "
                    f"got shape {values.shape}"
                )


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
    num_batches_tracked: Tensor | None = None,
) -> Tensor:
    r"""Batch normalisation, :math:`\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}\,\gamma + \beta` for each channel.

    In training, μ and σ² are the batch's mean and biased variance, over all dimensions but the second, and the running
    statistics move towards the mean and the unbiased variance, in place:
    ``running += momentum * (batch - running)``. Otherwise μ and σ² are the running statistics.

    Parameters
    ----------
    input
        (N, C) or (N, C, …), float32 or float64.
    running_mean, running_var
        (C), or both None in training.
    weight, bias
        γ and β, (C), or None.
    training
        Whether to use and to follow the batch's statistics.
    momentum
        The weight of the newest batch; None for the plain average of all, which needs ``num_batches_tracked``.
    eps
        ε.
    num_batches_tracked
        An int64 tensor of no dimension that training increments, or None.

    Raises
    ------
    ValueError
        For other shapes, for one value a channel in training, and for missing running statistics otherwise.
    TypeError
        For other dtypes, or several.

    References
    ----------
    S. Ioffe and C. Szegedy, Batch normalization: accelerating deep network training by reducing internal covariate
    shift, ICML 2015.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.norm import batch_norm
    >>> batch_norm(nnative.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    if (running_mean is None) != (running_var is None):
        raise ValueError("[batch_norm] expected both running_mean and running_var, or neither")
    if training and momentum is None and running_mean is not None and num_batches_tracked is None:
        raise ValueError("[batch_norm] expected num_batches_tracked where momentum is None")
    return BatchNorm.apply(input, running_mean, running_var, num_batches_tracked, weight, bias, training, momentum, eps)
