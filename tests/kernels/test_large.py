"""Results so large that they are written past the caches have the bits of small ones, row by row."""

import numpy as np
import pytest

import nnative
from nnative import Tensor, _native

RNG = np.random.default_rng(0)
ROWS = 1100  # rows that are written past the caches
# Runs that end within a cache line; the results of both begin at one.
COLUMNS = {"float32": 1021, "float64": 515}
PART = 100  # rows that are written as usual


@pytest.fixture
def x(dtype):
    return RNG.standard_normal((ROWS, COLUMNS[dtype])).astype(dtype)


def parts(rows):
    return [slice(first, first + PART) for first in range(0, rows, PART)]


POINTWISE = {
    "relu": lambda x, dy: (_native.relu_forward(x), _native.relu_backward(dy, x)),
    "tanh": lambda x, dy: (_native.tanh_forward(x), _native.tanh_backward(dy, x)),
    "clip": lambda x, dy: (_native.clip(x, -0.5, 0.5), _native.clip_backward(dy, x, -0.5, 0.5)),
    "abs": lambda x, dy: (_native.abs(x), _native.abs_backward(dy, x), _native.neg(x)),
    "sqrt": lambda x, dy: (_native.sqrt(abs(x)), _native.sqrt_backward(dy, abs(x) + 1)),
    "add": lambda x, dy: (_native.add(x, dy[0]), _native.add(x, dy), _native.sub(x, 2.5), _native.mul(dy, x)),
    "cast": lambda x, dy: (_native.cast(x, np.dtype("float32")), _native.cast(x, np.dtype("float64"))),
}


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("name", POINTWISE)
def test_elements(name, x, isa, threads):
    f, dy = POINTWISE[name], np.roll(x, 7)
    dy[:] = dy if name != "add" else dy[0]
    for got, want in zip(f(x, dy), zip(*(f(x[p], dy[p]) for p in parts(ROWS)), strict=True), strict=True):
        np.testing.assert_array_equal(got, np.concatenate(want))


@pytest.mark.parametrize("offset", [0, 1, 5])
def test_views_that_begin_within_a_line(x, isa, offset):
    flat = x.reshape(-1)[offset:]
    want = np.where(flat <= 0, 0, flat)
    np.testing.assert_array_equal(_native.relu_forward(flat), want)


def test_a_constant(dtype, isa):
    np.testing.assert_array_equal(_native.full(((1 << 20) + 3,), 2.5, np.dtype(dtype)), 2.5)


@pytest.mark.parametrize("columns", [1021, 1024])
@pytest.mark.parametrize("p", [0.5, 0.3])
@pytest.mark.parametrize("threads", [1, 3])
def test_dropout_recorded_and_eager(columns, p, threads, dtype, isa, set_threads):
    """Members of a replay take rows, which begin within a line where the columns are odd."""
    x = RNG.standard_normal((3 * ROWS, columns)).astype(dtype)
    set_threads(threads)

    def step(x):
        return nnative.nn.functional.dropout(x, p)

    nnative.manual_seed(3)
    want = step(Tensor(x)).data
    recorded = nnative.compile(step)
    for _ in range(2):
        nnative.manual_seed(3)
        np.testing.assert_array_equal(recorded(x).data, want)
    dropped = want == 0
    assert abs(dropped.mean() - p) < 0.01
    np.testing.assert_allclose(want[~dropped], (x / (1 - p))[~dropped], rtol=1e-6)


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_batch_norm(x, isa, threads, dtype):
    C, dy = x.shape[1], np.roll(x, 3)
    weight, bias = (RNG.standard_normal(C).astype(dtype) for _ in range(2))
    y, mean, invstd = _native.batch_norm_forward(x, None, None, None, weight, bias, 0.1, 1e-5)
    # The same with the statistics given, of which parts of rows need no more.
    variance = (1 / invstd.astype("float64") ** 2 - 1e-5).astype(dtype)
    infer = [_native.batch_norm_infer(x[p], mean, variance, weight, bias, 1e-5)[0] for p in parts(ROWS)]
    np.testing.assert_allclose(y, np.concatenate(infer), rtol=1e-4, atol=1e-5)
    whole = _native.batch_norm_infer(x, mean, variance, weight, bias, 1e-5)[0]
    np.testing.assert_array_equal(whole, np.concatenate(infer))
    dx = _native.batch_norm_backward(dy, x, mean, invstd, weight, False, True)[0]
    want = [_native.batch_norm_backward(dy[p], x[p], mean, invstd, weight, False, True)[0] for p in parts(ROWS)]
    np.testing.assert_array_equal(dx, np.concatenate(want))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy(x, isa, smoothing):
    target = RNG.integers(0, x.shape[1], ROWS)
    target[5] = -100
    loss = _native.cross_entropy_forward(x, target, None, -100, smoothing)
    dx = _native.cross_entropy_backward(loss, x, target, False, None, -100, smoothing)
    for p in parts(ROWS):
        part = _native.cross_entropy_forward(x[p], target[p], None, -100, smoothing)
        np.testing.assert_array_equal(loss[p], part)
        want = _native.cross_entropy_backward(part, x[p], target[p], False, None, -100, smoothing)
        np.testing.assert_array_equal(dx[p], want)
