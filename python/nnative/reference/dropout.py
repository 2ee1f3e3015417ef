"""The dropout family in NumPy: masks from the bits of Philox's words, noise from its normal numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array
from nnative.reference.random import float_normals, take_stream, words


def dropped(size: int, state: Array, p: float) -> Array:
    """Return which elements a fill drops: those whose random number of 16 bits is below p · 2¹⁶.

    Bit b of the numbers of 2048 elements is (inverted) one group of words. From the lowest bit to the highest, an
    element stays below where the threshold's bit is 1 and its own is 0, or where they agree and it was below before.
    """
    threshold, tiles = int(np.floor(p * 2**16 + 0.5)), -(-size // 2048)
    seed, stream = (int(v) for v in state)
    bits = words(16 * tiles, seed, stream).reshape(tiles, 16, 64)
    below = np.zeros((tiles, 64), dtype=np.uint32)
    for b in range(16):
        word = bits[:, 15 - b]
        below = below | word if threshold >> b & 1 else below & word
    mask = np.unpackbits(below.view(np.uint8), bitorder="little")[:size].astype(bool)
    return np.asarray(mask | (threshold == 2**16))


def _dropout(x: Array, state: Array, p: float, scale: float, shift: float, instead: float) -> Array:
    return np.asarray(np.where(dropped(x.size, state, p).reshape(x.shape), instead, x * scale + shift), dtype=x.dtype)


def dropout_forward(
    x: Array, cell: Array, p: float, scale: float, shift: float = -0.0, instead: float = 0.0
) -> tuple[Array, Array]:
    """Return ``scale`` · x + ``shift``, ``instead`` where dropped, and the seed and stream taken from the cell."""
    state = take_stream(cell)
    return _dropout(x, state, p, scale, shift, instead), state


def dropout_backward(dy: Array, state: Array, p: float, scale: float) -> Array:
    """Return ``scale`` · dy with the same elements 0."""
    return _dropout(dy, state, p, scale, -0.0, 0.0)


def _noise(x: Array, state: Array) -> Array:
    return float_normals(x.size, *(int(v) for v in state)).reshape(x.shape)


def gaussian_noise(x: Array, cell: Array, std: float) -> Array:
    """Return x + std · z with normal numbers z of the stream taken from the cell."""
    return np.asarray(x + std * _noise(x, take_stream(cell)), dtype=x.dtype)


def gaussian_dropout_forward(x: Array, cell: Array, std: float) -> tuple[Array, Array]:
    """Return x · (1 + std · z) with normal numbers z, and the seed and stream taken from the cell."""
    state = take_stream(cell)
    return gaussian_dropout_backward(x, state, std), state


def gaussian_dropout_backward(dy: Array, state: Array, std: float) -> Array:
    """Return dy · (1 + std · z) with the same z."""
    return np.asarray(dy * (1 + std * _noise(dy, state)), dtype=dy.dtype)


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "dropout_forward": lambda make, n: (
        make(n, 5),
        np.array([2**40 + n, 2**33 + 7], dtype=np.uint64),
        (0.1, 0.5, 0.25, 1.0, 0.0)[n % 5],
        1.25,
        *(() if n % 2 else (0.3, -0.7)),
    ),
    "dropout_backward": lambda make, n: (make(3, n), np.array([n, 5], dtype=np.uint64), 0.3, 2.0),
    "gaussian_noise": lambda make, n: (make(n, 5), np.array([n, 2**33 + 7], dtype=np.uint64), 0.3),
    "gaussian_dropout_forward": lambda make, n: (make(3, n), np.array([2**40 + n, 7], dtype=np.uint64), 0.5),
    "gaussian_dropout_backward": lambda make, n: (make(n, 7), np.array([n, 5], dtype=np.uint64), 1.0),
}
