"""LayerNorm, RMSNorm and GroupNorm: normalisation within a sample as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.memory import aligned_zeros
from nnative.nn.module import Module
from nnative.nn.parameter import Parameter
from nnative.ops.row_norm import group_norm, layer_norm, rms_norm
from nnative.recording import state as recording_state
from nnative.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class _RowNorm(Module):
    """What the three share: γ and β, which start at 1 and 0, and ε."""

    weight: Parameter | None
    bias: Parameter | None
    eps: float | None

    def _make(self, shape: tuple[int, ...], weight: bool, bias: bool, dtype: DTypeLike | None) -> None:
        if not all(isinstance(size, int | np.integer) and size >= 0 for size in shape):
            raise ValueError(f"[{type(self).__name__}] expected sizes that are integers from 0 on, got {shape}")
        wanted = np.dtype(np.float32 if dtype is None else dtype)
        self.weight = Parameter(aligned_zeros(shape, wanted)) if weight else None
        self.bias = Parameter(aligned_zeros(shape, wanted)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set γ to 1 and β to 0."""
        if self.weight is not None:
            _native.fill(self.weight.data, 1.0)
        if self.bias is not None:
            _native.fill(self.bias.data, 0.0)

    def _watch(self) -> None:
        recording = recording_state.recording
        if recording is not None:
            recording.watch(self, "eps")


def _sizes(normalized_shape: Sequence[int] | int) -> tuple[int, ...]:
    return (int(normalized_shape),) if isinstance(normalized_shape, int | np.integer) else tuple(normalized_shape)


class LayerNorm(_RowNorm):
    r"""Layer normalisation over the last dimensions, :math:`\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}\gamma + \beta`.

    μ and σ² are the mean and the biased variance of each sample: training and evaluation are the same, and a sample's
    result does not depend on its batch.

    Parameters
    ----------
    normalized_shape
        The sizes of the last dimensions, over which to normalise; an int for one.
    eps
        ε.
    elementwise_affine
        Whether there are γ and β.
    bias
        Whether there is β beside γ.
    dtype
        float32, the default, or float64.

    Attributes
    ----------
    weight, bias
        γ (ones) and β (zeros), of shape ``normalized_shape``, or None.

    Raises
    ------
    ValueError
        When called with an input that does not end in these dimensions.

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton, Layer normalization, 2016.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.LayerNorm(2)(nnative.tensor([[1.0, 3.0], [10.0, 30.0]])).detach()
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """

    def __init__(
        self,
        normalized_shape: Sequence[int] | int,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps: float = eps
        self.elementwise_affine = elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, elementwise_affine and bias, dtype)

    def forward(self, input: Any) -> Tensor:
        """Return input normalised."""
        self._watch()
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_RowNorm):
    r"""Root mean square normalisation over the last dimensions, :math:`x\gamma / \sqrt{\sum x^2/n + \epsilon}`.

    Parameters
    ----------
    normalized_shape
        The sizes of the last dimensions, n elements in all; an int for one.
    eps
        ε; None for the distance from 1 to the next number of the input's dtype.
    elementwise_affine
        Whether there is γ.
    dtype
        float32, the default, or float64.

    Attributes
    ----------
    weight
        γ (ones), of shape ``normalized_shape``, or None.

    Raises
    ------
    ValueError
        When called with an input that does not end in these dimensions.

    References
    ----------
    B. Zhang and R. Sennrich, Root mean square layer normalization, NeurIPS 2019.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.RMSNorm(2)(nnative.tensor([[1.0, 7.0]])).detach()
    tensor([[0.2000, 1.4000]])
    """

    def __init__(
        self,
        normalized_shape: Sequence[int] | int,
        eps: float | None = None,
        elementwise_affine: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, False, dtype)
        del self.bias

    def forward(self, x: Any) -> Tensor:
        """Return x normalised."""
        self._watch()
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_RowNorm):
    r"""Normalisation of groups of channels, :math:`\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}\gamma + \beta`.

    μ and σ² are the mean and the biased variance over the channels of a group and all dimensions behind them, of each
    sample: training and evaluation are the same.

    Parameters
    ----------
    num_groups
        The number of groups, a divisor of ``num_channels``.
    num_channels
        C; inputs are (N, C) or (N, C, …).
    eps
        ε.
    affine
        Whether there are γ and β.
    dtype
        float32, the default, or float64.
    bias
        Whether there is β beside γ.

    Attributes
    ----------
    weight, bias
        γ (ones) and β (zeros), of shape (C), or None.

    Raises
    ------
    ValueError
        For channels that the groups do not divide, and when called with another number of channels or with one sample
        of one value a group.

    References
    ----------
    Y. Wu and K. He, Group normalization, ECCV 2018.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.GroupNorm(2, 4)(nnative.tensor([[1.0, 3.0, 10.0, 30.0]])).detach()
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"[GroupNorm] expected num_channels divisible by num_groups, got {num_channels} and {num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps: float = eps
        self.affine = affine
        self._make((num_channels,), affine, affine and bias, dtype)

    def forward(self, input: Any) -> Tensor:
        """Return input normalised."""
        self._watch()
        shape = input.shape
        if len(shape) < 2 or shape[1] != self.num_channels:
            raise ValueError(
                f"[GroupNorm] expected input of {self.num_channels} channels in dimension 1, got shape {shape}"
            )
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
