"""Activations: accuracy in ulp, special values, gradients, and bits that depend on nothing but the input."""

import math

import numpy as np
import pytest

import nnative
from nnative import _native
from nnative.check import Maker
from nnative.ops import activation as ops
from nnative.reference import activation as examples

# Largest errors in float32 and float64, as math.hpp states them; the baseline without fused multiply-add has 2.
MAX_ULP = {"exp": (1.02, 1.06), "log": (0.84, 0.85), "tanh": (0.94, 1.30), "sigmoid": (0.79, 0.80)}
FUNCTIONS = tuple(MAX_ULP)
TINY = float(np.finfo(np.float32).tiny)


def exact(name, x):
    """Return the function in the longest arithmetic at hand: float64 for float32, long double for float64."""
    x = x.astype(np.float64 if x.dtype == np.float32 else np.longdouble)
    with np.errstate(all="ignore"):
        return 1 / (1 + np.exp(-x)) if name == "sigmoid" else getattr(np, name)(x)


def ulp_error(actual, expected):
    """Return the largest error in units in the last place, over the results that are normal numbers."""
    info = np.finfo(actual.dtype)
    normal = (np.abs(expected) >= info.tiny) & (np.abs(expected) <= info.max)
    expected, actual = expected[normal], actual[normal]
    ulp = np.ldexp(np.ones(1, expected.dtype), np.frexp(expected)[1] - info.nmant - 1)
    error = np.abs(actual.astype(expected.dtype) - expected) / ulp
    assert not np.isnan(error).any()
    return float(error.max(initial=0))


def max_ulp(name, dtype):
    return 2.0 if _native.isa() == "baseline" else MAX_ULP[name][dtype == np.float64]


def check_float32(name, x):
    y, expected = getattr(_native, f"{name}_forward")(x), exact(name, x)
    assert ulp_error(y, expected) <= max_ulp(name, np.float32)
    with np.errstate(over="ignore", under="ignore"):
        rounded = expected.astype(np.float32)
    special = ~np.isfinite(rounded)
    np.testing.assert_array_equal(y[special], rounded[special])
    flushed = np.abs(expected) < TINY
    assert (np.abs(y[flushed]) <= TINY).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_over_all_exponents(name, isa):
    # One in 1021 of all bit patterns, a prime: every exponent and sign, four million values.
    x = np.arange(0, 2**32, 1021, dtype=np.uint64).astype(np.uint32).view(np.float32)
    check_float32(name, x[np.isfinite(x) & (np.abs(x) >= TINY)])


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_exhaustively(name):
    for start in range(0, 2**32, 2**24):
        x = np.arange(start, start + 2**24, dtype=np.uint64).astype(np.uint32).view(np.float32)
        check_float32(name, x[np.isfinite(x) & (np.abs(x) >= TINY)])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_in_its_range(name, isa):
    if np.finfo(np.longdouble).nmant <= np.finfo(np.float64).nmant:
        pytest.skip("long double is no longer than double here")
    rng = np.random.default_rng(0)
    low, high = {"exp": (-708, 709.7), "log": (0, 4), "tanh": (-20, 20), "sigmoid": (-708, 40)}[name]
    small = np.exp(rng.uniform(-700, 0, 200_000)) * rng.choice([-1, 1], 200_000)
    x = np.concatenate([rng.uniform(low, high, 300_000), rng.uniform(-2, 2, 300_000), small])
    x = np.abs(x) if name == "log" else x
    assert ulp_error(getattr(_native, f"{name}_forward")(x), exact(name, x)) <= max_ulp(name, np.float64)


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("relu", [-np.inf, -1, -0.0, 0, 2, np.inf, np.nan], [0, 0, 0, 0, 2, np.inf, np.nan]),
        ("exp", [-np.inf, -1e4, 0, 1e4, np.inf, np.nan], [0, 0, 1, np.inf, np.inf, np.nan]),
        ("log", [-np.inf, -1, -0.0, 0, 1, np.inf, np.nan], [np.nan, np.nan, -np.inf, -np.inf, 0, np.inf, np.nan]),
        ("tanh", [-np.inf, -1e4, -0.0, 0, 1e4, np.inf, np.nan], [-1, -1, -0.0, 0, 1, 1, np.nan]),
        ("sigmoid", [-np.inf, -1e4, 0, 1e4, np.inf, np.nan], [0, 0, 0.5, 1, 1, np.nan]),
    ],
)
def test_special_values(name, x, expected, isa, dtype):
    kernel = getattr(_native, f"{name}_forward")
    # Once in the vector loop and once in the masked block behind it.
    for repeat in (1, 16):
        y = kernel(np.repeat(np.array(x, dtype), repeat))
        np.testing.assert_array_equal(y, np.repeat(np.array(expected, dtype), repeat))
        if name == "tanh":
            np.testing.assert_array_equal(np.signbit(y[~np.isnan(y)]), np.signbit(np.repeat(x, repeat)[~np.isnan(y)]))


