"""Copies of views against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnative import _native

DTYPES = ["float32", "float64", "int64", "int16", "uint8", "bool"]
RNG = np.random.default_rng(0)


def numbers(shape, dtype):
    return RNG.integers(0, 100, shape).astype(dtype)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), dtype=st.sampled_from(DTYPES))
def test_copy_of_any_view(data, dtype):
    shape = data.draw(hnp.array_shapes(max_dims=5, max_side=9))
    x = numbers(shape, dtype)
    view = x[data.draw(hnp.basic_indices(shape, allow_ellipsis=True))]
    if not isinstance(view, np.ndarray):
        return
    view = view.transpose(data.draw(st.permutations(range(view.ndim))))
    got = _native.copy(view)
    assert got.flags.c_contiguous
    np.testing.assert_array_equal(got, view, strict=True)


@pytest.mark.parametrize("shape", [(3, 200, 130), (1, 64, 64), (2, 17, 1031), (5, 33, 1)])
def test_transposed_copies(shape, isa, dtype, threads):
    x = numbers(shape, dtype)
    for order in [(0, 2, 1), (2, 0, 1), (2, 1, 0), (1, 0, 2), (1, 2, 0)]:
        np.testing.assert_array_equal(_native.copy(x.transpose(order)), x.transpose(order), strict=True)


@pytest.mark.parametrize("key", [np.s_[2:5], np.s_[:, 1:3], np.s_[::2, ::-1], np.s_[..., 4], np.s_[1, :, None]])
def test_assign_to_a_view(key, isa, dtype, threads):
    out, want = np.zeros((6, 40, 90), dtype), np.zeros((6, 40, 90), dtype)
    values = numbers(want[key].shape, dtype)
    want[key] = values
    _native.assign(out[key], values)
    np.testing.assert_array_equal(out, want)


def test_copies_keep_every_bit(isa):
    signalling = np.array([0x7F800001, 1, 0x80000000] * 30, np.uint32).view(np.float32)
    assert _native.copy(signalling[::-1]).tobytes() == signalling[::-1].tobytes()


def test_assign_refuses_what_it_cannot_write():
    out = np.zeros(3)
    with pytest.raises(ValueError, match=r"\[assign\] expected"):
        _native.assign(out, np.zeros(4))
    with pytest.raises(ValueError, match=r"\[assign\]"):
        _native.assign(out, np.zeros((2, 3)))
    with pytest.raises(TypeError, match=r"\[assign\]"):
        _native.assign(out, np.zeros(3, "f"))
    out.setflags(write=False)
    with pytest.raises(TypeError, match="read-only"):
        _native.assign(out, np.zeros(3))
    with pytest.raises(TypeError, match=r"\[copy\]"):
        _native.copy(np.array([object()]))
