"""The cost of sharing work: launches with waiting and with sleeping workers, barriers, kernels beside other threads.

    python bench/bench_runtime.py

Prints one JSON line a figure: median, least and greatest of the rounds, in microseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

import nnative
from nnative import _native
from nnative.nn import functional as F
from nnative.threads import cpu_info

LAUNCHES, BARRIERS = 2000, 2000


def report(name: str, threads: int, rounds: int, microseconds: Callable[[], float]) -> None:
    microseconds()
    figures = [microseconds() for _ in range(rounds)]
    spread = {"median_us": statistics.median(figures), "min_us": min(figures), "max_us": max(figures)}
    print(json.dumps({"bench": name, "threads": threads} | {key: round(value, 3) for key, value in spread.items()}))


def warm_launch(threads: int) -> float:
    return _native._probe_team(threads, LAUNCHES)[2] / 1e3


def barrier(threads: int) -> float:
    return _native._probe_team(threads, 1, BARRIERS)[2] / BARRIERS / 1e3


def launch_after_sleep(threads: int) -> float:
    time.sleep(0.002)
    return _native._probe_team(threads)[2] / 1e3


def beside_numpy(threads: int) -> Callable[[], float]:
    """Return the time of a linear layer called for a while after a product by NumPy, whose threads spin meanwhile."""
    rng = np.random.default_rng(0)
    x, weight = (nnative.tensor(rng.standard_normal((256, 256), dtype=np.float32)) for _ in range(2))
    matrix = rng.standard_normal((512, 512), dtype=np.float32)

    def microseconds() -> float:
        nnative.set_num_threads(threads)
        matrix @ matrix
        start = time.perf_counter()
        for _ in range(100):
            F.linear(x, weight)
        return (time.perf_counter() - start) * 1e4

    return microseconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    info = cpu_info()
    print(json.dumps({"bench": "runtime", **info}))
    cpus = info["cpus"]
    for threads in sorted({1, 2, cpus}):
        report("launch, workers awake", threads, rounds, partial(warm_launch, threads))
    for threads in sorted({1, 2, cpus}):
        report("launch, workers asleep", threads, rounds * 4, partial(launch_after_sleep, threads))
    for threads in sorted({2, cpus, 2 * cpus + 1}):
        report("barrier", threads, rounds, partial(barrier, threads))
    for threads in sorted({1, 2, cpus}):
        report("linear 256 x 256 x 256 after a product by NumPy", threads, rounds, beside_numpy(threads))


if __name__ == "__main__":
    main()