def test_overflow_and_underflow_of_exp_begin_where_they_must(dtype):
    info = np.finfo(dtype)
    largest, smallest = np.log(np.longdouble(info.max)), np.log(np.longdouble(info.tiny))
    x = np.array([largest, smallest], dtype)
    around = np.stack([np.nextafter(x, x.dtype.type(d)) for d in (-np.inf, np.inf)])
    y = _native.exp_forward(around)
    assert np.isfinite(y[0, 0])
    assert np.isinf(_native.exp_forward(np.nextafter(around[1, :1], x.dtype.type(np.inf)))).all()
    assert y[1, 1] >= info.tiny
    assert _native.exp_forward(np.nextafter(around[0, 1:], x.dtype.type(-np.inf)))[0] == 0


def test_tanh_and_sigmoid_stay_in_their_range(isa, dtype):
    x = np.linspace(-50, 50, 1_000_001, dtype=dtype)
    assert np.abs(_native.tanh_forward(x)).max() == 1
    y = _native.sigmoid_forward(x)
    assert y.min() > 0
    assert y.max() == 1


def test_relu_has_slope_zero_at_zero_and_passes_nan(dtype):
    y = np.array([0, 1, np.nan], dtype)
    np.testing.assert_array_equal(_native.relu_backward(np.array([5, 6, 7], dtype), y), [0, 6, 7])
    np.testing.assert_array_equal(
        _native.leaky_relu_backward(np.array([5.0], dtype), np.array([0.0], dtype), 0.5), [2.5]
    )


@pytest.mark.parametrize("kernel", examples.EXAMPLES)
def test_bits_depend_on_neither_instruction_set_nor_threads(kernel, dtype, fma_isas, set_threads):
    args = examples.EXAMPLES[kernel](Maker(dtype), 40_009)
    results = set()
    for isa in fma_isas:
        _native.set_isa(isa)
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            results.add(getattr(_native, kernel)(*args).tobytes())
    assert len(results) == 1


@pytest.mark.parametrize("kernel", ["softmax_backward", "log_softmax_backward"])
def test_bits_of_row_gradients_depend_on_neither_instruction_set_nor_threads(kernel, dtype, fma_isas, set_threads):
    rng = np.random.default_rng(0)
    dy, y = (rng.standard_normal((1003, 131)).astype(dtype) for _ in range(2))
    results = set()
    for isa in fma_isas:
        _native.set_isa(isa)
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            results.add(getattr(_native, kernel)(dy, y).tobytes())
    assert len(results) == 1


@pytest.mark.parametrize("kernel", ["softmax_forward", "log_softmax_forward"])
@pytest.mark.parametrize("classes", [1, 2, 10, 16, 17, 100, 1000])
def test_a_row_does_not_depend_on_its_batch(kernel, classes, isa, dtype):
    x = 5 * np.random.default_rng(1).standard_normal((37, classes)).astype(dtype)
    whole = getattr(_native, kernel)(x)
    for n in range(37):
        assert getattr(_native, kernel)(x[n : n + 1]).tobytes() == whole[n].tobytes()


@pytest.mark.parametrize("classes", [3, 16, 20, 1000])
def test_softmax_of_extreme_rows(classes, isa, dtype):
    x = np.zeros((6, classes), dtype)
    x[0, 0], x[1] = 1e4, -1e4
    x[2, 1:] = -np.inf
    x[3], x[4, 2], x[5, 1] = -np.inf, np.inf, np.nan
    y, z = _native.softmax_forward(x), _native.log_softmax_forward(x)
    one_hot = np.eye(classes)[0]
    np.testing.assert_array_equal(y[0], one_hot)
    np.testing.assert_array_equal(z[0], np.where(one_hot, 0, -1e4))
    np.testing.assert_allclose(y[1], 1 / classes, rtol=1e-6)
    np.testing.assert_array_equal(y[2], one_hot)
    np.testing.assert_array_equal(z[2], np.where(one_hot, 0, -np.inf))
    assert np.isnan(y[3]).all()
    assert np.isnan(y[4, 2])
    assert np.isnan(y[5]).all()
    assert np.isnan(z[[3, 5]]).all()


@pytest.mark.parametrize("shape", [(0,), (0, 5), (5, 0), (2, 0, 3), ()])
def test_empty_and_zero_dimensional(shape, dtype):
    x = nnative.Tensor(np.ones(shape, dtype), requires_grad=True)
    for function in (ops.relu, ops.sigmoid, ops.tanh, nnative.exp, nnative.log, lambda t: ops.softmax(t, -1)):
        y = function(x)
        assert y.data.shape == shape
        assert y.data.dtype == dtype
        y.backward(np.ones(shape, dtype))
    assert ops.softmax(nnative.Tensor(np.array(3.0)), 0).data == 1


