"""Kernels over lists of arrays where the example arguments of the reference check do not reach."""

import math

import numpy as np
import pytest

from nnative import _native
from nnative.reference.lists import EXAMPLES


def _read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("kernel", EXAMPLES)
def test_bits_depend_on_neither_threads_nor_instruction_set(kernel, same_bits):
    same_bits(kernel)


def test_nan_is_the_largest_and_the_smallest(dtype):
    for place in (0, 5000, 9999):
        x = np.ones(10_000, dtype)
        x[place] = np.nan
        for p in (math.inf, -math.inf, 2.0, 1.0, 0.5):
            assert np.isnan(_native.total_norm([np.ones(3, dtype), x], p))


def test_norms_of_nothing_are_zero(dtype):
    for p in (math.inf, -math.inf, 2.0):
        assert _native.total_norm([np.zeros((0, 3), dtype)], p) == 0


def test_a_norm_at_the_limit_changes_no_bit(dtype):
    x = np.random.default_rng(0).standard_normal(1000).astype(dtype)
    before = x.copy()
    assert _native.clip_norm([x], 1e3, 2.0) < 1e3
    assert x.tobytes() == before.tobytes()


def test_limits_of_rows(dtype):
    x = np.array([[0.0, 0.0], [np.nan, 1.0], [3.0, 4.0]], dtype)
    _native.limit_rows([x, np.zeros((0, 4), dtype), np.zeros((4, 0), dtype)], 0.0)
    np.testing.assert_array_equal(x, [[0, 0], [np.nan, 1], [0, 0]])


def test_the_first_average_is_a_copy_to_the_bit(dtype):
    mean, x, count = np.full(33, np.nan, dtype), np.random.default_rng(0).standard_normal(33).astype(dtype), np.array(0)
    _native.average([mean], [x], count, 0.1)
    assert mean.tobytes() == x.tobytes()
    assert count == 1


def test_averages_of_both_dtypes_and_of_none_are_counted_once():
    count = np.array(3)
    single, double = np.zeros(3, np.float32), np.zeros(3)
    _native.average([single, double], [single + 4, double + 4], count, None)
    assert (single == 1).all()
    assert (double == 1).all()
    _native.average([], [], count, None)
    assert count == 5


def test_many_threads_share_many_arrays_of_any_size(threads):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(int(n)).astype(np.float32) for n in rng.integers(0, 9000, 150)]
    expected = math.sqrt(sum(float((a.astype(np.float64) ** 2).sum()) for a in arrays))
    assert _native.total_norm(arrays, 2.0) == pytest.approx(expected, rel=1e-6)
    _native.clip_norm(arrays, 1.0, 2.0)
    assert _native.total_norm(arrays, 2.0) == pytest.approx(1, rel=1e-5)


def _bad_calls():
    f32, fine = np.float32, lambda: np.zeros(4, np.float32)
    return {
        "no array": (ValueError, lambda: _native.total_norm([], 2.0)),
        "not arrays": (TypeError, lambda: _native.total_norm([1.0], 2.0)),
        "second not array": (TypeError, lambda: _native.total_norm([fine(), None], 2.0)),
        "integers": (TypeError, lambda: _native.total_norm([np.zeros(4, int)], 2.0)),
        "mixed": (TypeError, lambda: _native.total_norm([fine(), np.zeros(4)], 2.0)),
        "strided": (TypeError, lambda: _native.clip_norm([np.zeros(8, f32)[::2]], 1.0, 2.0)),
        "read-only": (TypeError, lambda: _native.clip_norm([_read_only(fine())], 1.0, 2.0)),
        "read-only values": (TypeError, lambda: _native.clip_values([_read_only(fine())], 1.0)),
        "read-only rows": (TypeError, lambda: _native.limit_rows([_read_only(np.zeros((2, 2)))], 1.0)),
        "lengths": (ValueError, lambda: _native.average([fine()], [], np.array(0), None)),
        "sizes": (ValueError, lambda: _native.average([fine()], [np.zeros(3, f32)], np.array(0), None)),
        "dtypes": (TypeError, lambda: _native.average([fine()], [np.zeros(4)], np.array(0), None)),
        "count": (TypeError, lambda: _native.average([fine()], [fine()], np.array(0.0), None)),
        "dloss": (ValueError, lambda: _native.penalty_backward(np.zeros(2, f32), [fine()], 1.0, 1.0)),
        "dot sizes": (ValueError, lambda: _native.dot(fine(), np.zeros(3, f32))),
        "dot dtypes": (TypeError, lambda: _native.dot(fine(), np.zeros(4))),
        "add read-only": (TypeError, lambda: _native.add_scaled(_read_only(fine()), fine(), 1.0)),
        "add sizes": (ValueError, lambda: _native.add_scaled(fine(), np.zeros(5, f32), 1.0)),
    }


@pytest.mark.parametrize("case", _bad_calls())
def test_bindings_guard_memory(case):
    kind, call = _bad_calls()[case]
    with pytest.raises(kind, match=r"^\[\w+\] "):
        call()
