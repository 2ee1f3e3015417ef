"""A peer in a process of its own: reads one JSON request a line, answers with one JSON line.

python bench/worker.py torch_peer eager --threads 2
{"do": "build", "row": "tiny"}                  → {"values": [2.31, …], "steps": 1}  or  {"absent": "why"}
{"do": "sample", "seconds": 0.2, "run_in": 0.2} → {"us": 41.2, "steps": 4854}
{"do": "memory"}                                → {"peak_mb": 612.0, "step_mb": 21.5}
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from time import perf_counter
from typing import Any, TextIO

import numpy as np

from harness.rows import ROW
from harness.work import NotOffered, Work

CHECKED = 10  # steps, or values of a longer result, that are compared between peers
WARM_SECONDS = 0.1
Reply = dict[str, Any]


def status_mb(field: str) -> float:
    """Return a memory field of /proc/self/status (VmRSS, VmHWM) in MB; 0 where there is none."""
    try:
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field + ":"))
    except (OSError, StopIteration):
        return 0.0


def reset_peak() -> None:
    """Make VmHWM start again from what is in use now, where the kernel allows it."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


class Server:
    """The requests of one peer; holds the work of one row at a time."""

    def __init__(self, module: Any, mode: str) -> None:
        self.module = module
        self.mode = mode
        self.work: Work | None = None
        self.call_seconds = 0.0
        self.before_mb = 0.0

    def build(self, row: str) -> Reply:
        """Build a row's work, collect the values of its first steps, warm up."""
        self.work = None
        self.before_mb = status_mb("VmRSS")
        offer = self.module.BUILD.get(ROW[row].kind)
        if offer is None:
            return {"absent": "not offered"}
        try:
            self.work = work = offer(ROW[row], self.mode)
        except NotOffered as reason:
            return {"absent": str(reason)}
        values: list[float] = []
        repeats = CHECKED if ROW[row].kind == "train" else 1
        for _ in range(-(-min(repeats, ROW[row].batches) // work.steps)):
            values += np.ravel(work.wait(work.call())).astype(float).tolist()[:CHECKED]
        self.sample(0.0)
        if self.call_seconds < WARM_SECONDS:
            self.sample(WARM_SECONDS)
        return {"values": values[:CHECKED], "steps": work.steps}

    def sample(self, seconds: float, run_in: float = 0.0) -> Reply:
        """Time back-to-back calls for about `seconds`; at least one. Shorter calls first run in, untimed."""
        if self.work is None:
            return {"error": "sample before build"}
        if run_in > self.call_seconds:
            self.sample(run_in)
        call, wait = self.work.call, self.work.wait
        calls = max(1, round(seconds / self.call_seconds)) if self.call_seconds else 1
        start = perf_counter()
        for _ in range(calls):
            result = call()
        wait(result)
        elapsed = perf_counter() - start
        self.call_seconds = elapsed / calls
        steps = calls * self.work.steps
        return {"us": elapsed / steps * 1e6, "steps": steps}

    def memory(self) -> Reply:
        """Return the process's peak, and the peak of one more sample over what was in use before the row was built."""
        peak = status_mb("VmHWM")
        reset_peak()
        self.sample(WARM_SECONDS)
        return {"peak_mb": peak, "step_mb": status_mb("VmHWM") - self.before_mb}

    def answer(self, request: dict[str, Any]) -> Reply:
        """Dispatch one request; an exception becomes an error reply."""
        arguments = {key: value for key, value in request.items() if key != "do"}
        operations: dict[str, Callable[..., Reply]] = {
            "build": self.build,
            "sample": self.sample,
            "memory": self.memory,
        }
        try:
            return operations[request["do"]](**arguments)
        except Exception as error:
            traceback.print_exc()
            return {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"}


def claim_stdout() -> TextIO:
    """Keep stdout for replies; what libraries print goes to stderr."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return replies


def start(module_name: str, mode: str, threads: int) -> tuple[Server | None, Reply]:
    """Import the peer on `threads` CPUs and return its server and the first reply."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    try:
        module = importlib.import_module(f"peers.{module_name}")
        return Server(module, mode), {"version": module.start(mode, threads)}
    except (ImportError, NotOffered) as reason:
        return None, {"absent": str(reason)}


def main() -> None:
    """Serve requests until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("module")
    parser.add_argument("mode")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    replies = claim_stdout()
    server, hello = start(options.module, options.mode, options.threads)
    print(json.dumps(hello), file=replies)
    if server is None:
        return
    for line in sys.stdin:
        print(json.dumps(server.answer(json.loads(line))), file=replies)


if __name__ == "__main__":
    main()
