"""Time against width: the products of a layer and a recorded training step at every width, and the worst jump."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import nnative
from nnative import _native, nn, optim
from side_by_side import seconds

WIDTHS = range(8, 513)
BATCH = 64
TITLES = {
    "step": "recorded step",
    "linear_forward": "forward",
    "linear_backward_input": "gradient of the input",
    "linear_backward_weight": "gradient of the weight",
}

Calls = dict[str, Callable[[], object]]


def calls(width: int) -> Calls:
    """Return what is measured at one width: the products, and a step of Linear-ReLU-Linear with Adam."""
    rng = np.random.default_rng(width)
    x, weight, bias, dy = (
        rng.standard_normal(s).astype(np.float32) for s in ((BATCH, width), (width, width), (width,), (BATCH, width))
    )
    labels = rng.integers(0, width, BATCH)
    network = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
    optimizer = optim.Adam(network.parameters())

    def step(inputs: nnative.Tensor, targets: nnative.Tensor) -> nnative.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    recorded = nnative.compile(step)
    recorded(x, labels)
    return {
        "step": lambda: recorded(x, labels),
        "linear_forward": lambda: _native.linear_forward(x, weight, bias),
        "linear_backward_input": lambda: _native.linear_backward_input(dy, weight),
        "linear_backward_weight": lambda: _native.linear_backward_weight(dy, x, True),
    }


@dataclass
class Sweep:
    """The least seconds of each call by width."""

    threads: int
    times: dict[str, dict[int, float]] = field(default_factory=lambda: {name: {} for name in TITLES})

    def jump(self, name: str, width: int) -> float:
        """Return the ratio of the times at a width and the one before it, at least 1."""
        here, before = self.times[name][width], self.times[name][width - 1]
        return max(here / before, before / here)

    def worst(self, name: str) -> tuple[float, int]:
        """Return the worst jump and its width."""
        return max((self.jump(name, width), width) for width in WIDTHS[1:])

    def measure(self, neighbours: dict[int, Calls], names: list[str], rounds: int) -> None:
        """Measure some widths in turns."""
        for _ in range(rounds):
            for width, of_width in neighbours.items():
                for name in names:
                    time = seconds(of_width[name], 0.0005)
                    self.times[name][width] = min(time, self.times[name].get(width, time))


def sweep(threads: int) -> Sweep:
    """Measure every width together with the one before it, seconds apart; what looks like a jump again."""
    result = Sweep(threads)
    for _ in range(3):
        before: dict[int, Calls] = {}
        for width in WIDTHS:
            here = {width: calls(width)}
            result.measure(before | here, list(TITLES), 1)
            before = here
    for _ in range(8):
        for width in WIDTHS[1:]:
            names = [name for name in TITLES if result.jump(name, width) > 1.2]
            if names:
                result.measure({w: calls(w) for w in (width - 1, width)}, names, 10)
    return result


def record(result: Sweep) -> dict[str, object]:
    """Return what a JSON line says: per call the worst jump, all above 1.3, and the times."""
    said: dict[str, object] = {"bench": "linear sweep", "threads": result.threads}
    for name in TITLES:
        jump, width = result.worst(name)
        jumps = {w: round(result.jump(name, w), 2) for w in WIDTHS[1:] if result.jump(name, w) > 1.3}
        us = [round(result.times[name][w] * 1e6, 2) for w in WIDTHS]
        said[name] = {"worst_jump": round(jump, 2), "at_width": width, "above_1.3": jumps, "us": us}
    return said


def plot(sweeps: list[Sweep], path: Path) -> None:
    """Draw time against width, one panel for each number of threads."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 3.6), dpi=80, layout="constrained")
    panels = figure.subplots(1, len(sweeps), sharey=True, squeeze=False)[0]
    for axes, result in zip(panels, sweeps, strict=True):
        for name, title in TITLES.items():
            times = [result.times[name][w] * 1e6 for w in WIDTHS]
            axes.plot(WIDTHS, times, linewidth=0.9, label=f"{title}, worst jump {result.worst(name)[0]:.2f}")
        axes.set(yscale="log", xlabel="width", title=f"{result.threads} thread{'s' * (result.threads > 1)}")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=8)
    panels[0].set_ylabel("µs")
    figure.savefig(path)
