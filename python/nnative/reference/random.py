"""The random family in NumPy: Philox4x32-10 and what is made of its words.

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnative.autograd import Array


def philox(counter: Array, key: Array) -> Array:
    """Return the words (N, 4) of each counter (N, 4) under the key (2), all uint32."""
    c0, c1, c2, c3 = counter.astype(np.uint64).T
    k0, k1 = (np.uint64(k) for k in key)
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ k0, p1 & low, (p0 >> half) ^ c3 ^ k1, p0 & low
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
    return np.asarray(np.stack([c0, c1, c2, c3], axis=-1), dtype=np.uint32)


def words(groups: int, seed: int, stream: int, first: int = 0) -> Array:
    """Return the random words (groups, 4, 16) of a fill: word j of block 16g + l is at [g, j, l]."""
    block = np.arange(first * 16, (first + groups) * 16, dtype=np.uint64)
    counter = np.empty((groups * 16, 4), dtype=np.uint32)
    counter[:, 0], counter[:, 1] = block & np.uint64(0xFFFFFFFF), block >> np.uint64(32)
    counter[:, 2], counter[:, 3] = stream & 0xFFFFFFFF, stream >> 32
    key = np.array([seed & 0xFFFFFFFF, seed >> 32], dtype=np.uint32)
    return np.asarray(philox(counter, key).reshape(groups, 16, 4).transpose(0, 2, 1))


def uniform(shape: tuple[int, ...], seed: int, stream: int, low: float, high: float, dtype: Any) -> Array:
    """Return ``low + u · (high - low)``, below ``high``; u has 24 random bits in float32, 53 in float64."""
    real = np.dtype(dtype).type
    size = int(np.prod(shape))
    if real is np.float32:
        unit = (words(-(-size // 64), seed, stream) >> 8).astype(np.float32) * np.float32(2.0**-24)
    else:
        w = words(-(-size // 32), seed, stream)
        unit = ((w[:, ::2] >> 5) * 2.0**26 + (w[:, 1::2] >> 6)) * 2.0**-53
    start, end = real(low), real(high)
    value = start + unit.ravel()[:size] * (end - start)
    return np.asarray(np.minimum(value, np.nextafter(end, start)).reshape(shape))


def _normals(u: Array, turn: Array, fine: Array | float) -> Array:
    """Return Box and Muller's pairs (1958) in a row, from uniform numbers, turns and their digits beyond 32 bits."""
    # The quadrant is in the top two bits; the rest is a signed fraction of a quarter turn.
    quadrant = turn >> 30
    angle = ((turn << 2).view(np.int32) * 2.0**-32 + fine) * (np.pi / 2)
    c, s = np.cos(angle), np.sin(angle)
    pair = np.stack([np.choose(quadrant, [c, -s, -c, s]), np.choose(quadrant, [s, c, -s, -c])], axis=2)
    radius = np.sqrt(-2.0 * np.log(u.astype(np.float64)))
    return np.asarray((radius[:, :, None] * pair).ravel())


def float_normals(size: int, seed: int, stream: int) -> Array:
    """Return the standard normal numbers of a fill of floats, not yet rounded."""
    w = words(-(-size // 64), seed, stream)
    u = ((w[:, ::2] >> 1).astype(np.float32) + np.float32(0.5)) * 2.0**-31
    return _normals(u, w[:, 1::2], 0.0)[:size]


def normal(shape: tuple[int, ...], seed: int, stream: int, mean: float, std: float, dtype: Any) -> Array:
    """Return ``mean + std · z`` with normal numbers z."""
    size = int(np.prod(shape))
    if np.dtype(dtype) == np.float32:
        z = float_normals(size, seed, stream)
    else:
        w = words(-(-size // 32), seed, stream)
        u = ((w[:, :1] >> 5) * 2.0**26 + (w[:, 1:2] >> 6) + 0.5) * 2.0**-53
        z = _normals(u, w[:, 2:3], (w[:, 3:4] >> 1) * 2.0**-61)[:size]
    return np.asarray(mean + std * z.reshape(shape), dtype=dtype)


def _word_stream(seed: int, stream: int) -> Iterator[int]:
    first = 0
    while True:
        yield from words(1, seed, stream, first).ravel().tolist()
        first += 1


def permutation(n: int, seed: int, stream: int) -> Array:
    """Return 0 … n-1 in random order: Fisher and Yates's shuffle, numbers below a range by Lemire's method (2019)."""
    draw = _word_stream(seed, stream)

    def below(limit: int) -> int:
        while True:
            product = next(draw) * limit
            if product % 2**32 >= 2**32 % limit:
                return product >> 32

    out = np.zeros(n, dtype=np.int64)
    for i in range(1, n):
        j = below(i + 1)
        out[i], out[j] = out[j], i
    return out


def uniform_from(shape: tuple[int, ...], state: Array, low: float, high: float, dtype: Any) -> Array:
    """Return `uniform` with the seed and stream of a state."""
    return uniform(shape, int(state[0]), int(state[1]), low, high, dtype)


def take_stream(cell: Array) -> Array:
    """Return seed and stream of a generator's cell, which goes on to the next stream."""
    state: Array = cell.copy()
    cell[1] += np.uint64(1)
    return state


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "uniform": lambda make, n: ((n,), 2**40 + n, 2**33 + 7, -0.5, 1.5, make.dtype.name),
    "normal": lambda make, n: ((n,), 2**40 + n, 2**33 + 7, 0.0, 2.0, make.dtype.name),
    "permutation": lambda make, n: (n, 2**40 + n, 2**33 + 7),
    "philox": lambda make, n: (
        make.rng.integers(0, 2**32, (n, 4), dtype=np.uint32),
        make.rng.integers(0, 2**32, 2, dtype=np.uint32),
    ),
    "uniform_from": lambda make, n: (
        (n,),
        np.array([2**40 + n, 2**33 + 7], dtype=np.uint64),
        0.125,
        0.5,
        make.dtype.name,
    ),
    "take_stream": lambda make, n: (np.array([n, 2**33 + n], dtype=np.uint64),),
}
