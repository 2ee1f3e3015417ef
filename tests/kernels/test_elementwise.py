"""Elementwise kernels against NumPy: broadcasting, views, special values, and bits that do not depend on threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from nnative import _native

EXACT = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}
EXTREMES = {"maximum": np.maximum, "minimum": np.minimum}
RNG = np.random.default_rng(0)


def normal(shape, dtype):
    return np.asarray(RNG.standard_normal(shape), dtype)


@pytest.mark.parametrize("name", [*EXACT, *EXTREMES])
@settings(max_examples=60, deadline=None)
@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=5, max_side=6))
def test_binary_kernels_broadcast_as_numpy_does(name, shapes):
    numpy = (EXACT | EXTREMES)[name]
    a, b = (normal(shape, "float64") for shape in shapes.input_shapes)
    for dtype in ("float32", "float64"):
        x, y = a.astype(dtype), b.astype(dtype)
        np.testing.assert_array_equal(getattr(_native, name)(x, y), numpy(x, y), strict=True)


@pytest.mark.parametrize("shapes", [((1000, 3), (3,)), ((7, 1, 900), (5, 1)), ((2000,), ()), ((3, 5000), (3, 1))])
def test_binary_kernels_at_sizes_that_are_shared(shapes, isa, dtype, threads):
    a, b = (normal(shape, dtype) for shape in shapes)
    for name, numpy in EXACT.items():
        np.testing.assert_array_equal(getattr(_native, name)(a, b), numpy(a, b), strict=True)
        np.testing.assert_array_equal(getattr(_native, name)(b, a), numpy(b, a), strict=True)


@pytest.mark.parametrize("view", [np.s_[::2], np.s_[::-1], np.s_[:, ::3], np.s_[5:, 1:2], np.s_[..., None]])
def test_operands_may_be_views(view, isa, dtype):
    a = normal((20, 600), dtype)[view]
    b = np.asfortranarray(normal(a.shape, dtype))
    np.testing.assert_array_equal(_native.mul(a, b), a * b)
    np.testing.assert_array_equal(_native.mul(b, a), a * b)


def test_numbers_take_the_dtype_of_the_array(isa, dtype):
    x = normal(300, dtype)
    for name, numpy in EXACT.items():
        number = x.dtype.type(0.1)
        np.testing.assert_array_equal(getattr(_native, name)(x, 0.1), numpy(x, number), strict=True)
        np.testing.assert_array_equal(getattr(_native, name)(2, x), numpy(x.dtype.type(2), x), strict=True)


def test_more_dimensions_than_a_layout_holds_are_an_error():
    a = np.zeros((2, 1) * 9, np.float32)
    with pytest.raises(ValueError, match=r"\[add\] more than 8 dimensions"):
        _native.add(a, np.zeros((1, 2) * 9, np.float32))


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        (np.zeros(2), np.zeros(3), ValueError),
        (np.zeros(2), np.zeros(2, "f"), TypeError),
        (np.zeros(2, int), 1, TypeError),
        (1.0, 2.0, TypeError),
        (np.zeros(2), "x", TypeError),
        (np.zeros(2), np.zeros(2, complex), TypeError),
    ],
)
def test_unsuitable_operands_are_errors(a, b, error):
    with pytest.raises(error, match=r"\[add\]"):
        _native.add(a, b)


def ulps(got, want):
    spacing = np.spacing(np.abs(want).astype(got.dtype)).astype(np.longdouble)
    return np.abs(got.astype(np.longdouble) - want) / spacing


def test_power_is_exact_to_an_ulp(isa, dtype):
    x = np.exp(RNG.uniform(-8, 8, 100_000)).astype(dtype)
    y = RNG.uniform(-9, 9, 100_000).astype(dtype)
    want = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    bound = 0.52 if dtype == "float32" else 120 if isa == "baseline" else 2.5
    normal_result = want < np.finfo(dtype).max
    assert ulps(_native.pow(x, y), want)[normal_result].max() <= bound


def test_power_of_special_values(isa, dtype):
    values = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 2.5, np.inf, -np.inf, np.nan, 1e9]
    x, y = (a.ravel().astype(dtype) for a in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        want = np.power(x, y)
    got = _native.pow(x, y)
    np.testing.assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(np.signbit(got[~np.isnan(want)]), np.signbit(want[~np.isnan(want)]))


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 0.5, -0.5, 1.5, 2.7])
def test_power_of_a_number(exponent, isa, dtype):
    x = np.asarray(RNG.uniform(0.1, 5, 777), dtype)
    dy = normal(777, dtype)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(_native.pow(x, exponent), x.astype("float64") ** exponent, rtol=4 * eps)
    want = dy * exponent * x.astype("float64") ** (exponent - 1)
    np.testing.assert_allclose(_native.pow_backward_base(dy, x, exponent), want, rtol=8 * eps)


def test_ties_and_nan_of_extremes(isa, dtype):
    a, b = np.array([1, 2, 3, np.nan, 1], dtype), np.array([2, 2, 1, 0, np.nan], dtype)
    np.testing.assert_array_equal(_native.maximum(a, b), np.maximum(a, b))
    np.testing.assert_array_equal(_native.minimum(a, b), np.minimum(a, b))
    dy = np.full(5, 4.0, dtype)
    np.testing.assert_array_equal(_native.maximum_backward(dy, a, b), [0, 2, 4, 4, 4])


@pytest.mark.parametrize("name", ["add", "pow", "div_backward", "pow_backward_exponent"])
def test_bits_do_not_depend_on_threads_or_vectors(name, dtype):
    args = [np.asarray(RNG.uniform(0.1, 3, (997, 61)), dtype) for _ in range(3 if "backward" in name else 2)]
    results = set()
    sets = [isa for isa, supported in _native.isas() if supported and isa != "baseline"]
    before = _native.isa(), _native.num_threads()
    for isa in sets or [before[0]]:
        for threads in (1, 3, 5):
            _native.set_isa(isa)
            _native.set_num_threads(threads)
            results.add(getattr(_native, name)(*args).tobytes())
    _native.set_isa(before[0])
    _native.set_num_threads(before[1])
    assert len(results) == 1
