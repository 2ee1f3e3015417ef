"""Normalisation within a sample: layer norm, RMS norm, group norm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, TensorBase
from nnative.ops.operands import array_of, require_float, same_dtype

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class RowNorm(Function):
    """(x − mean) · invstd · weight + bias within each group of each sample; see `_native.row_norm_forward`."""

    returns_fresh = True

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        x: Array,
        weight: Array | None,
        bias: Array | None,
        sizes: tuple[int, int, int, int],
        eps: float,
        centred: bool,
    ) -> Array:
        y, mean, invstd = _native.row_norm_forward(x, weight, bias, sizes, eps, centred)
        ctx.save_for_backward(x, mean, invstd, weight)
        ctx.sizes = sizes
        affine = bias if weight is None else weight
        ctx.shape = None if affine is None else affine.shape
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:  # noqa: D102
        needs = ctx.needs_input_grad
        x, mean, invstd, weight = ctx.saved_tensors
        dx, *affine = _native.row_norm_backward(grad, x, mean, invstd, weight, ctx.sizes, *needs[:3])
        return dx, *[None if g is None else g.reshape(ctx.shape) for g in affine], None, None, None


def _checked(name: str, x: Any, shape: tuple[int, ...], weight: Any, bias: Any) -> Array:
    """Return the array of x; raise unless weight and bias have the shape and its dtype."""
    data = x._data if isinstance(x, TensorBase) else array_of(name, x)
    require_float(name, data)
    for label, values in (("weight", weight), ("bias", bias)):
        if values is not None:
            array = values._data if isinstance(values, TensorBase) else array_of(name, values)
            same_dtype(name, data, array)
            if array.shape != shape:
                raise ValueError(f"[{name}] expected {label} of shape {shape}, got {array.shape}")
    return data


def _over_last(
    name: str, x: Any, normalized_shape: Sequence[int] | int, weight: Any, bias: Any, eps: float | None, centred: bool
) -> Tensor:
    """Normalise over the last dimensions, which are ``normalized_shape``."""
    last = (normalized_shape,) if isinstance(normalized_shape, int | np.integer) else tuple(normalized_shape)
    data = _checked(name, x, last, weight, bias)
    if not last or data.shape[data.ndim - len(last) :] != last:
        raise ValueError(f"[{name}] expected input whose last dimensions are {last}, got shape {data.shape}")
    count = math.prod(last)
    sizes = (math.prod(data.shape[: data.ndim - len(last)]), 1, count, 1)
    if eps is None:
        eps = float(np.finfo(data.dtype).eps)
    return RowNorm.apply(x, weight, bias, sizes, eps, centred)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int] | int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    r"""Layer normalisation over the last dimensions, :math:`\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}\gamma + \beta`.

    μ and σ² are the mean and the biased variance of each sample, so that its result does not depend on the others.

    Parameters
    ----------
    input
        (…, *normalized_shape), float32 or float64.
    normalized_shape
        The sizes of the last dimensions, over which to normalise; an int for one.
    weight, bias
        γ and β, of shape ``normalized_shape``, or None.
    eps
        ε.

    Raises
    ------
    ValueError
        For shapes that do not fit.
    TypeError
        For other dtypes, or several.

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton, Layer normalization, 2016.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.row_norm import layer_norm
    >>> layer_norm(nnative.tensor([[1.0, 3.0], [10.0, 30.0]]), 2)
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    return _over_last("layer_norm", input, normalized_shape, weight, bias, eps, True)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int] | int, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    r"""Root mean square normalisation, :math:`x\gamma / \sqrt{\sum x^2/n + \epsilon}` over the last dimensions.

    Parameters
    ----------
    input
        (…, *normalized_shape), float32 or float64.
    normalized_shape
        The sizes of the last dimensions, n elements in all; an int for one.
    weight
        γ, of shape ``normalized_shape``, or None.
    eps
        ε; None for the dtype's distance from 1 to the next number.

    Raises
    ------
    ValueError
        For shapes that do not fit.
    TypeError
        For other dtypes, or several.

    References
    ----------
    B. Zhang and R. Sennrich, Root mean square layer normalization, NeurIPS 2019.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.row_norm import rms_norm
    >>> rms_norm(nnative.tensor([[1.0, 7.0]]), 2)
    tensor([[0.2000, 1.4000]])
    """
    return _over_last("rms_norm", input, normalized_shape, weight, None, eps, False)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    r"""Normalisation of groups of channels, :math:`\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}\gamma + \beta`.

    μ and σ² are the mean and the biased variance over C / num_groups channels and all dimensions behind them, of each
    sample.

    Parameters
    ----------
    input
        (N, C) or (N, C, …), float32 or float64.
    num_groups
        The number of groups, a divisor of C: 1 normalises over all channels, C each by itself.
    weight, bias
        γ and β, (C), or None.
    eps
        ε.

    Raises
    ------
    ValueError
        For shapes that do not fit, and for a batch of one sample with one value a group.
    TypeError
        For other dtypes, or several.

    References
    ----------
    Y. Wu and K. He, Group normalization, ECCV 2018.

    Examples
    --------
    >>> import nnative
    >>> from nnative.ops.row_norm import group_norm
    >>> group_norm(nnative.tensor([[1.0, 3.0, 10.0, 30.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    shape = input.shape
    if len(shape) < 2:
        raise ValueError(f"[group_norm] expected input of shape (N, C) or (N, C, …), got {shape}")
    if num_groups < 1 or shape[1] % num_groups:
        raise ValueError(f"[group_norm] expected channels divisible by {num_groups} groups, got input of shape {shape}")
    _checked("group_norm", input, shape[1:2], weight, bias)
    sizes = (shape[0], num_groups, shape[1] // num_groups, math.prod(shape[2:]))
    if sizes[0] * sizes[2] * sizes[3] == 1:
        raise ValueError(f"[group_norm] expected more than 1 value per group, got input of shape {shape}")
    return RowNorm.apply(input, weight, bias, sizes, eps, True)
