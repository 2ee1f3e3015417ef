"""BatchNorm1d: batch normalisation as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.memory import aligned_zeros
from nnative.nn.module import Module
from nnative.nn.parameter import Parameter
from nnative.ops.norm import batch_norm
from nnative.recording import state as recording_state
from nnative.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class BatchNorm1d(Module):
    r"""Batch normalisation of (N, C) or (N, C, L): :math:`\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}\gamma + \beta`.

    In training, μ and σ² are the batch's mean and biased variance of each channel. In evaluation they are the running
    mean and the running unbiased variance, which training follows: ``running += momentum * (batch - running)``.

    Parameters
    ----------
    num_features
        C.
    eps
        ε.
    momentum
        The weight of the newest batch in the running statistics; None for the plain average of all batches.
    affine
        Whether there are γ and β.
    track_running_stats
        Without it there are no running statistics, and evaluation uses the batch's too.
    dtype
        float32, the default, or float64.
    bias
        Whether there is β beside γ.

    Attributes
    ----------
    weight, bias
        γ (ones) and β (zeros), of shape (C), or None.
    running_mean, running_var
        Zeros and ones, of shape (C), or None.
    num_batches_tracked
        The number of training batches so far, int64 of shape (), or None.

    Raises
    ------
    ValueError
        When called with another number of channels or dimensions, or in training with one value a channel.

    References
    ----------
    S. Ioffe and C. Szegedy, Batch normalization: accelerating deep network training by reducing internal covariate
    shift, ICML 2015.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> layer = nn.BatchNorm1d(1)
    >>> layer(nnative.tensor([[1.0], [3.0]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    >>> layer.running_mean, layer.running_var
    (tensor([0.2000]), tensor([1.1000]))
    """

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if not isinstance(num_features, int | np.integer) or num_features < 0:
            raise ValueError(f"[BatchNorm1d] expected num_features to be an integer from 0 on, got {num_features!r}")
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        wanted = np.dtype(np.float32 if dtype is None else dtype)
        self.weight = Parameter(aligned_zeros((num_features,), wanted)) if affine else None
        self.bias = Parameter(aligned_zeros((num_features,), wanted)) if affine and bias else None
        self.register_buffer("running_mean", np.empty(num_features, wanted) if track_running_stats else None)
        self.register_buffer("running_var", np.empty(num_features, wanted) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", np.zeros((), np.int64) if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen so far."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            _native.fill(self.running_mean.data, 0.0)
            _native.fill(self.running_var.data, 1.0)
            self.num_batches_tracked.data[...] = 0

    def reset_parameters(self) -> None:
        """Forget the batches seen so far, and set γ to 1 and β to 0."""
        self.reset_running_stats()
        if self.weight is not None:
            _native.fill(self.weight.data, 1.0)
        if self.bias is not None:
            _native.fill(self.bias.data, 0.0)

    def forward(self, input: Any) -> Tensor:
        """Return input normalised; in training, move the running statistics."""
        shape = input.shape
        if len(shape) != 2 and len(shape) != 3:
            raise ValueError(f"[BatchNorm1d] expected input of shape (N, C) or (N, C, L), got {shape}")
        if shape[1] != self.num_features:
            raise ValueError(
                f"[BatchNorm1d] expected input of {self.num_features} channels in dimension 1, got shape {shape}"
            )
        recording = recording_state.recording
        if recording is not None:
            for name in ("momentum", "eps", "track_running_stats"):
                recording.watch(self, name)
        mean, var, batches = self.running_mean, self.running_var, self.num_batches_tracked
        if self.training and not self.track_running_stats:
            mean = var = batches = None
        training = self.training or mean is None
        return batch_norm(input, mean, var, self.weight, self.bias, training, self.momentum, self.eps, batches)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.affine if self.weight is None else self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )
