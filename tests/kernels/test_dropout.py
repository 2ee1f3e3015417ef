"""Masks and noise are functions of seed, stream and place only, with the statistics of their distributions."""

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


def noise(size, state=STATE, dtype="float32"):
    return _native.gaussian_dropout_backward(np.ones(size, dtype), state, 1.0) - 1


@pytest.mark.parametrize("size", [1, 3, 63, 64, 65, 30_011])
def test_noise_is_the_normal_fill_of_seed_and_stream_also_in_double(isa, threads, size):
    fill = _native.normal((size,), int(STATE[0]), int(STATE[1]), 0.0, 1.0, "float32")
    zeros = np.zeros(size, "float32")
    np.testing.assert_array_equal(_native.gaussian_noise(zeros, STATE.copy(), 1.0), fill)
    double = _native.gaussian_noise(zeros.astype(float), STATE.copy(), 1.0)
    np.testing.assert_allclose(double, fill, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(noise(size, dtype="float64"), double, rtol=1e-12, atol=1e-12)


def test_noise_has_the_same_bits_on_threads_and_instruction_sets(dtype, set_threads, fma_isas):
    x = np.random.default_rng(0).standard_normal((301, 1021)).astype(dtype)
    results = set()
    for isa in fma_isas:
        _native.set_isa(isa)
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            arrays = _native.gaussian_dropout_backward(x, STATE, 0.5), _native.gaussian_noise(x, STATE.copy(), 0.5)
            results.add(b"".join(a.tobytes() for a in arrays))
    assert len(results) == 1


def test_noise_is_normal_and_streams_are_independent():
    z = noise(400_000, dtype="float64")
    assert abs(z.mean()) < 0.008
    assert z.std() == pytest.approx(1, abs=0.006)
    assert (z**4).mean() == pytest.approx(3, abs=0.08)
    other = noise(400_000, np.array([STATE[0], STATE[1] + np.uint64(1)]), "float64")
    assert abs(np.corrcoef(z, other)[0, 1]) < 0.01


def test_shift_and_what_takes_the_place_of_dropped_elements(isa, dtype):
    x = np.random.default_rng(3).standard_normal(5000).astype(dtype)
    y, state = _native.dropout_forward(x, STATE.copy(), 0.3, 1.5, 0.25, -2.0)
    mask = reference.dropped(5000, state, 0.3)
    np.testing.assert_array_equal(y[mask], np.full(mask.sum(), -2.0))
    np.testing.assert_allclose(y[~mask], 1.5 * x[~mask] + 0.25, rtol=1e-5, atol=1e-6)


def test_without_a_shift_zeros_keep_their_sign():
    x = np.array([0.0, -0.0] * 50)
    y, _ = _native.dropout_forward(x, STATE.copy(), 0.0, 2.0)
    np.testing.assert_array_equal(np.signbit(y), np.signbit(x))
