"""``nnative check``: every native kernel against its NumPy reference, on this machine."""

from __future__ import annotations

import argparse

from nnative.check import check_all


def run(args: argparse.Namespace) -> int:
    """Print a table; return 1 if a kernel is wrong or none was compared."""
    print(f"{'kernel':32}{'set':10}{'dtype':9}{'error':>8}  verdict", flush=True)
    total = wrong = 0
    for verdict in check_all():
        total += 1
        wrong += not verdict.passed
        result = "ok" if verdict.passed else "WRONG"
        print(f"{verdict.kernel:32}{verdict.isa:10}{verdict.dtype:9}{verdict.error:8.3f}  {result}", flush=True)
    print("error: the worst deviation, as a fraction of what rounding allows")
    print(f"{total - wrong} of {total} within the tolerance")
    return 0 if total and not wrong else 1
