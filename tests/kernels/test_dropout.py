"""Masks are a function of seed, stream, place and probability only, and have the statistics of Bernoulli's numbers."""

import numpy as np
import pytest

from nnative import _native
from nnative.reference import dropout as reference

STATE = np.array([2**40 + 3, 2**33 + 1], dtype=np.uint64)


def kept(size, p, state=STATE, dtype="float32"):
    return _native.dropout_backward(np.ones(size, dtype), state, p, 1.0) != 0


@pytest.mark.parametrize("size", [1, 3, 17, 2047, 2048, 2049, 30_011])
@pytest.mark.parametrize("p", [0.5, 0.25, 0.1, 0.9, 2**-16, 1 - 2**-16])
def test_masks_equal_the_reference_to_the_bit(isa, dtype, size, p):
    np.testing.assert_array_equal(kept(size, p, dtype=dtype), ~reference.dropped(size, STATE, p))


@pytest.mark.parametrize("p", [0.5, 0.3])
def test_threads_and_instruction_sets_give_the_same_bits(p, dtype, set_threads, fma_isas):
    x = np.random.default_rng(0).standard_normal((301, 1021)).astype(dtype)
    results = set()
    for isa in fma_isas:
        _native.set_isa(isa)
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            results.add(_native.dropout_backward(x, STATE, p, 1 / (1 - p)).tobytes())
    assert len(results) == 1


def test_an_element_does_not_depend_on_those_behind_it():
    whole = kept(100_000, 0.3)
    for size in (1, 2048, 77_777):
        np.testing.assert_array_equal(kept(size, 0.3), whole[:size])


@pytest.mark.parametrize("p", [0.5, 0.25, 0.1, 1 / 3, 0.9])
def test_the_share_of_dropped_elements_is_p(p):
    n = 1_000_000
    mask = ~kept(n, p)
    assert abs(mask.mean() - p) < 4.5 * np.sqrt(p * (1 - p) / n) + 2**-17
    for lag in (1, 16, 32, 512, 2048):
        assert abs(np.corrcoef(mask[:-lag], mask[lag:])[0, 1]) < 0.005


@pytest.mark.parametrize("p", [0.5, 0.1])
def test_streams_and_seeds_are_independent(p):
    masks = [kept(200_000, p, np.array(s, np.uint64)) for s in ([1, 0], [1, 1], [2, 0], [1, 2**32])]
    correlation = np.corrcoef(np.array(masks, float)) - np.eye(4)
    assert np.abs(correlation).max() < 0.01


def test_the_ends_keep_all_and_none():
    x = np.array([1.0, np.nan, np.inf, -2.0])
    np.testing.assert_array_equal(_native.dropout_backward(x, STATE, 0.0, 1.0), x)
    np.testing.assert_array_equal(_native.dropout_backward(x, STATE, 1.0, 1.0), np.zeros(4))


def test_forward_takes_the_next_stream():
    cell = np.array([7, 2**64 - 1], dtype=np.uint64)
    x = np.ones(100, "float32")
    first, state = _native.dropout_forward(x, cell, 0.5, 2.0)
    assert state.tolist() == [7, 2**64 - 1]
    assert cell.tolist() == [7, 0]
    second, state = _native.dropout_forward(x, cell, 0.5, 2.0)
    assert state.tolist() == [7, 0]
    assert (first != second).any()
    np.testing.assert_array_equal(_native.dropout_backward(x, state, 0.5, 2.0), second)


def test_wrong_cells_are_errors():
    x = np.ones(4, "float32")
    with pytest.raises(TypeError, match="cell"):
        _native.dropout_forward(x, np.zeros(2, "int64"), 0.5, 2.0)
    with pytest.raises(ValueError, match="2 elements"):
        _native.dropout_backward(x, np.zeros(3, "uint64"), 0.5, 2.0)
