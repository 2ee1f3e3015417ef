"""Initialisers that draw every element from one distribution: constants, uniform, normal, truncated normal."""

from __future__ import annotations

import math
import warnings

import numpy as np

from nnative import random
from nnative.nn.init.target import T, data_of

Generator = random.Generator


def zeros_(tensor: T) -> T:
    """Fill with 0. As weights of a hidden layer it leaves all units the same: use it for biases."""
    return constant_(tensor, 0.0)


def ones_(tensor: T) -> T:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def constant_(tensor: T, val: float) -> T:
    """Fill with ``val``."""
    data_of("constant_", tensor)[...] = val
    return tensor


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> T:
    """Fill with numbers uniform in [a, b).

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.nn import init
    >>> t = init.uniform_(nnative.Tensor(np.empty((3, 5), dtype=np.float32)), -1, 1)
    >>> bool((abs(t.data) <= 1).all())
    True
    """
    data = data_of("uniform_", tensor)
    data[...] = (generator or random.default_generator).uniform(data.shape, a, b, data.dtype)
    return tensor


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> T:
    """Fill with normal numbers."""
    data = data_of("normal_", tensor)
    data[...] = (generator or random.default_generator).normal(data.shape, mean, std, data.dtype)
    return tensor


def trunc_normal_(
    tensor: T,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> T:
    """Fill with numbers of the normal distribution within [a, b].

    Numbers outside are drawn again, until few normal numbers fall within; then uniform ones are accepted by their
    density. Warns where mean is more than 2 std from [a, b], as PyTorch does. ValueError unless a ≤ b and std > 0.

    Examples
    --------
    >>> import nnative
    >>> from nnative.nn import init
    >>> t = init.trunc_normal_(nnative.zeros(1000), std=0.5, a=-1.0, b=1.0)
    >>> bool((abs(t.data) <= 1).all())
    True
    """
    data = data_of("trunc_normal_", tensor)
    if not (a <= b and std > 0 and math.isfinite(a) and math.isfinite(b)):
        raise ValueError(f"[trunc_normal_] expected a <= b and std > 0, got a={a}, b={b}, std={std}")
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn("[trunc_normal_] mean is more than 2 std from [a, b]", stacklevel=2)
    draw = generator or random.default_generator
    share = 0.5 * (math.erf((b - mean) / std / math.sqrt(2.0)) - math.erf((a - mean) / std / math.sqrt(2.0)))
    peak = (max(a, min(mean, b)) - mean) / std
    data[...] = np.nan
    missing = np.isnan(data)
    low, high = data.dtype.type(a), data.dtype.type(b)
    while missing.any():
        # A fill of the whole shape, so that a number depends on its place and round only.
        if share > 0.3:
            candidates = draw.normal(data.shape, mean, std, data.dtype)
            accepted = (candidates >= low) & (candidates <= high)
        else:
            candidates = draw.uniform(data.shape, a, b, data.dtype)
            density = np.exp(0.5 * (peak**2 - ((candidates - mean) / std) ** 2))
            accepted = draw.uniform(data.shape, 0.0, 1.0, data.dtype) < density
        chosen = missing & accepted
        data[chosen] = candidates[chosen]
        missing &= ~accepted
    return tensor
