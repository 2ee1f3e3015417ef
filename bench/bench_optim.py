"""Optimizer steps: bandwidth against a triad, time against the same formulas in NumPy and, when installed, torch.

Prints one JSON line a case. Rounds are interleaved; figures are medians, spread is (q75 - q25) / median.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

import nnative
from bandwidth import Triad
from nnative import _native, optim


def seconds(call: Callable[[], object], repeats: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def summary(values: list[float]) -> tuple[float, float]:
    low, middle, high = statistics.quantiles(values, n=4)
    return middle, (high - low) / middle


def numpy_adam(p: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, t: int) -> None:
    """Adam in NumPy as one writes it with temporaries spared."""
    m *= 0.9
    m += 0.1 * g
    v *= 0.999
    v += 0.001 * (g * g)
    p -= (1e-3 / (1 - 0.9**t)) * m / (np.sqrt(v) / np.sqrt(1 - 0.999**t) + 1e-8)


EVERY = ("NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop", "Rprop", "ASGD", "Lion", "FTRL")


def every(name: str, elements: int) -> tuple[int, Callable[[], object]]:
    """Return the streams of an optimizer and its step on one large parameter."""
    tensor = nnative.Tensor(np.full(elements, 0.5, np.float32), requires_grad=True)
    tensor.grad = np.full(elements, 0.5, np.float32)
    optimizer = getattr(optim, name)([tensor])
    optimizer.step()
    arrays = [a for a in optimizer.state[tensor].values() if a.ndim > 0]
    return 3 + 2 * len(arrays), optimizer.step


def large(rounds: int, threads: int, elements: int) -> None:
    triad = Triad(threads)
    p, g, m, v, buffer = (np.full(elements, 0.5, dtype=np.float32) for _ in range(5))
    step, sgd_count = np.zeros(()), np.zeros(())
    adam_hyper = np.array((1e-3, (0.9, 0.999), 1e-8, 0, 0, 0), dtype=optim.Adam.hyper_dtype)
    sgd_hyper = np.array((1e-3, 0.9, 0, 0, 0, 0), dtype=optim.SGD.hyper_dtype)
    plain_hyper = np.array((1e-3, 0, 0, 0, 0, 0), dtype=optim.SGD.hyper_dtype)
    cases: dict[str, tuple[int, Callable[[], object]]] = {
        "adam": (7, lambda: _native.adam_step([p], [g], [m], [v], [], [step], adam_hyper)),
        "sgd momentum": (5, lambda: _native.sgd_step([p], [g], [buffer], [sgd_count], sgd_hyper)),
        "sgd": (3, lambda: _native.sgd_step([p], [g], [], [], plain_hyper)),
        "adam in numpy": (7, lambda: numpy_adam(p, g, m, v, 10)),
    }
    cases |= {name: every(name, elements) for name in EVERY}
    rates: dict[str, list[float]] = {name: [] for name in ["triad", *cases]}
    for _ in range(rounds):
        rates["triad"].append(triad.gb_per_second())
        for name, (streams, call) in cases.items():
            rates[name].append(4 * streams * elements / seconds(call) / 1e9)
    bandwidth = summary(rates["triad"])[0]
    for name, values in rates.items():
        rate, spread = summary(values)
        record = {"bench": "optim", "case": name, "elements": elements, "threads": threads, "gb_per_s": round(rate, 2)}
        print(json.dumps(record | {"of_triad": round(rate / bandwidth, 3), "spread": round(spread, 3)}), flush=True)


def small(rounds: int) -> None:
    """Six small parameters: what an eager step costs beside the arithmetic."""
    shapes = [(32, 10), (32,), (32, 32), (32,), (10, 32), (10,)]
    tensors = [nnative.Tensor(np.ones(shape, dtype=np.float32), requires_grad=True) for shape in shapes]
    for tensor in tensors:
        tensor.grad = np.full_like(tensor.data, 0.5)
    optimizer = optim.Adam(tensors)
    optimizer.step()
    states = [optimizer.state[t] for t in tensors]
    lists = [[t.data for t in tensors], [t.grad for t in tensors]]
    lists += [[s["exp_avg"] for s in states], [s["exp_avg_sq"] for s in states], [], [s["step"] for s in states]]
    hyper = optimizer.hyper_cell(optimizer.param_groups[0])
    cases: dict[str, Callable[[], object]] = {
        "Adam.step": optimizer.step,
        "adam_step": lambda: _native.adam_step(*lists, hyper),  # type: ignore[arg-type]
        "numpy": lambda: [numpy_adam(p, g, m, v, 10) for p, g, m, v in zip(*lists[:4], strict=True)],
    }
    try:
        import torch
    except ImportError:
        print(json.dumps({"bench": "optim", "note": "torch is not installed: left out"}))
    else:
        theirs = [torch.tensor(t.data, requires_grad=True) for t in tensors]
        for tensor in theirs:
            tensor.grad = torch.full_like(tensor, 0.5)
        cases["torch fused"] = torch.optim.Adam(theirs, fused=True).step
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, call in cases.items():
            times[name].append(seconds(call, 100) * 1e6)
    ours = summary(times["Adam.step"])[0]
    for name, values in times.items():
        middle, spread = summary(values)
        record = {"bench": "optim", "case": f"six small: {name}", "us": round(middle, 2)}
        print(json.dumps(record | {"over_ours": round(middle / ours, 2), "spread": round(spread, 3)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    before = _native.num_threads()
    for threads in sorted({1, before}):
        _native.set_num_threads(threads)
        large(5 if quick else 15, threads, 20_000_000)
    small(9 if quick else 31)


if __name__ == "__main__":
    main()
