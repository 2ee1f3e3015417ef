"""Measure nnative beside its peers and write docs/benchmarks.md and docs/benchmarks.json.

    python bench/report.py                               everything: about 45 minutes
    python bench/report.py --quick                       a few rows, no torch.compile: under 3 minutes
    python bench/report.py --rows tiny,rl64 --peers nnative-step,jax-sync,jax-async
    python bench/report.py --render docs/benchmarks.json only write the page again

The peers are whatever of `pip install torch jax scikit-learn onnx onnxruntime` the running interpreter finds.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from pathlib import Path

from harness import stacks
from harness.driver import BENCH, Fleet
from harness.render import document
from harness.results import Results
from harness.rows import ROW, Row
from peers import PEER, numpy_peer

QUICK_ROWS = ("tiny", "rl64", "mnist512", "infer1", "dropout", "cross_entropy")
SLOW_TO_COMPILE = ("torch-model", "torch-step")


def names(known: dict[str, object]) -> object:
    """Return a parser of comma-separated names."""

    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"unknown {name!r}; known: {', '.join(known)}")
        return chosen

    return parse


def options() -> argparse.Namespace:
    """Parse the command line."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="finish in 3 minutes")
    parser.add_argument("--rows", type=names(dict(ROW)), help="comma-separated; default all: " + ", ".join(ROW))  # type: ignore[arg-type]
    parser.add_argument("--peers", type=names(dict(PEER)), help="comma-separated; default all: " + ", ".join(PEER))  # type: ignore[arg-type]
    parser.add_argument(
        "--threads", default=f"1,{min(cpus, 2)}", help="numbers of threads to try (default %(default)s)"
    )
    parser.add_argument(
        "--minutes", type=float, help="start no further row after this long (default no limit, quick 2)"
    )
    parser.add_argument("--passes", type=int, help="times that all rows are measured, in turn (default 3, quick 1)")
    parser.add_argument("--rounds", type=int, default=3, help="samples a pass (default %(default)s)")
    parser.add_argument("--seconds", type=float, help="length of a sample (default 0.2, quick 0.05)")
    parser.add_argument(
        "--run-in", type=float, help="seconds of the same work before a sample (default 0.2, quick 0.05)"
    )
    parser.add_argument("--mnist", type=Path, help="folder with the MNIST files; default: made-up images of that size")
    parser.add_argument("--out", type=Path, default=BENCH.parent / "docs", help="folder to write to (default docs/)")
    parser.add_argument("--render", type=Path, metavar="JSON", help="only write the page again")
    chosen = parser.parse_args()
    chosen.passes = chosen.passes or (1 if chosen.quick else 3)
    chosen.minutes = chosen.minutes or (2.0 if chosen.quick else float("inf"))
    chosen.seconds = chosen.seconds or (0.05 if chosen.quick else 0.2)
    chosen.run_in = (0.05 if chosen.quick else 0.2) if chosen.run_in is None else chosen.run_in
    chosen.rows = chosen.rows or (QUICK_ROWS if chosen.quick else list(ROW))
    chosen.peers = chosen.peers or [name for name in PEER if not (chosen.quick and name in SLOW_TO_COMPILE)]
    chosen.threads = sorted({int(count) for count in chosen.threads.split(",")})
    return chosen


def run(chosen: argparse.Namespace) -> Results:
    """Measure everything that was chosen."""
    start = time.perf_counter()
    results = Results(machine=dict(stacks.machine()))
    results.settings = {
        "passes": chosen.passes,
        "rounds a pass": chosen.rounds,
        "seconds a sample": chosen.seconds,
        "seconds of run-in": chosen.run_in,
        "threads": chosen.threads,
    }
    if chosen.mnist:
        os.environ["BENCH_MNIST"] = str(chosen.mnist.resolve())
    elif "mnist_epoch" in chosen.rows:
        results.note("The MNIST epoch ran on made-up images of MNIST's size: --mnist FOLDER takes the real ones.")
    if chosen.quick:
        results.note("A quick run: few rows and rounds, without torch.compile.")
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder)
        fleet = Fleet(chosen.peers, chosen.threads, logs, results)
        try:
            for turn, name in itertools.product(range(chosen.passes), chosen.rows):
                if time.perf_counter() - start > 60 * chosen.minutes:
                    results.note(f"{name} was left out of pass {turn + 1}: {chosen.minutes:g} minutes were over.")
                else:
                    measure(ROW[name], fleet, chosen)
        finally:
            fleet.close()
        print("size, import and memory …", file=sys.stderr)
        results.stacks = stacks.stacks(set(results.versions), 1 if chosen.quick else 5)
        if not chosen.quick:
            present = [name for name in chosen.peers if name not in fleet.absent]
            for name in (name for name in stacks.MEMORY_ROWS if name in chosen.rows):
                results.memory += stacks.memory(name, present, max(chosen.threads), logs)
    return results


def measure(row: Row, fleet: Fleet, chosen: argparse.Namespace) -> None:
    """Measure one row; once a pass where a sample is an epoch of seconds."""
    start = time.perf_counter()
    workers = fleet.build(row, numpy_peer.reference(row, 10))
    rounds = 1 if row.kind == "epoch" and chosen.passes > 1 else chosen.rounds
    fleet.measure(row, workers, rounds, chosen.seconds, chosen.run_in)
    print(f"{row.name}: {len(workers)} measured in {time.perf_counter() - start:.0f} s", file=sys.stderr)


def main() -> None:
    """Run, or only render."""
    chosen = options()
    results = Results.read(chosen.render) if chosen.render else run(chosen)
    chosen.out.mkdir(parents=True, exist_ok=True)
    if not chosen.render:
        results.write(chosen.out / "benchmarks.json")
    (chosen.out / "benchmarks.md").write_text(document(results, picture=(chosen.out / "widths.png").exists()))
    print(f"wrote {chosen.out / 'benchmarks.md'}", file=sys.stderr)


if __name__ == "__main__":
    main()
