"""Philox and what is made of its words: known answers, bounds, distributions, and bits that depend on nothing else."""

import threading
from fractions import Fraction

import numpy as np
import pytest

from nnative import _native, random
from nnative.reference import random as reference

# Counter, key, result: the known-answer vectors that the authors publish with Random123.
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def _words(text):
    return np.array([int(word, 16) for word in text.split()], dtype=np.uint32)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_known_answers(isa, counter, key, expected):
    rows = np.tile(_words(counter), (3, 1))
    assert (_native.philox(rows, _words(key)) == _words(expected)).all()
    assert (reference.philox(rows, _words(key)) == _words(expected)).all()


def test_fill_is_made_of_philox_words():
    seed, stream = 2**63 + 5, 2**40 + 3
    counter = np.array([[1, 0, stream & 0xFFFFFFFF, stream >> 32]], dtype=np.uint32)
    key = np.array([seed & 0xFFFFFFFF, seed >> 32], dtype=np.uint32)
    expected = (_native.philox(counter, key)[0] >> 8).astype(np.float32) * np.float32(2.0**-24)
    fill = _native.uniform((64,), seed, stream, 0.0, 1.0, "float32")
    assert (fill[1::16] == expected).all()


@pytest.mark.parametrize("fill", [_native.uniform, _native.normal])
def test_bits_depend_on_seed_stream_and_place_only(fill, isa, dtype, threads):
    size = 100_003
    whole = fill((size,), 5, 9, -1.0, 2.0, dtype)
    before = _native.isa()
    _native.set_isa("avx2" if dict(_native.isas()).get("avx2") else before)
    _native.set_num_threads(1)
    try:
        assert (fill((size,), 5, 9, -1.0, 2.0, dtype) == whole).all()
    finally:
        _native.set_isa(before)
        _native.set_num_threads(threads)
    assert (fill((777,), 5, 9, -1.0, 2.0, dtype) == whole[:777]).all()
    assert (fill((777,), 5, 10, -1.0, 2.0, dtype) != whole[:777]).any()
    assert (fill((777,), 6, 9, -1.0, 2.0, dtype) != whole[:777]).any()


def test_uniform_equals_reference_to_the_bit(isa, dtype):
    args = ((1031,), 3, 4, -0.3, 0.7, dtype)
    assert (_native.uniform(*args) == reference.uniform(*args)).all()


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (-3.0, 0.0), (1e8, 1e8 + 16), (1.0, 1.0 + 2**-22), (-2.0, -1.0)]
)
def test_uniform_stays_below_high(low, high, isa, dtype):
    x = _native.uniform((20_000,), 1, 2, low, high, dtype)
    assert x.min() >= low
    assert x.max() < high


def test_uniform_of_an_empty_interval_is_low(dtype):
    for low in (0.0, 2.5, -1.0):
        assert (_native.uniform((40,), 1, 2, low, low, dtype) == np.dtype(dtype).type(low)).all()


def _ks(sample, cdf):
    """Return the Kolmogorov-Smirnov statistic times √n; 1.95 is exceeded once in 1,000 fair samples."""
    x, n = cdf(np.sort(sample.astype(np.float64))), sample.size
    steps = np.arange(n + 1) / n
    return np.sqrt(n) * max((steps[1:] - x).max(), (x - steps[:-1]).max())


def _normal_cdf(x):
    from math import erf

    return 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))


@pytest.mark.parametrize("seed", [0, 1, 12345678901234567890])
def test_uniform_distribution(seed, dtype):
    x = _native.uniform((100_000,), seed, 0, -2.0, 3.0, dtype)
    assert _ks(x, lambda v: (v + 2) / 5) < 1.95
    assert x.mean() == pytest.approx(0.5, abs=0.02)
    assert x.var() == pytest.approx(25 / 12, rel=0.02)
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.015


