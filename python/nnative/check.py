"""Run every native kernel against its NumPy reference: the engine of ``python -m nnative check`` and of the tests.

A native result in float32 is compared with the reference evaluated in float64 on the same inputs, one in float64 with
the reference in float64. `tolerance` says how far they may be apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnative import _native, reference
from nnative.autograd import Array

# Vector widths W are 4, 8 and 16 elements: sizes 0, 1, W−1, W, W+1, 4W+3, a prime, a large one.
SIZES = (0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 19, 35, 67, 131, 1031)


class Maker:
    """Makes example arguments: ``make(3, 4)`` is a (3, 4) array of normal numbers of the wanted dtype."""

    def __init__(self, dtype: Any, seed: int = 0) -> None:
        self.dtype = np.dtype(dtype)
        self.rng = np.random.default_rng(seed)

    def __call__(self, *shape: int) -> Array:
        """Return standard normal numbers."""
        return np.ascontiguousarray(self.rng.standard_normal(shape), dtype=self.dtype)

    def positive(self, *shape: int) -> Array:
        """Return numbers in (0.1, 4)."""
        return np.ascontiguousarray(self.rng.uniform(0.1, 4.0, shape), dtype=self.dtype)

    def labels(self, classes: int, *shape: int) -> Array:
        """Return class indices in [0, classes) as int64."""
        return self.rng.integers(0, classes, shape, dtype=np.int64)


def tolerance(expected: Array, dtype: Any, terms: int) -> Array:
    """Return the allowed absolute error of each element: ``eps · (4 + √terms) · (|expected| + magnitude)``.

    ``terms`` is the length of the longest sum behind an element. ``magnitude`` is the root mean square of the array:
    sums cancel, so a small element carries the rounding of its large summands.
    """
    eps = float(np.finfo(dtype).eps)
    finite = np.abs(np.where(np.isfinite(expected), expected, 0.0))
    magnitude = float(np.sqrt(np.mean(finite**2))) if expected.size else 0.0
    return eps * (4.0 + float(np.sqrt(terms))) * (finite + magnitude)


def worst_error(actual: Any, expected: Any, dtype: Any, terms: int, name: str = "") -> float:
    """Return the largest error in units of `tolerance`; raise AssertionError for a wrong shape or dtype.

    ``actual`` and ``expected`` are arrays, numbers, None, or tuples and lists of them. NaN and infinity must agree
    exactly.
    """
    if isinstance(expected, tuple | list):
        assert len(actual) == len(expected), f"{name}: {len(actual)} results, expected {len(expected)}"
        pairs = zip(actual, expected, strict=True)
        return max((worst_error(a, e, dtype, terms, f"{name}[{i}]") for i, (a, e) in enumerate(pairs)), default=0.0)
    if expected is None:
        assert actual is None, f"{name}: expected None"
        return 0.0
    got, want = np.asarray(actual), np.asarray(expected)
    assert got.shape == want.shape, f"{name}: shape {got.shape}, expected {want.shape}"
    if want.dtype.kind != "f":
        return 0.0 if np.array_equal(got, want) else np.inf
    assert got.dtype == dtype or got.ndim == 0, f"{name}: dtype {got.dtype}, expected {dtype}"
    if want.size == 0:
        return 0.0
    special = ~np.isfinite(want)
    if not np.array_equal(got[special], want[special].astype(got.dtype), equal_nan=True):
        return np.inf
    allowed = np.maximum(tolerance(want, dtype, terms), np.finfo(dtype).tiny)
    with np.errstate(invalid="ignore"):
        error = np.abs(np.where(special, 0.0, got.astype(np.float64) - want)) / allowed
    return float(np.nan_to_num(error, nan=np.inf).max())


def upcast(value: Any) -> Any:
    """Return a deep copy with float32 arrays as float64, for the reference to work on."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype == np.float32 else value.copy()
    if isinstance(value, list | tuple):
        return type(value)(upcast(v) for v in value)
    return value


def run_case(name: str, dtype: Any, n: int, seed: int = 0) -> float:
    """Return the worst error of kernel ``name`` on its example arguments of size ``n``, in units of `tolerance`.

    Arguments that a kernel writes (optimizer state) are compared too.
    """
    args = reference.examples()[name](Maker(dtype, seed), n)
    reference_args = upcast(args)
    with np.errstate(all="ignore"):
        expected = reference.functions()[name](*reference_args)
    actual = getattr(_native, name)(*args)
    terms = max((max(a.shape, default=1) for a in args if isinstance(a, np.ndarray)), default=1)
    return max(
        worst_error(actual, expected, dtype, terms, name),
        *(
            worst_error(a, e, dtype, terms, f"{name} argument {i}")
            for i, (a, e) in enumerate(zip(args, reference_args, strict=True))
            if isinstance(a, np.ndarray | list) and _is_float(a)
        ),
        0.0,
    )


def _is_float(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_float(v) for v in value)
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


@dataclass(frozen=True)
class Verdict:
    """The outcome of one kernel on one instruction set and dtype."""

    kernel: str
    isa: str
    dtype: str
    error: float  # worst, in units of the tolerance

    @property
    def passed(self) -> bool:
        """Whether the worst error is within the tolerance."""
        return self.error <= 1.0


def check_all(progress: Callable[[Verdict], None] | None = None) -> Iterator[Verdict]:
    """Yield a verdict for every kernel, supported instruction set and dtype."""
    before = _native.isa()
    try:
        for isa in [name for name, supported in _native.isas() if supported]:
            _native.set_isa(isa)
            for kernel in _native.kernels():
                for dtype in ("float32", "float64"):
                    yield Verdict(kernel, isa, dtype, max(run_case(kernel, dtype, n, seed=n) for n in SIZES))
    finally:
        _native.set_isa(before)
