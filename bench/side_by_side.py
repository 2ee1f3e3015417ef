"""What the benchmarks of kernel families share: a native call beside NumPy's formulas, in interleaved rounds."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bandwidth import Triad
from nnative import _native


@dataclass(frozen=True)
class Case:
    """One measurement: the same work natively and in NumPy, and the bytes that the kernel must move."""

    name: str
    native: Callable[[], object]
    numpy: Callable[[], object]
    bytes: int


def seconds(call: Callable[[], object], at_least: float = 0.003) -> float:
    """Return the time of one call, from as many as fill ``at_least`` seconds."""
    start = time.perf_counter()
    call()
    once = time.perf_counter() - start
    repeats = max(1, int(at_least / max(once, 1e-7)))
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def settle() -> None:
    """Wait until this process is idle: threads of NumPy's BLAS go on spinning for some 30 ms after a call."""
    for _ in range(10):
        before = time.process_time()
        time.sleep(0.01)  # the system counts the time of running threads every 4 ms
        if time.process_time() - before < 0.002:
            return


def summary(values: list[float]) -> tuple[float, float]:
    """Return the median and the spread (q75 - q25) / median."""
    low, middle, high = statistics.quantiles(values, n=4)
    return middle, (high - low) / middle


def measure(family: str, case: Case, triad: Triad, threads: int, rounds: int) -> None:
    """Print one JSON line; the triad runs within the same rounds."""
    times: dict[str, list[float]] = {"native": [], "numpy": []}
    rates = []
    for _ in range(rounds):
        settle()
        rates.append(triad.gb_per_second())
        times["native"].append(seconds(case.native))
        times["numpy"].append(seconds(case.numpy))
    (ours, spread), (theirs, _) = summary(times["native"]), summary(times["numpy"])
    rate = case.bytes / ours / 1e9
    record = {"bench": family, "case": case.name, "threads": threads, "us": round(ours * 1e6, 2)}
    record |= {"numpy_over_native": round(theirs / ours, 2), "gb_per_s": round(rate, 2)}
    record |= {"of_triad": round(rate / summary(rates)[0], 3), "spread": round(spread, 3)}
    print(json.dumps(record), flush=True)


def main(family: str, description: str | None, cases: Callable[[], Iterable[Case]]) -> None:
    """Measure all cases with one thread and with all."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true")
    rounds = 5 if parser.parse_args().quick else 15
    for threads in sorted({1, _native.num_threads()}):
        _native.set_num_threads(threads)
        triad = Triad(threads)
        for case in cases():
            measure(family, case, triad, threads, rounds)
