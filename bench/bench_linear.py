"""Matrix products: GFLOP/s as a share of the FMA peak measured in the same run, and time against NumPy's BLAS.

`--sweep` measures instead a forward pass at every width from 8 to 512 and prints the worst jump between neighbours.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.results import Results
from harness.stacks import PeakMeter
from nnative import _native, reference
from side_by_side import seconds, summary

SHAPES = (
    (128, 1024, 1024),
    (128, 512, 784),
    (256, 256, 256),
    (512, 2048, 2048),
    (64, 64, 64),
    (32, 32, 10),
    (1, 512, 784),
)


def directions(n: int, m: int, k: int) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Return the three products of a layer, natively and in NumPy."""
    rng = np.random.default_rng(0)
    x, weight, bias, dy = (rng.standard_normal(s).astype(np.float32) for s in ((n, k), (m, k), (m,), (n, m)))
    arguments = {
        "linear_forward": (x, weight, bias),
        "linear_backward_input": (dy, weight),
        "linear_backward_weight": (dy, x, True),
    }

    def calls(kernel: str) -> tuple[Callable[[], object], Callable[[], object]]:
        args = arguments[kernel]
        return lambda: getattr(_native, kernel)(*args), lambda: reference.functions()[kernel](*args)

    return {kernel: calls(kernel) for kernel in arguments}


def products(threads: int, rounds: int, meter: PeakMeter, results: Results) -> None:
    """Print a line for each shape and direction."""
    for shape in SHAPES:
        for kernel, (native, numpy) in directions(*shape).items():
            ours, theirs, peaks = [], [], []
            for _ in range(rounds):
                meter.measure(threads)
                peaks.append(results.peaks[-1].fma_gflops)
                ours.append(seconds(native, 0.02))
                theirs.append(seconds(numpy, 0.02))
            (time, spread), (other, _), (peak, _) = summary(ours), summary(theirs), summary(peaks)
            rate = 2e-9 * np.prod(shape) / time
            record = {"bench": "linear", "case": f"{kernel} {'x'.join(map(str, shape))}", "threads": threads}
            record |= {
                "us": round(time * 1e6, 2),
                "gflops": round(float(rate), 1),
                "of_peak": round(float(rate / peak), 3),
            }
            record |= {"numpy_over_native": round(other / time, 2), "spread": round(spread, 3)}
            print(json.dumps(record), flush=True)


def sweep(threads: int) -> None:
    """Print the time at every width, and the worst ratio of neighbours."""
    times = {
        width: min(seconds(directions(64, width, width)["linear_forward"][0], 0.001) for _ in range(3))
        for width in range(8, 513)
    }
    jump, width = max((max(times[w] / times[w - 1], times[w - 1] / times[w]), w) for w in range(9, 513))
    record = {"bench": "linear sweep", "threads": threads, "worst_jump": round(jump, 2), "at_width": width}
    print(json.dumps(record | {"us": [round(t * 1e6, 2) for t in times.values()]}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sweep", action="store_true")
    chosen = parser.parse_args()
    results = Results(machine={})
    with tempfile.TemporaryDirectory() as folder:
        meter = PeakMeter(Path(folder), results)
        for threads in sorted({1, _native.num_threads()}):
            _native.set_num_threads(threads)
            if chosen.sweep:
                sweep(threads)
            else:
                products(threads, 3 if chosen.quick else 9, meter, results)


if __name__ == "__main__":
    main()
