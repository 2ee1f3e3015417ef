"""Operations on the elements of one array, or of several that broadcast."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative.autograd import Array

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def neg(x: Array) -> Array:
    """Return −x."""
    return np.negative(x)


def abs(x: Array) -> Array:
    """Return |x|."""
    return np.abs(x)


def abs_backward(dy: Array, x: Array) -> Array:
    """Return dy · sign(x): 0 at 0."""
    return np.where(x == 0, 0, dy * np.sign(x))


def sqrt(x: Array) -> Array:
    """Return the square root."""
    return np.asarray(np.sqrt(x))


def sqrt_backward(dy: Array, y: Array) -> Array:
    """Return dy / 2y, from the saved root y."""
    return np.asarray(dy / (2 * y))


def clip(x: Array, low: float, high: float) -> Array:
    """Return x, at least ``low`` and at most ``high``."""
    return np.asarray(np.minimum(np.maximum(x, low), high))


def clip_backward(dy: Array, x: Array, low: float, high: float) -> Array:
    """Return dy where x is within the bounds, else 0."""
    return np.where((x >= low) & (x <= high), dy, 0)


def add(a: Array | float, b: Array | float) -> Array:
    """Return a + b."""
    return np.add(a, b)


def sub(a: Array | float, b: Array | float) -> Array:
    """Return a − b."""
    return np.subtract(a, b)


def mul(a: Array | float, b: Array | float) -> Array:
    """Return a · b."""
    return np.multiply(a, b)


def div(a: Array | float, b: Array | float) -> Array:
    """Return a / b."""
    return np.divide(a, b)


def div_backward(dy: Array, a: Array | float, b: Array | float) -> Array:
    """Return the gradient of b, −dy · a / b², before the sum over dimensions along which b was broadcast."""
    return -dy / b * (a / b)


def maximum(a: Array | float, b: Array | float) -> Array:
    """Return the larger of a and b, NaN if either is NaN."""
    return np.maximum(a, b)


def minimum(a: Array | float, b: Array | float) -> Array:
    """Return the smaller of a and b, NaN if either is NaN."""
    return np.minimum(a, b)


def maximum_backward(dy: Array, a: Array | float, b: Array | float) -> Array:
    """Return the gradient of a: dy where a is larger, half of it where they are equal."""
    return np.where(np.less(a, b), 0, np.where(np.equal(a, b), dy / 2, dy))


def pow(a: Array | float, b: Array | float) -> Array:
    """Return a to the power b."""
    return np.power(a, b)


def pow_backward_base(dy: Array, a: Array | float, b: Array | float) -> Array:
    """Return the gradient of a, dy · b · a^(b−1); 0 where b is 0."""
    return np.where(np.equal(b, 0), 0, dy * (b * np.power(a, np.subtract(b, 1))))


def pow_backward_exponent(dy: Array, a: Array | float, b: Array | float) -> Array:
    """Return the gradient of b, dy · a^b · log a; 0 where a is 0 and b is not negative."""
    return np.where(np.equal(a, 0) & np.greater_equal(b, 0), 0, dy * (np.power(a, b) * np.log(a)))


def prelu(a: Array | float, b: Array | float) -> Array:
    """Return a where it is positive, else a · b."""
    return np.where(np.greater(a, 0), a, np.multiply(a, b))


def prelu_backward_input(dy: Array, a: Array | float, b: Array | float) -> Array:
    """Return the gradient of a: dy where a is positive, else dy · b."""
    return np.where(np.greater(a, 0), dy, dy * b)


def prelu_backward_weight(dy: Array, a: Array | float, b: Array | float) -> Array:
    """Return the gradient of b, before the sum over its broadcast dimensions: dy · a where a is not positive."""
    return np.where(np.greater(a, 0), 0, dy * a) + np.zeros(np.shape(b), dy.dtype)


def where(condition: Array, a: Array | float, b: Array | float) -> Array:
    """Return a where the condition holds, else b."""
    return np.where(condition, a, b)


def accumulate(y: Array, x: Array) -> None:
    """Add x to y in place."""
    y += x


def fill(y: Array, value: float) -> None:
    """Set every element of y."""
    y[...] = value


def full(shape: tuple[int, ...], value: float, dtype: DTypeLike) -> Array:
    """Return an array with one value everywhere."""
    return np.full(shape, value, dtype)


def cast(x: Array, dtype: DTypeLike) -> Array:
    """Return x (float32, float64, int64, uint8 or bool) as float32 or float64."""
    return x.astype(dtype)


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "neg": lambda make, n: (make(n),),
    "abs": lambda make, n: (make(n),),
    "abs_backward": lambda make, n: (make(n), make(n)),
    "sqrt": lambda make, n: (make.positive(n),),
    "sqrt_backward": lambda make, n: (make(n), make.positive(n)),
    "clip": lambda make, n: (make(n), -0.5, 0.75),
    "clip_backward": lambda make, n: (make(n), make(n), -0.5, 0.75),
    "add": lambda make, n: (make(3, n), make(n)),
    "sub": lambda make, n: (make(3, n), make(3, 1)),
    "mul": lambda make, n: (make(n, 1), make(1, 7)),
    "div": lambda make, n: (make(n), make.positive(n)),
    "div_backward": lambda make, n: (make(n, 5), make(n, 5), make.positive(5)),
    "maximum": lambda make, n: (make(n), 0.25),
    "minimum": lambda make, n: (-0.25, make(n)),
    "maximum_backward": lambda make, n: (make(n), make(n), make(1)),
    "pow": lambda make, n: (make.positive(n), make(n)),
    "pow_backward_base": lambda make, n: (make(n), make.positive(n), 2.5),
    "pow_backward_exponent": lambda make, n: (make(n), make.positive(n), make(n)),
    "prelu": lambda make, n: (make(3, n), make(n)),
    "prelu_backward_input": lambda make, n: (make(3, n), make(3, n), make(3, 1)),
    "prelu_backward_weight": lambda make, n: (make(n, 5), make(n, 5), make(1)),
    "where": lambda make, n: (make(3, n) > 0, make(n), -1.0),
    "accumulate": lambda make, n: (make(n), make(n)),
    "fill": lambda make, n: (make(n), 0.5),
    "full": lambda make, n: ((n, 2), 0.5, make.dtype),
    "cast": lambda make, n: (make.labels(100, n), make.dtype),
}