def central_difference(function, x, weight, h=1e-6):
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * h
            gradient[i] += sign * (function(nnative.Tensor(moved)).numpy() * weight).sum() / (2 * h)
    return gradient


@pytest.mark.parametrize(
    "function",
    [
        ops.relu,
        ops.leaky_relu,
        lambda x: ops.leaky_relu(x, negative_slope=0.3),
        ops.sigmoid,
        ops.tanh,
        nnative.exp,
        lambda x: nnative.log(nnative.exp(x)),
        *(lambda x, d=d, f=f: f(x, d) for d in (0, 1, 2, -1, -2) for f in (ops.softmax, ops.log_softmax)),
    ],
)
def test_gradient_is_the_central_difference(function, isa):
    rng = np.random.default_rng(3)
    x, weight = rng.standard_normal((3, 4, 5)), rng.standard_normal((3, 4, 5))
    tensor = nnative.Tensor(x, requires_grad=True)
    function(tensor).backward(weight)
    np.testing.assert_allclose(tensor.grad, central_difference(function, x, weight), rtol=1e-7, atol=1e-8)


def test_dimensions_other_than_the_last():
    x = np.random.default_rng(4).standard_normal((3, 4, 5))
    e = np.exp(x)
    for dim in (0, 1, 2, -3):
        y = ops.softmax(nnative.Tensor(x), dim).numpy()
        np.testing.assert_allclose(y, e / e.sum(axis=dim, keepdims=True), rtol=1e-14)
        assert y.flags.c_contiguous


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match=r"\[relu\] expected a Tensor, got list"):
        ops.relu([1.0])
    with pytest.raises(TypeError, match=r"\[tanh\].*int64, shape \(3,\)"):
        ops.tanh(nnative.Tensor(np.arange(3)))
    with pytest.raises(TypeError, match=r"\[exp\].*int64"):
        nnative.exp(nnative.Tensor(np.arange(2)))
    with pytest.raises(ValueError, match=r"\[softmax\] expected dim from -2 to 1, got 2 for shape \(2, 3\)"):
        ops.softmax(nnative.Tensor(np.ones((2, 3))), 2)
    with pytest.raises(ValueError, match=r"\[relu\] expected the gradient with 3 elements, got shape \(2,\)"):
        _native.relu_backward(np.ones(2), np.ones(3))
    with pytest.raises(TypeError, match=r"\[relu\].*not C-contiguous"):
        _native.relu_forward(np.ones((3, 4)).T)
    with pytest.raises(TypeError, match=r"\[softmax\].*float32"):
        _native.softmax_backward(np.ones(3, np.float32), np.ones(3))


def test_read_only_input_is_fine():
    x = np.ones(3)
    x.flags.writeable = False
    np.testing.assert_array_equal(_native.relu_forward(x), x)


# Largest errors in float32 and float64 within a range, in ulp; the scalars; the function in longer arithmetic.
SMOOTH = {
    "elu": ((0.80, 1.00), (-45, 2), (1.0, 1.0, 1.0), lambda x: np.where(x > 0, x, np.expm1(x))),
    "softplus": ((1.70, 1.70), (-80, 30), (1.0, 1e9), lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))),
    "log_sigmoid": ((1.70, 1.70), (-30, 80), (), lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))),
    "silu": ((1.5, 1.5), (-80, 30), (), lambda x: x / (1 + np.exp(-x))),
    "mish": ((3.7, 3.7), (-80, 30), (), lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    "gelu": ((5.5, None), (-12, 10), (), lambda x: x * np.vectorize(math.erfc)(-x / math.sqrt(2)) / 2),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_activations_keep_their_digits(name, dtype, isa):
    bounds, (low, high), scalars, function = SMOOTH[name]
    bound = bounds[dtype == "float64"]
    if bound is None or np.finfo(np.longdouble).nmant <= np.finfo(dtype).nmant:
        pytest.skip("no longer arithmetic to compare with")
    rng = np.random.default_rng(0)
    small = np.exp(rng.uniform(-30, 0, 20_000)) * rng.choice([-1, 1], 20_000)
    x = np.concatenate([rng.uniform(low, high, 50_000), rng.uniform(-2, 2, 50_000), small]).astype(dtype)
    expected = function(x.astype(np.float64 if dtype == "float32" else np.longdouble))
    error = ulp_error(getattr(_native, f"{name}_forward")(x, *scalars), expected)
    # Without fused multiply-add the square in gelu's exponent has one part.
    assert error <= (bound if isa != "baseline" else 100 if name == "gelu" else 4)
