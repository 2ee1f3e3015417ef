"""Random fills: time an element against NumPy's Philox and default generators.

Prints one JSON line a case. Rounds are interleaved; figures are medians, spread is (q75 - q25) / median.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

import numpy as np

from bench_optim import seconds, summary
from nnative import _native, random


def cases(size: int, dtype: str) -> dict[str, dict[str, Callable[[], object]]]:
    """Return, by operation, the same work by each library."""
    ours = random.Generator(1)
    philox, pcg = np.random.Generator(np.random.Philox(1)), np.random.default_rng(1)
    return {
        "uniform": {
            "nnative": lambda: ours.uniform(size, dtype=dtype),
            "numpy philox": lambda: philox.random(size, dtype=dtype),
            "numpy default": lambda: pcg.random(size, dtype=dtype),
        },
        "normal": {
            "nnative": lambda: ours.normal(size, dtype=dtype),
            "numpy philox": lambda: philox.standard_normal(size, dtype=dtype),
            "numpy default": lambda: pcg.standard_normal(size, dtype=dtype),
        },
    }


def permutations(size: int) -> dict[str, dict[str, Callable[[], object]]]:
    ours, pcg = random.Generator(1), np.random.default_rng(1)
    return {
        "permutation": {
            "nnative": lambda: ours.permutation(size),
            "numpy default": lambda: pcg.permutation(size),
        }
    }


def report(work: dict[str, dict[str, Callable[[], object]]], rounds: int, size: int, note: str, threads: int) -> None:
    for operation, libraries in work.items():
        times: dict[str, list[float]] = {name: [] for name in libraries}
        for call in libraries.values():
            call()
        for _ in range(rounds):
            for name, call in libraries.items():
                times[name].append(seconds(call) / size * 1e9)
        ours = summary(times["nnative"])[0]
        for name, values in times.items():
            middle, spread = summary(values)
            record = {"bench": "random", "case": operation, "library": name, "dtype": note, "elements": size}
            record |= {"threads": threads, "ns_per_element": round(middle, 3), "over_ours": round(middle / ours, 2)}
            print(json.dumps(record | {"spread": round(spread, 3)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    rounds = 9 if parser.parse_args().quick else 51
    before = _native.num_threads()
    for threads in sorted({1, before}):
        _native.set_num_threads(threads)
        for size in (1000, 1_000_000):
            for dtype in ("float32", "float64"):
                report(cases(size, dtype), rounds, size, dtype, threads)
    report(permutations(60_000), rounds, 60_000, "int64", 1)


if __name__ == "__main__":
    main()
