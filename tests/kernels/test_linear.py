"""Matrix products: every shape of tile, pack and edge; one chain over k; bits that nothing else changes."""

import numpy as np
import pytest

from nnative import _native
from nnative.check import worst_error

# Batch, inputs, outputs: around the vector, the tile and the panel, a few rows of x, more steps than one block holds.
SHAPES = [
    *[(n, 17, 19) for n in (0, 1, 2, 7, 8, 9, 12, 13, 31, 33)],
    *[(24, k, 20) for k in (0, 1, 15, 16, 17, 31, 32, 33, 65, 2500)],
    *[(29, 18, m) for m in (0, 1, 5, 11, 12, 13, 16, 17, 48, 97)],
    (64, 64, 6),
    (128, 1024, 40),
    (5, 1024, 1024),
    (300, 10, 300),
    *[(n, 17, 19) for n in (63, 64, 65, 127, 512, 513)],  # gradients of weights in one sum and in two
    (512, 128, 128),
    (65, 9, 100),
    # Blocks of columns of which tiles pack the next; of the first shape's dx five members share each block.
    (512, 290, 600),
    (64, 700, 300),
    (530, 300, 50),
    # Rows that collide in the cache and are copied in strips, by tiles where there are several; one of whose products
    # has its next columns packed on the way, too, in several parts.
    (40, 1024, 100),
    (60, 200, 1024),
    (130, 300, 1024),
    (100, 512, 520),
    # For gradients of weights, columns of dy are copied in pieces: for (130, 300, 1024) some at a time; here all, and
    # tiles follow each other once those before them have packed the next columns of x.
    (120, 1200, 150),
]


def arrays(shape, dtype):
    n, k, m = shape
    rng = np.random.default_rng(n + 7 * k + 31 * m)
    x, weight, bias, dy = (rng.standard_normal(s) for s in ((n, k), (m, k), (m,), (n, m)))
    return [a.astype(dtype) for a in (x, weight, bias, dy)]


def products(x, weight, bias, dy):
    dweight, dbias = _native.linear_backward_weight(dy, x, True)
    return {
        "y": _native.linear_forward(x, weight, bias),
        "y without bias": _native.linear_forward(x, weight, None),
        "dx": _native.linear_backward_input(dy, weight),
        "dweight": dweight,
        "dbias": dbias,
    }


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
def test_products_equal_numpys(shape, isa, dtype, threads):
    x, weight, bias, dy = arrays(shape, dtype)
    exact = [a.astype(np.float64) for a in (x, weight, bias, dy)]
    expected = {
        "y": exact[0] @ exact[1].T + exact[2],
        "y without bias": exact[0] @ exact[1].T,
        "dx": exact[3] @ exact[1],
        "dweight": exact[3].T @ exact[0],
        "dbias": exact[3].sum(axis=0),
    }
    for name, actual in products(x, weight, bias, dy).items():
        assert worst_error(actual, expected[name], dtype, max(*shape, 1), name) <= 1, name


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
def test_bits_depend_on_neither_threads_nor_instruction_set(shape, dtype, fma_isas, set_threads):
    seen = set()
    for isa in fma_isas:
        _native.set_isa(isa)
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            seen.add(tuple(a.tobytes() for a in products(*arrays(shape, dtype)).values()))
    assert len(seen) <= 1


def test_a_row_does_not_depend_on_its_batch(isa, dtype):
    x, weight, bias, dy = arrays((40, 33, 21), dtype)
    y, dx = _native.linear_forward(x, weight, bias), _native.linear_backward_input(dy, weight)
    for n in (1, 7, 8, 9, 13, 39):
        assert _native.linear_forward(x[:n], weight, bias).tobytes() == y[:n].tobytes()
        assert _native.linear_backward_input(dy[:n], weight).tobytes() == dx[:n].tobytes()


@pytest.mark.parametrize(("steps", "rows"), [(3, range(9, 26)), (400, (9, 13, 24)), (2500, (13,))])
def test_an_output_does_not_depend_on_the_others(steps, rows, isa, dtype, threads):
    # Every number of rows and every remainder of columns that a tile can have: a corner of a larger product.
    most = 67
    rng = np.random.default_rng(steps)
    tall, wide, bias = (rng.standard_normal(s).astype(dtype) for s in ((most, steps), (most, steps), (most,)))
    tall_columns, wide_columns = (np.ascontiguousarray(a.T) for a in (tall, wide))
    whole = {
        "y": _native.linear_forward(tall, wide, bias),
        "dx": _native.linear_backward_input(tall, wide_columns),
        "dweight": _native.linear_backward_weight(tall_columns, wide_columns, False)[0],
    }
    for name, actual in whole.items():
        expected = tall.astype(np.float64) @ wide.astype(np.float64).T + (bias if name == "y" else 0)
        assert worst_error(actual, expected, dtype, steps, name) <= 1
    for i in rows:
        for j in range(1, most):
            columns = wide_columns[:, :j].copy()
            corner = {
                "y": _native.linear_forward(tall[:i], wide[:j], bias[:j]),
                "dx": _native.linear_backward_input(tall[:i], columns),
                "dweight": _native.linear_backward_weight(tall_columns[:, :i].copy(), columns, False)[0],
            }
            for name, actual in corner.items():
                np.testing.assert_array_equal(actual, whole[name][:i, :j], f"{name}, {i} rows, {j} columns")


def test_an_output_is_one_chain_of_fused_additions(fma_isas):
    # (1 + e)² = 1 + 2e + e²: only a fused chain keeps e² when 1 + 2e is taken away again.
    e = np.float32(2.0**-13)
    x, weight = np.array([[1 + 2 * e, 1 + e]], np.float32), np.array([[-1, 1 + e]], np.float32)
    for isa in fma_isas:
        _native.set_isa(isa)
        for n in (1, 40):
            assert np.all(_native.linear_forward(np.repeat(x, n, axis=0), weight, None) == e * e)


def test_the_gradient_of_a_small_weight_is_the_sum_of_two(isa, dtype, threads):
    x, _, _, dy = arrays((101, 33, 21), dtype)
    whole = _native.linear_backward_weight(dy, x, True)
    parts = [_native.linear_backward_weight(dy[rows], x[rows], True) for rows in (slice(52), slice(52, None))]
    for total, first, second in zip(whole, *parts, strict=True):
        assert total.tobytes() == (first + second).tobytes()


def test_not_a_number_stays_in_its_row(isa, dtype):
    x, weight, bias, _ = arrays((20, 9, 18), dtype)
    x[3, 4] = np.nan
    y = _native.linear_forward(x, weight, bias)
    assert np.isnan(y[3]).all()
    assert np.isfinite(np.delete(y, 3, axis=0)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: _native.linear_forward(f(3, 4), f(2, 5), None), r"\[linear_forward\] expected weight"),
        (lambda f: _native.linear_forward(f(3, 4), f(2, 4), f(3)), r"\[linear_forward\] expected bias"),
        (lambda f: _native.linear_backward_input(f(3, 4), f(5, 2)), r"\[linear_backward_input\] expected weight"),
        (lambda f: _native.linear_backward_weight(f(3, 4), f(2, 4), True), r"\[linear_backward_weight\] expected x"),
    ],
)
def test_wrong_shapes_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(lambda *shape: np.zeros(shape, np.float32))
