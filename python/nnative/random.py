"""Random numbers: generators, the process's default one, and its seed.

Numbers come from Philox4x32-10 (Salmon et al. 2011), which has no state to advance: a number is a function of seed,
stream and place. A generator holds a seed and hands each fill the next stream, so the same seed gives the same bits on
any number of threads, and two integers are all that a resumed run needs. They lie in a small array which kernels read
and advance too: a replayed step takes its streams there as the eager one does.
"""

from __future__ import annotations

import math
import operator
from _thread import allocate_lock  # threading.Lock, without the rest of threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array
from nnative.recording import state as recording_state

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = ["Generator", "default_generator", "initial_seed", "manual_seed"]


_LARGEST = {np.dtype(real): float(np.finfo(real).max) for real in (np.float32, np.float64)}


class Generator:
    """Hands out random arrays, each fill from the next stream of one seed.

    Parameters
    ----------
    seed
        An integer in [0, 2**64).

    Examples
    --------
    >>> from nnative.random import Generator
    >>> g = Generator(7)
    >>> first = g.uniform((2, 3))
    >>> g.stream
    1
    >>> bool((Generator(7).uniform((2, 3)) == first).all())
    True
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = allocate_lock()
        self._cell = np.array([_integer("Generator", "seed", seed), 0], dtype=np.uint64)

    def __repr__(self) -> str:
        return f"Generator(seed={self.seed}, stream={self.stream})"

    @property
    def seed(self) -> int:
        """The seed."""
        return int(self._cell[0])

    @property
    def stream(self) -> int:
        """The stream that the next fill takes."""
        return int(self._cell[1])

    @property
    def cell(self) -> Array:
        """Seed and stream as the array (2) of uint64 that kernels take streams from; it is never replaced."""
        return self._cell

    def initial_seed(self) -> int:
        """Return the seed."""
        return self.seed

    def manual_seed(self, seed: int) -> Generator:
        """Start again at stream 0 of a seed; returns the generator."""
        seed = _integer("manual_seed", "seed", seed)
        with self._lock:
            self._cell[:] = seed, 0
        return self

    def get_state(self) -> dict[str, int]:
        """Return what `set_state` takes to go on from here."""
        with self._lock:
            return {"seed": self.seed, "stream": self.stream}

    def set_state(self, state: dict[str, int]) -> None:
        """Go on from where `get_state` was called."""
        if not isinstance(state, dict) or set(state) != {"seed", "stream"}:
            raise ValueError(f"[set_state] expected a dict with 'seed' and 'stream', got {state!r}")
        seed, stream = (_integer("set_state", name, state[name]) for name in ("seed", "stream"))
        with self._lock:
            self._cell[:] = seed, stream

    def take(self) -> tuple[int, int]:
        """Return seed and stream for one fill, and advance; threads never get the same pair.

        Raises
        ------
        RuntimeError
            While a step is recorded: each replay would see the same numbers.
        """
        if recording_state.recording is not None:
            raise RuntimeError(
                "[compile] a Generator fills an array while a step is recorded: a replay would see the same numbers "
                "again. Draw them outside and pass them to the step"
            )
        with self._lock:
            seed, stream = _native.take_stream(self._cell).tolist()
        return seed, stream

    def uniform(
        self, shape: int | Sequence[int], low: float = 0.0, high: float = 1.0, dtype: DTypeLike = np.float32
    ) -> Array:
        """Return numbers uniform in [low, high), 24 random bits each in float32 and 53 in float64.

        ``high`` is never returned, even where rounding would; ``low == high`` returns ``low``.

        Raises
        ------
        ValueError
            Unless ``low <= high`` with a finite difference.
        """
        real = _real_dtype("uniform", dtype)
        if not (low <= high and high - low <= _LARGEST[real]):
            raise ValueError(f"[uniform] expected low <= high with a finite difference in {real}, got {low} and {high}")
        return _native.uniform(_shape("uniform", shape), *self.take(), low, high, real)

    def normal(
        self, shape: int | Sequence[int], mean: float = 0.0, std: float = 1.0, dtype: DTypeLike = np.float32
    ) -> Array:
        """Return normal numbers by Box and Muller's transform (1958), at most 6.7 std from the mean in float32.

        Raises
        ------
        ValueError
            For a negative or non-finite ``std`` or a non-finite ``mean``.
        """
        real = _real_dtype("normal", dtype)
        if not (std >= 0 and math.isfinite(std) and math.isfinite(mean)):
            raise ValueError(f"[normal] expected finite mean and std >= 0, got {mean} and {std}")
        return _native.normal(_shape("normal", shape), *self.take(), mean, std, real)

    def permutation(self, n: int) -> Array:
        """Return 0 … n-1 as int64 in random order, every order equally likely but for the 64 bits of the seed."""
        return _native.permutation(_integer("permutation", "n", n, 2**32), *self.take())


def manual_seed(seed: int) -> Generator:
    """Seed the process's default generator, which initialisers and layers use; returns it.

    Examples
    --------
    >>> import nnative.random
    >>> nnative.random.manual_seed(3).uniform(2).shape
    (2,)
    """
    return default_generator.manual_seed(seed)


def initial_seed() -> int:
    """Return the seed of the process's default generator, 0 unless `manual_seed` was called."""
    return default_generator.seed


def _integer(operation: str, name: str, value: Any, limit: int = 2**64) -> int:
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"[{operation}] expected an integer {name}, got {value!r}") from None
    if not 0 <= number < limit:
        raise ValueError(f"[{operation}] expected {name} in [0, 2**{limit.bit_length() - 1}), got {number}")
    return number


def _shape(operation: str, shape: int | Sequence[int]) -> tuple[int, ...]:
    extents = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    return tuple(_integer(operation, "extents", extent, 2**63) for extent in extents)


def _real_dtype(operation: str, dtype: DTypeLike) -> np.dtype[Any]:
    real = np.dtype(dtype)
    if real not in _LARGEST:
        raise TypeError(f"[{operation}] expected dtype float32 or float64, got {real}")
    return real


default_generator = Generator(0)
