"""The reference that every peer is compared with, and the rows' data."""

from __future__ import annotations

import time

import numpy as np
import pytest

from harness import rows
from harness.rows import ROW, Row
from harness.work import NotOffered, over
from peers import PEERS, machine_peer, numpy_peer
from yardstick import Yardstick

SMALL = Row("small-bn", "train", (5, 7, 6, 3), batch=9, batches=2, batchnorm=True)


def test_every_peer_module_is_named_and_every_mode_is_unique():
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    assert {row.kind for row in rows.ROWS} == set(rows.KINDS)


def test_data_are_the_same_every_time_and_minibatches_cut_them_in_order():
    x, y = rows.data(SMALL)
    again = rows.minibatches(SMALL)
    np.testing.assert_array_equal(x, np.concatenate([x for x, _ in again]))
    np.testing.assert_array_equal(y, np.concatenate([y for _, y in again]))


@pytest.mark.parametrize("row", [SMALL, Row("plain", "train", (5, 7, 3), batch=9)])
def test_the_reference_gradients_are_those_of_its_loss(row):
    network = numpy_peer.Network(row, np.float64)
    (x, y), *_ = rows.minibatches(row)
    _, gradients = network.gradients(x.astype(np.float64), y)
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        index = np.unravel_index(np.argmax(np.abs(gradient)), gradient.shape)
        kept, step, losses = parameter[index], 1e-6, []
        for sign in (1, -1):
            parameter[index] = kept + sign * step
            losses.append(network.gradients(x.astype(np.float64), y)[0])
        parameter[index] = kept
        assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(gradient[index], rel=1e-5, abs=1e-9)


def test_the_reference_learns_what_the_teacher_teaches():
    work = numpy_peer.train(Row("learn", "train", (10, 32, 10), batch=64, batches=4), "float32")
    losses = [float(work.call()) for _ in range(400)]
    assert losses[-1] < 0.7 * losses[0]


def test_over_goes_round_and_round():
    call = over(lambda a, b: a + b, [(1, 2), (3, 4)])
    assert [call() for _ in range(5)] == [3, 7, 3, 7, 3]


@pytest.fixture(scope="module", params=[1, 2])
def yardstick(request):
    return Yardstick(request.param)


def test_the_machine_makes_the_operations_that_are_asked_for(yardstick):
    assert 1e7 <= yardstick.multiply_add(1e7) < 1.01e7
    assert 0.1 < yardstick.gflops() < 1e4
    assert yardstick.bits in (128, 256, 512)
    assert np.float32(1e-38) * np.float32(0.1) != 0  # a library built with -ffast-math would flush denormals for all


def test_so_many_instructions_do_nothing(yardstick):
    def nanoseconds(millions):
        start = time.perf_counter()
        yardstick.do_nothing(1_000_000 * millions)
        return 1e3 * (time.perf_counter() - start) / millions

    assert 0.01 < min(nanoseconds(100) for _ in range(3)) < 2 * yardstick.threads


@pytest.mark.parametrize("past", [False, True])
def test_the_triad_reaches_every_element(past, yardstick):
    yardstick.prepare(100_000)
    a, b, c = yardstick._arrays.values()
    assert len(a) % (16 * yardstick.threads) == 0
    assert all(array.ctypes.data % 64 == 0 for array in (a, b, c))
    b[:], c[:] = np.arange(len(b)), 2
    yardstick.run_loops(2, past)
    np.testing.assert_array_equal(a, b + 6)
    assert yardstick.bytes == 12 * len(a)
    assert yardstick.gb_per_second() > 0.1


def test_loops_run_one_after_the_other_over_the_arrays_they_name(yardstick):
    yardstick.prepare(100_000, ("x >", "x > y", "y, x > x", "p, q, x, y > p, q, x"))
    arrays = yardstick._arrays
    assert sorted(arrays) == ["p", "q", "x", "y"]
    assert yardstick.bytes == 4 * (1 + 2 + 3 + 7) * len(arrays["x"])
    for array in arrays.values():
        array[:] = 1
    yardstick.run_loops(1)
    np.testing.assert_array_equal(arrays["y"], 1)
    for name in ("p", "q", "x"):  # 1 + 3·(1 + 4 + 1), x being 1 + 3·1 by then
        np.testing.assert_array_equal(arrays[name], 19)


def test_the_machine_is_measured_like_a_peer():
    machine_peer.start("limit", 2)
    work = machine_peer.BUILD["train"](ROW["tiny"], "limit")
    assert work.steps * ROW["tiny"].flops == pytest.approx(4e9, rel=1e-3)
    assert work.wait(work.call()).size == 0
    row = ROW["adam_many"]
    for mode, bytes_a_step in (("limit", row.limit), ("loops", row.bytes)):
        loops = machine_peer.BUILD["memory"](row, mode)
        assert loops.steps * bytes_a_step == pytest.approx(0.8e9, rel=0.1)
        assert loops.wait(loops.call()).size == 0
    nothing = machine_peer.BUILD["train"](ROW["tiny"], "issue")
    assert nothing.wait(nothing.call()).size == 0
    for kind, mode in (("train", "loops"), ("memory", "issue")):
        with pytest.raises(NotOffered):
            machine_peer.BUILD[kind](row, mode)


def test_without_a_compiler_the_machine_is_absent(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(NotOffered, match=r"need a C\+\+ compiler"):
        machine_peer.start("limit", 1)
