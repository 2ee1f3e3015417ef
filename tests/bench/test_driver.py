"""The workers' protocol, with processes that stand in for peers."""

from __future__ import annotations

import json
import sys

import pytest

from harness.driver import Fleet, Worker, WorkerError, disagreement
from harness.results import Results
from harness.rows import ROW
from harness.work import Work
from harness.worker import Server
from peers import PEER

ECHO = """
import json, sys
print(json.dumps({"version": "1"}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "die":
        sys.exit("last words")
    if request["do"] == "sleep":
        import time; time.sleep(60)
    print(json.dumps({"error": "no such row"} if request["do"] == "fail" else request), flush=True)
"""

NOISY = """
from harness.worker import claim_stdout
replies = claim_stdout()
print("banner")
print('{"version": "2"}', file=replies)
input()
print("progress")
print('{"us": 1.0}', file=replies)
"""


@pytest.fixture
def worker(tmp_path):
    worker = Worker(PEER["numpy"], 1, tmp_path, [sys.executable, "-c", ECHO])
    yield worker
    worker.close()


def test_a_request_gets_its_reply(worker):
    assert worker.hello == {"version": "1"}
    assert worker.request("build", row="tiny") == {"do": "build", "row": "tiny"}


def test_an_error_reply_is_raised_and_the_worker_lives_on(worker):
    with pytest.raises(WorkerError, match="no such row"):
        worker.request("fail")
    assert worker.request("sample", seconds=0.1)["seconds"] == 0.1


def test_a_dead_worker_is_an_error_with_its_last_words(worker):
    with pytest.raises(WorkerError, match="ended: last words"):
        worker.request("die")
    assert not worker.alive
    with pytest.raises(WorkerError, match="gone"):
        worker.request("build", row="tiny")


def test_a_silent_worker_is_given_up(worker, monkeypatch):
    monkeypatch.setattr("harness.driver.GRACE_SECONDS", 0.1)
    with pytest.raises(WorkerError, match="gave no answer"):
        worker.request("sleep", timeout=0.1)
    assert not worker.alive


@pytest.fixture
def fleet(tmp_path):
    results = Results()
    fleet = Fleet(["numpy", "sklearn"], [1], tmp_path, results)
    yield fleet
    fleet.close()


def test_the_numpy_peer_is_built_checked_and_measured_in_rounds(fleet):
    fleet.wanted = [(PEER["numpy"], 1)]
    workers = fleet.build(ROW["tiny"], None)
    assert [worker.peer.name for worker in workers] == ["numpy"]
    fleet.measure(ROW["tiny"], workers, rounds=2, seconds=0.01, run_in=0.02)
    (timing,) = fleet.results.timings
    assert (timing.row, timing.peer, timing.threads) == ("tiny", "numpy", 1)
    assert len(timing.us) == 2
    assert all(us > 1 for us in timing.us)
    assert fleet.results.notes == []


@pytest.mark.parametrize(("call_seconds", "called"), [(0.01, 5 + 2), (0.1, 1)], ids=["short", "longer than the run-in"])
def test_short_calls_run_in_before_a_sample(call_seconds, called, monkeypatch):
    clock = [0.0]

    def call():
        clock[0] += call_seconds
        calls.append(0)

    calls = []
    monkeypatch.setattr("harness.worker.perf_counter", lambda: clock[0])
    server = Server(None, "")
    server.work, server.call_seconds = Work(call, wait=lambda result: result), call_seconds
    reply = server.sample(seconds=0.02, run_in=0.05)
    assert len(calls) == called
    assert reply["us"] == pytest.approx(call_seconds * 1e6)


def test_a_peer_that_is_absent_is_noted_once(fleet, monkeypatch):
    started = []

    def absent(peer, threads, logs):
        started.append(peer.name)
        return Worker(peer, threads, logs, [sys.executable, "-c", 'print(\'{"absent": "not installed"}\')'])

    monkeypatch.setattr("harness.driver.Worker", absent)
    fleet.wanted = [(PEER["jax-scan"], 1), (PEER["jax-scan"], 2)]
    assert fleet.build(ROW["tiny"], None) == []
    assert started == ["jax-scan"]
    assert fleet.results.notes == ["JAX lax.scan is absent: not installed."]


def test_what_failed_is_noted_and_not_tried_again(fleet, monkeypatch):
    failing = ECHO.replace('"fail"', '"build"')
    command = [sys.executable, "-c", failing]
    monkeypatch.setattr("harness.driver.Worker", lambda peer, threads, logs: Worker(peer, threads, logs, command))
    fleet.wanted = [(PEER["numpy"], 1)]
    assert fleet.build(ROW["tiny"], None) == []
    assert fleet.results.notes == ["NumPy failed on tiny: no such row."]
    (worker,) = fleet.workers.values()
    worker.close()
    assert fleet.build(ROW["tiny"], None) == []
    assert not worker.alive
    assert fleet.results.notes == ["NumPy failed on tiny: no such row."]


def test_a_value_unlike_the_reference_is_noted(fleet):
    fleet.wanted = [(PEER["numpy"], 1)]
    fleet.build(ROW["tiny"], [2.0])
    (note,) = fleet.results.notes
    assert "the float64 reference has 2" in note


def test_disagreement_is_strict_without_and_lax_with_dropout():
    assert disagreement(ROW["tiny"], [2.3001], [2.3]) is None
    assert "value 1" in str(disagreement(ROW["tiny"], [2.3, 2.31], [2.3, 2.3]))
    assert "value 0" in str(disagreement(ROW["cross_entropy"], [2e-7, 1e-6], [1e-7, 1e-6]))
    assert disagreement(ROW["mnist512bn"], [2.6], [2.3]) is None
    assert "value 0" in str(disagreement(ROW["mnist512bn"], [9.0], [2.3]))
    assert "finite" in str(disagreement(ROW["tiny"], [float("nan")], None))


def test_replies_are_json_lines_even_when_a_library_prints(tmp_path):
    noisy = f"import sys; sys.path = {json.dumps(sys.path)}\n" + NOISY
    worker = Worker(PEER["numpy"], 1, tmp_path, [sys.executable, "-c", noisy])
    assert worker.hello == {"version": "2"}
    assert worker.request("sample") == {"us": 1.0}
    worker.close()
