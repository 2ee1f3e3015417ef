"""Elements picked by index against NumPy: order of sums, bounds, embeddings."""

import numpy as np
import pytest

from nnative import _native

DTYPES = ["float32", "float64", "int64", "int16", "uint8", "bool"]
RNG = np.random.default_rng(0)


def numbers(shape, dtype):
    return RNG.integers(0, 100, shape).astype(dtype)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("dim", [0, 1, 2])
def test_take_along_each_dimension(kind, dim, isa, threads):
    table = numbers((5, 7, 9), kind)
    index = RNG.integers(-table.shape[dim], table.shape[dim], (4, 3))
    np.testing.assert_array_equal(_native.take(table, index, dim), np.take(table, index, dim), strict=True)


def test_rows_of_every_few_bytes_are_copied_whole(isa, threads):
    index = RNG.integers(0, 37, 50)
    for size in range(1, 140):  # which are copied in pieces of 1 to 32 bytes
        table = numbers((37, size), "uint8")
        np.testing.assert_array_equal(_native.take(table, index, 0), table[index], str(size))


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_what_is_taken_twice_adds_up_in_order(dim, isa, dtype, threads):
    shape = (50, 20, 30)
    index = RNG.integers(0, shape[dim], 300)
    dout = RNG.standard_normal((*shape[:dim], 300, *shape[dim + 1 :])).astype(dtype)
    want = np.zeros(shape, dtype)
    np.add.at(want, (slice(None),) * dim + (index,), dout)
    np.testing.assert_array_equal(_native.take_backward(dout, index, shape, dim), want, strict=True)


@pytest.mark.parametrize("bad", [5, -6, 2**62, -(2**63)])
def test_indices_out_of_bounds_are_errors(bad):
    index = np.array([0, bad])
    with pytest.raises(IndexError, match=r"\[take\] index .* out of bounds"):
        _native.take(np.zeros((5, 2)), index, 0)
    with pytest.raises(IndexError, match=r"\[take_backward\]"):
        _native.take_backward(np.zeros((2, 2)), index, (5, 2), 0)
    with pytest.raises(IndexError, match=r"\[pick\]"):
        _native.pick(np.zeros((2, 5)), index, 1)
    with pytest.raises(IndexError, match=r"\[join_index\]"):
        _native.join_index(index, index, 5, 5)


def test_empty_tables_and_indices():
    none = np.zeros(0, np.int64)
    assert _native.take(np.zeros((0, 3)), none, 0).shape == (0, 3)
    np.testing.assert_array_equal(_native.take_backward(np.zeros((0, 3)), none, (4, 3), 0), np.zeros((4, 3)))
    with pytest.raises(IndexError):
        _native.take(np.zeros((0, 3)), np.zeros(1, np.int64), 0)


@pytest.mark.parametrize("padding", [None, 3])
@pytest.mark.parametrize("by_frequency", [False, True])
def test_an_embeddings_gradient_adds_up_in_the_order_of_the_indices(padding, by_frequency, isa, dtype, threads):
    index = RNG.integers(0, 37, (20, 15))
    dy = RNG.standard_normal((20, 15, 21)).astype(dtype)
    want = np.zeros((37, 21), dtype)
    np.add.at(want, index, dy)
    if padding is not None:
        want[padding] = 0
    got = _native.embedding_backward(dy, index, want.shape, padding, by_frequency)
    if by_frequency:
        want *= (1 / np.maximum(np.bincount(index.ravel(), minlength=37), 1)).astype(dtype)[:, None]
    np.testing.assert_array_equal(got, want, strict=True)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 2.5, np.inf])
def test_rows_are_scaled_once_to_the_largest_norm(norm_type, isa, dtype, threads):
    weight = (4 * RNG.standard_normal((30, 9))).astype(dtype)  # no row within the norm from the beginning
    before = weight.copy()
    index = np.array([[3, 3], [7, 3], [29, 7]])
    _native.embedding_renorm(weight, index, 0.8, norm_type)
    used = [3, 7, 29]
    np.testing.assert_allclose(np.linalg.norm(weight[used], norm_type, axis=1), [0.8] * 3, rtol=1e-6)
    np.testing.assert_allclose(weight[used] / weight[used][:, :1], before[used] / before[used][:, :1], rtol=1e-5)
    others = np.setdiff1d(np.arange(30), used)
    np.testing.assert_array_equal(weight[others], before[others])
    _native.embedding_renorm(weight, index, 5.0, norm_type)
    np.testing.assert_allclose(np.linalg.norm(weight[used], norm_type, axis=1), [0.8] * 3, rtol=1e-6)


@pytest.mark.parametrize("bad", [5, -1, 2**62])
def test_embeddings_know_no_index_from_the_end(bad):
    weight, index = np.zeros((5, 2)), np.array([0, bad])
    for call in (
        lambda: _native.embedding_forward(weight, index),
        lambda: _native.embedding_backward(np.zeros((2, 2)), index, (5, 2), None, False),
        lambda: _native.embedding_renorm(weight, index, 1.0, 2.0),
    ):
        with pytest.raises(IndexError, match=r"\[embedding\] index .* out of bounds"):
            call()
