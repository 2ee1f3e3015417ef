"""Memory of large arrays is kept for the next one, never shared by two, and not kept without end."""

import itertools
import threading
from pathlib import Path

import numpy as np
import pytest

from nnative import _native

LARGE = 1 << 18  # float32 elements of the smallest array that is kept


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("size", [LARGE, 5 * LARGE, 16 * LARGE + 3])
def test_the_next_array_of_the_size_takes_the_memory_of_one_that_went(size):
    x = np.ones(size, "float32")
    y = _native.neg(x)
    before = address(y)
    del y
    assert address(_native.neg(x[:-64])) != before
    assert address(_native.neg(x)) == before


def test_a_view_keeps_its_memory():
    x = np.arange(LARGE, dtype="float32")
    view = _native.neg(x)[5:9]
    others = [_native.copy(x) for _ in range(4)]
    np.testing.assert_array_equal(view, [-5, -6, -7, -8])
    assert not any(np.shares_memory(view, other) for other in others)


def test_live_arrays_never_share_memory():
    x = np.ones(LARGE, "float32")
    random = np.random.default_rng(0)
    alive = []
    for number in range(200):
        y = _native.full((LARGE + 512 * random.integers(3),), number, np.dtype("float32"))
        assert all((other == value).all() for value, other in alive[-3:])
        alive.append((number, y))
        while len(alive) > 12:
            alive.pop(random.integers(len(alive)))
    spans = sorted((address(y), y.nbytes) for _, y in alive)
    assert all(a + n <= b for (a, n), (b, _) in itertools.pairwise(spans))
    assert all((y == value).all() for value, y in alive)
    assert (_native.neg(x) == -1).all()


def test_threads_get_memory_of_their_own():
    failures = []

    def work(value):
        x = np.full(LARGE, value, "float32")
        for _ in range(100):
            y = _native.neg(x)
            if not (y == -value).all():
                failures.append(value)

    threads = [threading.Thread(target=work, args=(value,)) for value in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_kept_memory_is_limited():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    before = resident()
    for step in range(40):  # 1.3 GB of as many sizes
        _native.full((32 * LARGE + 512 * step,), 1.0, np.dtype("float32"))
    assert resident() - before < 300e6
