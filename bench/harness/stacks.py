"""What does not depend on a row: the machine, each library's size, import time and memory."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from harness.driver import Worker, WorkerError
from harness.results import Memory, Stack
from peers import PEERS

MODULES = {
    "nnative": "nnative",
    "torch": "torch",
    "jax": "jax",
    "onnxruntime": "onnxruntime",
    "scikit-learn": "sklearn.neural_network",
    "numpy": "numpy",
}
MEMORY_ROWS = ("mnist512", "mnist512bn", "mnist1024do")


def machine() -> dict[str, str | int]:
    """Describe the CPU and the software beneath the libraries."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"model name\s*: (.*)", cpuinfo.read_text())
        model = found.group(1) if found else model
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"cpu": model, "cpus": cpus, "system": platform.system(), "python": platform.python_version()}


def requirements(name: str) -> set[str]:
    """Return a distribution and all that it needs, without extras."""
    found: set[str] = set()
    todo = [name]
    while todo:
        current = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if current in found:
            continue
        try:
            needs = metadata.requires(current) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(current)
        todo += [re.split(r"[^\w.-]", need.strip(), maxsplit=1)[0] for need in needs if "extra ==" not in need]
    return found


def size_mb(distribution: str) -> float:
    """Return the installed size of one distribution."""
    files = metadata.files(distribution) or []
    paths = {Path(str(file.locate())) for file in files if "__pycache__" not in str(file)}
    if (metadata.distribution(distribution).read_text("direct_url.json") or "").find('"editable": true') >= 0:
        spec = find_spec(distribution.replace("-", "_"))
        for folder in (spec.submodule_search_locations or []) if spec else []:
            paths |= {path for path in Path(folder).rglob("*") if "__pycache__" not in path.parts}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


IMPORT = """
import time
start = time.perf_counter()
import {module}
elapsed = time.perf_counter() - start
import os
with open("/proc/self/statm") as file:
    pages = int(file.read().split()[1])
print(elapsed * 1e3, pages * os.sysconf("SC_PAGESIZE") / 2**20)
"""


def import_cost(module: str) -> tuple[float, float]:
    """Return milliseconds and resident MB of importing a module in a fresh interpreter."""
    command = [sys.executable, "-c", IMPORT.format(module=module)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    milliseconds, megabytes = map(float, done.stdout.split())
    return milliseconds, megabytes


def stacks(distributions: set[str], repeats: int) -> list[Stack]:
    """Measure size and import of each installed library, in interleaved rounds after one that warms the disk cache."""
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in MODULES if name in distributions}
    for turn in range(repeats + 1):
        for name, measured in costs.items():
            cost = import_cost(MODULES[name])
            if turn:
                measured.append(cost)
    return [
        Stack(
            name,
            sum(size_mb(part) for part in requirements(name)),
            statistics.median(ms for ms, _ in measured),
            statistics.median(mb for _, mb in measured),
        )
        for name, measured in costs.items()
    ]


def memory(row: str, peers: list[str], threads: int, logs: Path) -> list[Memory]:
    """Train a row in fresh processes and return their resident memory."""
    measured = []
    for peer in (peer for peer in PEERS if peer.name in peers):
        try:
            worker = Worker(peer, threads, logs)
            offered = "absent" not in worker.hello and "absent" not in worker.request("build", row=row)
            reply = worker.request("memory") if offered else {}
            worker.close()
        except WorkerError:
            continue  # noted when the row was measured
        if reply:
            measured.append(Memory(row, peer.name, reply["peak_mb"], reply["step_mb"]))
    return measured
