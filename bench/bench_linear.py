"""Matrix products: GFLOP/s as a share of the FMA peak measured in the same run, and time against NumPy's BLAS.

The peak is that of the instruction set in use (`NNATIVE_ISA=avx2` for another one); NumPy chooses its own.
`--sweep` measures instead the products and a recorded training step at every width from 8 to 512, with one thread and
with all, and prints the worst jump between neighbours; `--plot FILE` draws the times.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

import widths
from nnative import _native, reference
from side_by_side import gains, interleaved, share, summary
from yardstick import Yardstick, at_a_line

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
    shapes = (n, k), (m, k), (m,), (n, m)
    x, weight, bias, dy = (at_a_line(rng.standard_normal(s, np.float32)) for s in shapes)
    arguments = {
        "linear_forward": (x, weight, bias),
        "linear_backward_input": (dy, weight),
        "linear_backward_weight": (dy, x, True),
    }

    def calls(kernel: str) -> tuple[Callable[[], object], Callable[[], object]]:
        args = arguments[kernel]
        return lambda: getattr(_native, kernel)(*args), lambda: reference.functions()[kernel](*args)

    return {kernel: calls(kernel) for kernel in arguments}


def products(threads: int, rounds: int) -> None:
    """Print a line for each shape and direction."""
    yardstick = Yardstick(threads, _native.isa())
    for shape in SHAPES:
        for kernel, (native, numpy) in directions(*shape).items():
            samples = interleaved(native, numpy, yardstick.gflops, rounds, 0.02)
            (time, _), (of_peak, spread) = summary(samples["native"]), share(2e-9 * np.prod(shape), samples)
            record = {"bench": "linear", "case": f"{kernel} {'x'.join(map(str, shape))}", "threads": threads}
            record |= {"us": round(time * 1e6, 2), "gflops": round(2e-9 * float(np.prod(shape)) / time, 1)}
            record |= {"of_peak": round(of_peak, 3), "spread": round(spread, 3)}
            record |= gains(samples)
            print(json.dumps(record), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--plot", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    sweeps = []
    for threads in sorted({1, _native.num_threads()}):
        _native.set_num_threads(threads)
        if chosen.sweep or chosen.plot:
            sweeps.append(widths.sweep(threads))
            print(json.dumps(widths.record(sweeps[-1])), flush=True)
        else:
            products(threads, 5 if chosen.quick else 15)
    if chosen.plot:
        widths.plot(sweeps, chosen.plot)


if __name__ == "__main__":
    main()
