"""Operands that end where memory ends: a kernel that reads past them dies here instead of on a user's machine."""

import ctypes
import itertools
import mmap
import sys

import numpy as np
import pytest

from nnative import _native

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs mprotect")


@pytest.fixture
def at_the_end():
    """Return a function that copies an array to the end of its pages, with one behind them that may not be read."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    pages = []

    def copy(array):
        room = -(-array.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
        pages.append(mmap.mmap(-1, room + mmap.PAGESIZE))
        address = ctypes.addressof(ctypes.c_char.from_buffer(pages[-1]))
        assert libc.mprotect(address + room, mmap.PAGESIZE, 0) == 0
        end = np.frombuffer(pages[-1], array.dtype, array.size, room - array.nbytes).reshape(array.shape)
        end[...] = array
        return end

    return copy


SHAPES = [
    *itertools.product((1, 13, 33), (1, 7, 17), (2, 10, 45)),
    # Tiles copy rows of the gradient, rows that collide, and columns of the weight.
    *[(600, 31, m) for m in (13, 24, 25, 29, 36, 41)],
    (30, 1024, 70),
    (70, 100, 1024),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
def test_products_read_nothing_past_their_operands(shape, isa, dtype, at_the_end):
    n, k, m = shape
    rng = np.random.default_rng(n + 7 * k + 31 * m)
    x, weight, bias, dy = (at_the_end(rng.standard_normal(s).astype(dtype)) for s in ((n, k), (m, k), (m,), (n, m)))
    assert np.isfinite(_native.linear_forward(x, weight, bias)).all()
    assert np.isfinite(_native.linear_backward_input(dy, weight)).all()
    for gradient in _native.linear_backward_weight(dy, x, True):
        assert np.isfinite(gradient).all()


def test_the_guard_is_there(at_the_end):
    """Else the tests above could not fail."""
    address = at_the_end(np.zeros(10)).ctypes.data + 80
    with open("/proc/self/maps") as maps:
        ranges = [line.split()[:2] for line in maps]
    inside = [rights for span, rights in ranges if int(span.split("-")[0], 16) <= address < int(span.split("-")[1], 16)]
    assert [rights[0] for rights in inside] == ["-"]
