"""What a run measured, its statistics, and its JSON form."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from peers import MACHINE, PEER, Peer


@dataclass(frozen=True)
class Spread:
    """Median and quartiles."""

    median: float
    low: float
    high: float


def spread(samples: list[float]) -> Spread:
    """Return the median and the quartiles of one or more samples."""
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0])
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(median, low, high)


def ratio(slower: list[float], faster: list[float]) -> Spread:
    """Return how many times faster, round by round: both were measured within seconds of each other in each round."""
    return spread([a / b for a, b in zip(slower, faster, strict=False)])


@dataclass(frozen=True)
class Timing:
    """The samples of one peer on one row: µs a step, one sample a round."""

    row: str
    peer: str
    threads: int
    us: list[float]

    @property
    def median(self) -> float:
        """The median in µs."""
        return statistics.median(self.us)


@dataclass(frozen=True)
class Memory:
    """Resident memory of a fresh process that trains a row."""

    row: str
    peer: str
    peak_mb: float
    step_mb: float


@dataclass(frozen=True)
class Stack:
    """A library with everything it needs."""

    name: str
    install_mb: float
    import_ms: float
    import_mb: float


@dataclass
class Results:
    """One run."""

    settings: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    timings: list[Timing] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    stacks: list[Stack] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    measured_seconds: float = 0.0
    idle_seconds: float = 0.0  # CPU time that the waiting workers used meanwhile

    def note(self, text: str) -> None:
        """Keep a remark once."""
        if text not in self.notes:
            self.notes.append(text)

    def add(self, row: str, peer: str, threads: int, us: list[float]) -> None:
        """Keep samples, after those of earlier passes."""
        found = next((t for t in self.of(row, peer) if t.threads == threads), None)
        if found is None:
            self.timings.append(Timing(row, peer, threads, us))
        else:
            found.us.extend(us)

    def of(self, row: str, peer: str) -> list[Timing]:
        """Return a peer's timings on a row, one for each number of threads."""
        return [t for t in self.timings if t.row == row and t.peer == peer]

    def best(self, row: str, peer: str) -> Timing | None:
        """Return a peer's timing on the number of threads that is best for it."""
        return min(self.of(row, peer), key=lambda t: t.median, default=None)

    def fastest(self, row: str, *, many: bool = False) -> Timing | None:
        """Return the fastest other library that is called once a step (or makes many steps a call)."""
        others = [peer for peer in PEER.values() if peer.distribution != "nnative" and (peer.how == "many") == many]
        found = [best for peer in others if (best := self.best(row, peer.name))]
        return min(found, key=lambda t: t.median, default=None)

    def ours(self, row: str, how: str) -> Timing | None:
        """Return nnative's timing: eager, once a step, or many steps a call."""
        mine = next(p for p in PEER.values() if p.distribution == "nnative" and p.how == how)
        return self.best(row, mine.name)

    def limit(self, row: str) -> Timing | None:
        """Return the machine's own timing of a row's arithmetic or of a triad, on the most threads measured."""
        return max(self.of(row, MACHINE.name), key=lambda t: t.threads, default=None)

    def write(self, path: Path) -> None:
        """Write as JSON, one timing a line."""
        head = {key: value for key, value in asdict(self).items() if key != "timings"}
        timings = ",\n  ".join(json.dumps(asdict(t)) for t in self.timings)
        path.write_text(json.dumps(head, indent=1)[:-2] + f',\n "timings": [\n  {timings}\n ]\n}}\n')

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what `write` wrote."""
        raw = json.loads(path.read_text())
        raw["timings"] = [Timing(**t) for t in raw["timings"]]
        raw["memory"] = [Memory(**m) for m in raw["memory"]]
        raw["stacks"] = [Stack(**s) for s in raw["stacks"]]
        return cls(**raw)


def title(peer: str) -> str:
    """Return a peer's name for people."""
    found: Peer | None = PEER.get(peer)
    return found.title if found else peer
