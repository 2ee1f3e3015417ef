"""Optimizer kernels where the example arguments of the reference check do not reach."""

import numpy as np
import pytest

from nnative import _native
from nnative.reference import optim as reference
from nnative.reference.optim_adaptive import ADAM_HYPER


@pytest.mark.parametrize("kernel", reference.EXAMPLES)
def test_bits_depend_on_neither_threads_nor_instruction_set(kernel, same_bits):
    same_bits(kernel)


def test_many_threads_share_many_small_parameters(threads):
    """Slots smaller than a share, and shares that cross slots: the cost model would keep these on one thread."""
    rng = np.random.default_rng(0)
    shapes = [int(n) for n in rng.integers(0, 3000, 200)]
    params = [np.ones(n, np.float32) for n in shapes]
    grads = [np.full(n, 0.5, np.float32) for n in shapes]
    hyper = np.array((0.5, 0, 0, 0, 0, 0), reference.SGD_HYPER)
    for _ in range(3):
        _native.sgd_step(params, grads, [], [], hyper)
    assert all((p == 0.25).all() for p in params)


def test_the_cell_is_read_at_each_step():
    p, g = np.ones(5), np.ones(5)
    hyper = np.array((0.5, 0, 0, 0, 0, 0), reference.SGD_HYPER)
    _native.sgd_step([p], [g], [], [], hyper)
    hyper["lr"] = 0.25
    _native.sgd_step([p], [g], [], [], hyper)
    assert (p == 0.25).all()


def test_gradients_without_bounds_stay_in_their_elements(dtype):
    p, g = np.ones(40, dtype), np.ones(40, dtype)
    g[3], g[20] = np.nan, np.inf
    hyper = np.array((0.1, 0.9, 0, 0, 0, 0), reference.SGD_HYPER)
    _native.sgd_step([p], [g], [np.zeros(40, dtype)], [np.zeros(())], hyper)
    assert np.isnan(p[3])
    assert p[20] == -np.inf
    assert np.isfinite(np.delete(p, [3, 20])).all()


def _bad_calls():
    f32, cell = np.float32, np.zeros((), ADAM_HYPER)
    sgd = np.array((0.1, 0.9, 0, 0, 0, 0), reference.SGD_HYPER)
    read_only = np.zeros(4, f32)
    read_only.flags.writeable = False
    strided, swapped = np.zeros(8, f32)[::2], np.zeros(4, ">f4")
    fine, step = lambda: np.zeros(4, f32), lambda: np.zeros(())
    adam = _native.adam_step
    return {
        "length": (ValueError, lambda: adam([fine()], [], [fine()], [fine()], [], [step()], cell)),
        "grad size": (ValueError, lambda: adam([fine()], [np.zeros(3, f32)], [fine()], [fine()], [], [step()], cell)),
        "grad dtype": (TypeError, lambda: adam([fine()], [np.zeros(4)], [fine()], [fine()], [], [step()], cell)),
        "state dtype": (TypeError, lambda: adam([fine()], [fine()], [np.zeros(4)], [fine()], [], [step()], cell)),
        "strided": (TypeError, lambda: adam([strided], [fine()], [fine()], [fine()], [], [step()], cell)),
        "read-only": (TypeError, lambda: adam([read_only], [fine()], [fine()], [fine()], [], [step()], cell)),
        "byte order": (TypeError, lambda: adam([swapped], [fine()], [fine()], [fine()], [], [step()], cell)),
        "integers": (TypeError, lambda: adam([np.zeros(4, int)], [fine()], [fine()], [fine()], [], [step()], cell)),
        "not arrays": (TypeError, lambda: adam([1.0], [fine()], [fine()], [fine()], [], [step()], cell)),
        "grad not array": (TypeError, lambda: adam([fine()], [None], [fine()], [fine()], [], [step()], cell)),
        "step dtype": (TypeError, lambda: adam([fine()], [fine()], [fine()], [fine()], [], [np.zeros((), f32)], cell)),
        "cell": (TypeError, lambda: adam([fine()], [fine()], [fine()], [fine()], [], [step()], np.zeros(7))),
        "other cell": (TypeError, lambda: adam([fine()], [fine()], [fine()], [fine()], [], [step()], sgd)),
        "no steps": (ValueError, lambda: _native.sgd_step([fine()] * 2, [fine()] * 2, [fine()] * 2, [step()], sgd)),
    }


@pytest.mark.parametrize("case", _bad_calls())
def test_bindings_guard_memory(case):
    kind, call = _bad_calls()[case]
    with pytest.raises(kind, match=r"\[(adam|sgd)_step\]"):
        call()


def test_a_bad_list_leaves_everything_as_it_was():
    good = np.ones(4, np.float32)
    hyper = np.array((0.5, 0, 0, 0, 0, 0), reference.SGD_HYPER)
    with pytest.raises(TypeError, match=r"grads\[1\]"):
        _native.sgd_step([good, np.ones(2)], [good.copy(), np.ones(2, np.float32)], [], [], hyper)
    assert (good == 1).all()


def test_read_only_gradients_are_fine():
    p, g = np.ones(4, np.float32), np.ones(4, np.float32)
    g.flags.writeable = False
    _native.sgd_step([p], [g], [], [], np.array((0.5, 0, 0, 0, 0, 0), reference.SGD_HYPER))
    assert (p == 0.5).all()