@pytest.mark.parametrize("seed", [0, 1, 12345678901234567890])
def test_normal_distribution(seed, dtype):
    x = _native.normal((100_000,), seed, 0, 1.0, 2.0, dtype)
    z = (x.astype(np.float64) - 1) / 2
    assert _ks(z, _normal_cdf) < 1.95
    assert [np.mean(z), np.mean(z**2), np.mean(z**3), np.mean(z**4)] == pytest.approx([0, 1, 0, 3], abs=0.1)
    assert np.abs(z).max() < 8.7
    # Both halves of a Box-Muller pair are there, and neither knows the other.
    half = 16
    pairs = z[: z.size // 32 * 32].reshape(-1, 2, half)
    assert abs(np.corrcoef(pairs[:, 0].ravel(), pairs[:, 1].ravel())[0, 1]) < 0.015


def test_normal_equals_reference_in_ulp(isa, dtype):
    args = ((200_000,), 11, 12, 0.0, 1.0)
    actual = _native.normal(*args, dtype).astype(np.float64)
    expected = reference.normal(*args, "float64")
    if dtype == "float32":
        w = reference.words(-(-200_000 // 64), 11, 12)
        assert w.size >= 200_000
        expected = reference.normal(*args, dtype).astype(np.float64)
    error = np.abs(actual - expected) / (np.finfo(dtype).eps * np.abs(expected) + np.finfo(dtype).tiny)
    assert error.max() < 4.5


def test_fair_bits():
    w = reference.words(1000, 3, 4)
    native = (_native.uniform((64_000,), 3, 4, 0.0, 1.0, "float32") * 2**24).astype(np.uint32)
    assert (native == (w >> 8).ravel()).all()
    for bit in range(24):
        assert (native >> bit & 1).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 64, 65, 1000])
def test_permutation_is_the_reference_shuffle(n, isa):
    assert (_native.permutation(n, 8, 9) == reference.permutation(n, 8, 9)).all()
    assert sorted(_native.permutation(n, 8, 9)) == list(range(n))


def test_permutation_is_uniform():
    counts = {}
    runs = 24_000
    for stream in range(runs):
        key = tuple(_native.permutation(4, 1, stream))
        counts[key] = counts.get(key, 0) + 1
    expected = Fraction(runs, 24)
    chi2 = float(sum((Fraction(c) - expected) ** 2 / expected for c in counts.values()))
    assert len(counts) == 24
    assert chi2 < 49.7  # 23 degrees of freedom: exceeded once in 1,000


def test_permutation_of_an_epoch_has_no_fixed_pattern():
    p = _native.permutation(60_000, 0, 0)
    assert (np.bincount(p, minlength=60_000) == 1).all()
    assert (p == np.arange(60_000)).sum() < 10
    assert abs(np.corrcoef(p, np.arange(60_000))[0, 1]) < 0.02


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda: _native.uniform((3,), 0, 0, 0.0, 1.0, "int32"), TypeError),
        (lambda: _native.normal((-1,), 0, 0, 0.0, 1.0, "float32"), ValueError),
        (lambda: _native.uniform((2**40, 2**40), 0, 0, 0.0, 1.0, "float32"), ValueError),
        (lambda: _native.permutation(-1, 0, 0), ValueError),
        (lambda: _native.permutation(2**32, 0, 0), ValueError),
        (lambda: _native.uniform((3,), -1, 0, 0.0, 1.0, "float32"), TypeError),
        (lambda: _native.philox(np.zeros((2, 3), np.uint32), np.zeros(2, np.uint32)), ValueError),
        (lambda: _native.philox(np.zeros((2, 4), np.uint32), np.zeros(3, np.uint32)), ValueError),
        (lambda: _native.philox(np.zeros((2, 4), np.int64), np.zeros(2, np.uint32)), TypeError),
    ],
)
def test_bindings_guard_memory(call, kind):
    with pytest.raises(kind):
        call()


class TestGenerator:
    def test_each_fill_takes_the_next_stream(self):
        g = random.Generator(3)
        first, second = g.uniform(100), g.uniform(100)
        assert (g.seed, g.stream) == (3, 2)
        assert (first != second).any()
        assert (first == _native.uniform((100,), 3, 0, 0.0, 1.0, "float32")).all()

    def test_state_resumes_exactly(self):
        g = random.Generator(2**64 - 1)
        g.normal((2, 3))
        state = g.get_state()
        expected = [g.uniform(5), g.normal(5, dtype=np.float64), g.permutation(50)]
        other = random.Generator()
        other.set_state(state)
        actual = [other.uniform(5), other.normal(5, dtype=np.float64), other.permutation(50)]
        for a, e in zip(actual, expected, strict=True):
            assert (a == e).all()

    def test_shapes_and_dtypes(self):
        g = random.Generator()
        assert g.uniform((2, 0, 3)).shape == (2, 0, 3)
        assert g.normal(()).shape == ()
        assert g.normal([2, np.int64(3)], dtype="float64").dtype == np.float64
        assert g.permutation(np.int64(4)).dtype == np.int64

    def test_threads_never_share_a_stream(self):
        g, taken = random.Generator(), []
        threads = [threading.Thread(target=lambda: taken.extend(g.take() for _ in range(500))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == [(0, i) for i in range(2000)]

    def test_default_generator(self):
        before = random.default_generator.get_state()
        try:
            assert random.manual_seed(77) is random.default_generator
            assert random.initial_seed() == 77
            assert random.default_generator.stream == 0
        finally:
            random.default_generator.set_state(before)

    @pytest.mark.parametrize(
        ("call", "kind", "match"),
        [
            (lambda g: random.Generator(-1), ValueError, r"\[Generator\] expected seed in \[0, 2\*\*64\)"),
            (lambda g: random.manual_seed(2**64), ValueError, "manual_seed"),
            (lambda g: random.manual_seed(1.0), TypeError, "expected an integer seed, got 1.0"),
            (lambda g: random.Generator(True), TypeError, "expected an integer"),
            (lambda g: g.uniform(3, 1.0, 0.0), ValueError, "low <= high"),
            (lambda g: g.uniform(3, 0.0, float("nan")), ValueError, "low <= high"),
            (lambda g: g.uniform(3, -3e38, 3e38), ValueError, "finite difference"),
            (lambda g: g.normal(3, 0.0, -1.0), ValueError, "std >= 0"),
            (lambda g: g.normal(3, float("inf")), ValueError, "finite mean"),
            (lambda g: g.normal((3, -2)), ValueError, "expected extents"),
            (lambda g: g.normal((3, 2.5)), TypeError, "expected an integer extents"),
            (lambda g: g.uniform(3, dtype=np.int32), TypeError, "got int32"),
            (lambda g: g.permutation(-1), ValueError, "permutation"),
            (lambda g: g.set_state({"seed": 1}), ValueError, "set_state"),
        ],
    )
    def test_errors(self, call, kind, match):
        with pytest.raises(kind, match=match):
            call(random.Generator())
