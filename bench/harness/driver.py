"""Workers as the parent sees them, and the interleaved rounds. Only one worker works at a time; the others sleep."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.results import Results
from harness.rows import Row
from peers import ISSUE, LOOPS, MACHINE, PEER, Peer

BENCH = Path(__file__).resolve().parent.parent
SETTLE_SECONDS = 0.06  # OpenBLAS threads spin for about 30 ms after their last call, libgomp's for a few
REPLY_SECONDS = 600.0
GRACE_SECONDS = 5.0  # for a worker to end by itself
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class WorkerError(Exception):
    """A worker died, timed out or answered with an error."""


class Worker:
    """One peer on a number of threads, in a process of its own that is kept alive between rows."""

    def __init__(self, peer: Peer, threads: int, logs: Path, command: Sequence[str] | None = None) -> None:
        self.peer = peer
        self.threads = threads
        self.log = logs / f"{peer.name}-{threads}.log"
        environment = os.environ | {name: str(threads) for name in THREAD_VARIABLES}
        environment |= {"TORCHINDUCTOR_COMPILE_THREADS": "1"}  # no pool of compiler processes beside the measured one
        default = [sys.executable, str(BENCH / "worker.py"), peer.module, peer.mode, "--threads", str(threads)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command or default, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment
            )
        self.hello = self._read(REPLY_SECONDS)

    def request(self, do: str, *, timeout: float = REPLY_SECONDS, **arguments: Any) -> dict[str, Any]:
        """Send one request and return its reply."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self.process.stdin.flush()
        except (OSError, ValueError) as error:
            raise WorkerError(f"{self.peer.name} is gone: {error}") from error
        reply = self._read(timeout)
        if "error" in reply:
            raise WorkerError(str(reply["error"]))
        return reply

    def _read(self, timeout: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            self.close()
            reason = "ended" if ready else f"gave no answer in {timeout:.0f} s"
            raise WorkerError(f"{self.peer.name} {reason}: {self._last_words()}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def cpu_seconds(self) -> float:
        """Return the CPU time the process has used, with all its threads."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the process."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Fleet:
    """All workers of a run, started when first needed."""

    def __init__(self, peers: Sequence[str], threads: Sequence[int], logs: Path, results: Results) -> None:
        self.wanted = [
            (peer, count) for peer in (MACHINE, LOOPS, ISSUE, *(PEER[name] for name in peers)) for count in threads
        ]
        self.workers: dict[tuple[str, int], Worker] = {}
        self.absent: set[str] = set()
        self.failed: set[tuple[str, str, int]] = set()  # row, peer, threads: not tried again
        self.logs = logs
        self.results = results

    def worker(self, peer: Peer, threads: int) -> Worker | None:
        """Return the live worker; None, with a note, for a peer that is absent."""
        key = peer.name, threads
        if peer.name in self.absent:
            return None
        if key in self.workers and self.workers[key].alive:
            return self.workers[key]
        try:
            worker = Worker(peer, threads, self.logs)
            absent = worker.hello.get("absent")
            if absent:
                worker.close()
        except WorkerError as error:
            absent = str(error)
        if absent:
            self.absent.add(peer.name)
            self.results.note(f"{peer.title} is absent: {absent}.")
            return None
        self.results.versions[peer.distribution] = worker.hello["version"]
        self.workers[key] = worker
        return worker

    def build(self, row: Row, reference: list[float] | None) -> list[Worker]:
        """Build a row in every worker that offers it; compare the values with the reference's."""
        built = []
        for peer, threads in self.wanted:
            worker = None if (row.name, peer.name, threads) in self.failed else self.worker(peer, threads)
            if worker is None:
                continue
            try:
                reply = worker.request("build", row=row.name)
            except WorkerError as error:
                self.fail(worker, row, error)
                continue
            if "absent" in reply:
                continue
            complaint = disagreement(row, reply["values"], reference)
            if complaint:
                self.results.note(f"{peer.title} on {row.name}: {complaint}.")
            built.append(worker)
        return built

    def measure(self, row: Row, workers: list[Worker], rounds: int, seconds: float, run_in: float) -> None:
        """Sample every worker once a round, another one first each round, and keep the timings."""
        samples: dict[Worker, list[float]] = {worker: [] for worker in workers}
        for turn in range(rounds):
            first = turn % max(1, len(workers))
            for worker in workers[first:] + workers[:first]:
                if worker not in samples:
                    continue
                time.sleep(SETTLE_SECONDS)
                idle = sum(other.cpu_seconds() for other in self.workers.values() if other is not worker)
                began = time.perf_counter()
                try:
                    samples[worker].append(worker.request("sample", seconds=seconds, run_in=run_in)["us"])
                except WorkerError as error:
                    self.fail(worker, row, error)
                    del samples[worker]
                idle = sum(other.cpu_seconds() for other in self.workers.values() if other is not worker) - idle
                self.results.idle_seconds += idle
                self.results.measured_seconds += time.perf_counter() - began
        for worker, us in samples.items():
            self.results.add(row.name, worker.peer.name, worker.threads, us)

    def fail(self, worker: Worker, row: Row, error: WorkerError) -> None:
        """Note a failure."""
        self.failed.add((row.name, worker.peer.name, worker.threads))
        self.results.note(f"{worker.peer.title} failed on {row.name}: {error}.")

    def close(self) -> None:
        """End all workers."""
        for worker in self.workers.values():
            worker.close()


def disagreement(row: Row, values: list[float], reference: list[float] | None) -> str | None:
    """Say how values differ from the reference's: by a thousandth where nothing is random, wildly where dropout is."""
    if not all(abs(value) < 1e6 for value in values):
        return f"values are not finite: {values}"
    if reference is None:
        return None
    relative, absolute = (0.5, 0.5) if row.dropout else (1e-3, 1e-4 * max(map(abs, reference)))
    for i, (value, expected) in enumerate(zip(values, reference, strict=False)):
        if abs(value - expected) > absolute + relative * abs(expected):
            return f"value {i} is {value:.6g}, the float64 reference has {expected:.6g}"
    return None
