"""The cost of sharing work: launches with waiting and with sleeping workers, barriers.

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

from nnative import _native
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


if __name__ == "__main__":
    main()
