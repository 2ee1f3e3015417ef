"""What the benchmarks of kernel families share: a native call beside NumPy's formulas, in interleaved rounds."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from nnative import _native
from yardstick import Yardstick


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


def interleaved(
    native: Callable[[], object], numpy: Callable[[], object], limit: Callable[[], float], rounds: int, length: float
) -> dict[str, list[float]]:
    """Return the machine's limit (a rate) and the times of both in each round, NumPy on as many threads as we have.

    Of several threads also the time that one of them takes `alone`.
    """
    threads = _native.num_threads()
    samples: dict[str, list[float]] = {"limit": [], "native": [], "numpy": [], "alone": []}
    with threadpool_limits(threads, user_api="blas"):
        for _ in range(rounds):
            settle()
            samples["limit"].append(limit())
            samples["native"].append(seconds(native, length))
            if threads > 1:
                _native.set_num_threads(1)
                samples["alone"].append(seconds(native, length))
                _native.set_num_threads(threads)
            samples["numpy"].append(seconds(numpy, length))
    return samples


def share(work: float, samples: dict[str, list[float]]) -> tuple[float, float]:
    """Return the median and the spread of the share of the limit that so much work a call reaches."""
    return summary([work / time / rate for time, rate in zip(samples["native"], samples["limit"], strict=True)])


def gains(samples: dict[str, list[float]]) -> dict[str, float]:
    """Return the medians of NumPy's time over ours, and of the time of one thread over that of several."""
    names = {"numpy": "numpy_over_native", "alone": "one_thread_over_all"}
    measured = {of: name for of, name in names.items() if samples[of]}
    ratios = {of: [t / ours for t, ours in zip(samples[of], samples["native"], strict=True)] for of in measured}
    return {name: round(summary(ratios[of])[0], 2) for of, name in measured.items()}


def measure(family: str, case: Case, yardstick: Yardstick, rounds: int) -> None:
    """Print one JSON line; the triad runs within the same rounds."""
    samples = interleaved(case.native, case.numpy, yardstick.gb_per_second, rounds, 0.003)
    ours, spread = summary(samples["native"])
    record = {"bench": family, "case": case.name, "threads": yardstick.threads, "us": round(ours * 1e6, 2)}
    record |= {**gains(samples), "gb_per_s": round(case.bytes / ours / 1e9, 2)}
    record |= {"of_triad": round(share(1e-9 * case.bytes, samples)[0], 3), "spread": round(spread, 3)}
    print(json.dumps(record), flush=True)


def main(family: str, description: str | None, cases: Callable[[], Iterable[Case]]) -> None:
    """Measure all cases with one thread and with all."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true")
    rounds = 5 if parser.parse_args().quick else 15
    for threads in sorted({1, _native.num_threads()}):
        _native.set_num_threads(threads)
        yardstick = Yardstick(threads)
        yardstick.prepare(20_000_000)
        for case in cases():
            measure(family, case, yardstick, rounds)
