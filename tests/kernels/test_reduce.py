"""Sums and positions of extremes against NumPy."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnative import _native

RNG = np.random.default_rng(0)


def whole(shape, dtype):
    """Return small integers: their sums are exact, in whatever order."""
    return RNG.integers(-9, 9, shape).astype(dtype)


@settings(max_examples=150, deadline=None)
@given(shape=hnp.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=4), data=st.data(), keepdim=st.booleans())
def test_sum_over_any_dimensions(shape, data, keepdim):
    dims = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1)))) if shape else ()
    x = whole(shape, "float32")
    want = np.asarray(x.sum(axis=dims, keepdims=keepdim)) * np.float32(0.5)
    np.testing.assert_array_equal(_native.sum(x, dims, keepdim, 0.5), want, strict=True)


@pytest.mark.parametrize("shape", [(9000,), (5000, 3), (3, 9001), (300, 7, 40), (2, 700, 1100), (1, 129, 513)])
def test_sums_that_are_cut(shape, isa, dtype, threads):
    x = whole(shape, dtype)
    for count in range(len(shape) + 1):
        for dims in itertools.combinations(range(len(shape)), count):
            np.testing.assert_array_equal(_native.sum(x, dims, False, 1.0), x.sum(axis=dims), strict=True)


@settings(max_examples=100, deadline=None)
@given(hnp.mutually_broadcastable_shapes(num_shapes=1, base_shape=(3, 1, 4, 2), max_dims=4, max_side=4))
def test_sum_to_is_the_gradient_of_broadcasting(shapes):
    (small,) = shapes.input_shapes
    large = whole(np.broadcast_shapes(small, (3, 1, 4, 2)), "float64")
    got = _native.sum_to(large, small, 1.0)
    extra = large.ndim - len(small)
    padded = (1,) * extra + small
    dims = tuple(i for i, n in enumerate(padded) if n == 1)
    np.testing.assert_array_equal(got, large.sum(axis=dims, keepdims=True).reshape(small), strict=True)


def test_sums_are_accurate(isa, dtype):
    x = RNG.standard_normal((3000, 501)).astype(dtype)
    for dims in [(0,), (1,), (0, 1)]:
        want = x.astype("longdouble").sum(axis=dims)
        bound = 8 * np.finfo(dtype).eps * np.abs(x).sum(axis=dims) / math.sqrt(500)
        assert np.all(np.abs(_native.sum(x, dims, False, 1.0) - want) <= bound)


@pytest.mark.parametrize(
    ("shape", "dims"), [((99_991,), (0,)), ((1009, 37), (0,)), ((37, 5003), (1,)), ((90, 11, 70), (0, 2))]
)
def test_bits_do_not_depend_on_threads_or_vectors(shape, dims, dtype):
    x = RNG.standard_normal(shape).astype(dtype)
    before = _native.isa(), _native.num_threads()
    results = set()
    for isa, supported in _native.isas():
        for threads in (1, 3, 5) if supported else ():
            _native.set_isa(isa)
            _native.set_num_threads(threads)
            results.add(_native.sum(x, dims, False, 0.3).tobytes())
    _native.set_isa(before[0])
    _native.set_num_threads(before[1])
    assert len(results) == 1


# Rows and columns shorter and longer than a piece, and than a block of lanes.
EXTREME_SHAPES = [(50, 13, 7), (1, 1), (5, 16), (3, 47), (40_000,), (2, 33_001), (300, 1500), (130, 3), (2, 257, 18)]


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("shape", EXTREME_SHAPES, ids=str)
def test_extremes_take_the_first_and_nan_before_all(name, shape, isa, dtype, threads):
    few = RNG.integers(0, 4, shape).astype(dtype)  # the first of many
    spread = RNG.standard_normal(shape).astype(dtype)
    one = np.zeros(shape, dtype)
    one.reshape(-1)[one.size * 2 // 3] = {"argmax": 1, "argmin": -1}[name]
    nan = spread.copy()
    nan.reshape(-1)[RNG.integers(0, nan.size, 1 + nan.size // 100)] = np.nan
    signs = np.where(RNG.random(shape) < 0.5, -0.0, 0.0).astype(dtype)  # equal ones
    endless = np.full(shape, {"argmax": -np.inf, "argmin": np.inf}[name], dtype)
    for x in (few, spread, one, nan, signs, endless):
        for dim in range(len(shape)):
            want = np.asarray(getattr(np, name)(x, dim))
            np.testing.assert_array_equal(getattr(_native, name)(x, dim), want, strict=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: _native.sum(x, (2,), False, 1.0),
        lambda x: _native.sum(x, (-1,), False, 1.0),
        lambda x: _native.sum_to(x, (3, 2), 1.0),
        lambda x: _native.sum_to(x, (1, 1, 2, 3), 1.0),
        lambda x: _native.argmax(x, 2),
        lambda x: _native.argmax(x[:, :0].copy(), 1),
    ],
)
def test_dimensions_that_do_not_exist_are_errors(call):
    with pytest.raises(ValueError, match=r"^\[(sum|sum_to|argmax)\]"):
        call(np.zeros((2, 3)))
