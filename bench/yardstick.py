"""What this machine can do, as `yardstick.cpp` measures it: the limit that kernels are held against."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FLAGS = ("-O3", "-ffp-contract=fast", "-pthread", "-shared", "-fPIC")
ISA_FLAGS = {"avx512": ("-march=native",), "avx2": ("-march=native", "-mno-avx512f"), "baseline": ()}
INSTRUCTIONS = 10_000_000  # that do nothing, counted as one step
CALL_SECONDS = 0.02  # of work in one call: it starts its threads anew
TRIAD = ("b, c > a",)


def arrays_of(loop: str) -> tuple[list[str], list[str]]:
    """Return the names of the arrays that a loop such as ``"b, c > a"`` reads and writes."""
    reads, writes = ([name for name in side.strip().split(", ") if name] for side in loop.split(">"))
    return reads, writes


def streams(loops: Sequence[str]) -> int:
    """Return how many arrays some loops read or write, each as often as it is."""
    return sum(len(names) for loop in loops for names in arrays_of(loop))


def at_a_line(array: Array) -> Array:
    """Return a copy that begins at a cache line, as parameters and results of nnative do."""
    room = np.empty(array.size + 64, array.dtype)
    copy = room[-room.ctypes.data % 64 // array.itemsize :][: array.size].reshape(array.shape)
    copy[...] = array
    return copy


class _Loop(ctypes.Structure):
    _fields_ = (
        ("ins", ctypes.c_void_p * 4),
        ("outs", ctypes.c_void_p * 3),
        ("reads", ctypes.c_int),
        ("writes", ctypes.c_int),
        ("past", ctypes.c_int),
    )


class Yardstick:
    """Multiply-adds in registers and loops over arrays on some threads; needs a C++ compiler (`$CXX`, else g++).

    With the machine's best vectors, or those of a lesser instruction set.
    """

    def __init__(self, threads: int, isa: str = "avx512") -> None:
        self.threads = threads
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder, "yardstick.so")
            source = Path(__file__).with_name("yardstick.cpp")
            try:
                command = [os.environ.get("CXX", "g++"), *FLAGS, *ISA_FLAGS[isa], str(source), "-o", str(library)]
                subprocess.run(command, check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise RuntimeError(f"the machine's limits need a C++ compiler: {error}") from error
            self._library = ctypes.CDLL(str(library))
        self._library.multiply_add.restype = ctypes.c_double
        self._arrays: dict[str, Array] = {}
        self._loops: tuple[str, ...] = ()
        self._past = False

    @property
    def bits(self) -> int:
        """The width of a vector register."""
        return int(self._library.vector_bits())

    @property
    def operations_a_call(self) -> float:
        """How many operations take about `CALL_SECONDS` at 100 GFLOP/s a thread."""
        return 1e11 * CALL_SECONDS * self.threads

    @property
    def bytes(self) -> int:
        """What one round of the loops reads and writes."""
        return 4 * streams(self._loops) * len(next(iter(self._arrays.values())))

    @property
    def rounds_a_call(self) -> int:
        """How many rounds of the loops take about `CALL_SECONDS` at 40 GB/s; at least one."""
        return max(1, round(CALL_SECONDS * 40e9 / self.bytes))

    def multiply_add(self, operations: float) -> float:
        """Make about so many floating-point operations; return how many they were."""
        return float(self._library.multiply_add(self.threads, ctypes.c_double(operations)))

    def do_nothing(self, instructions: int) -> None:
        """Execute so many instructions that do nothing, a multiple of 100 on each thread."""
        self._library.do_nothing(self.threads, ctypes.c_long(instructions))

    def gflops(self) -> float:
        """Return the rate of fused multiply-adds, two operations each, on CPUs that are awake."""
        self.multiply_add(self.operations_a_call)
        start = time.perf_counter()
        operations = self.multiply_add(self.operations_a_call)
        return operations / (time.perf_counter() - start) / 1e9

    def prepare(self, elements: int, loops: Sequence[str] = TRIAD) -> None:
        """Make the arrays of some loops, and find out whether their stores are faster past the caches.

        Each thread does its share of the elements; a loop computes ``out = first + 3 · (second + …)``.
        """
        unit = 16 * self.threads
        size = max(1, elements // unit) * unit
        names = sorted({name for loop in loops for side in arrays_of(loop) for name in side})
        self._arrays = {name: at_a_line(np.ones(size, dtype=np.float32)) for name in names}
        self._loops = tuple(loops)
        best = {past: min(self._seconds(past) for _ in range(5)) for past in (False, True)}
        self._past = best[True] < best[False]

    def _seconds(self, past: bool) -> float:
        start = time.perf_counter()
        self.run_loops(1, past)
        return time.perf_counter() - start

    def _loop(self, loop: str, past: bool) -> _Loop:
        reads, writes = ([self._arrays[name].ctypes.data for name in names] for names in arrays_of(loop))
        fresh = not set(reads) & set(writes)
        return _Loop(tuple(reads), tuple(writes), len(reads), len(writes), past and fresh)

    def run_loops(self, times: int, past: bool | None = None) -> None:
        """Run all loops, one after the other, so many times."""
        loops = [self._loop(loop, self._past if past is None else past) for loop in self._loops]
        size = ctypes.c_size_t(len(next(iter(self._arrays.values()))))
        self._library.run_loops(self.threads, (_Loop * len(loops))(*loops), len(loops), size, times)

    def gb_per_second(self) -> float:
        """Return the bandwidth of the loops: what they read and write, each array counted."""
        times = self.rounds_a_call
        start = time.perf_counter()
        self.run_loops(times)
        return 1e-9 * times * self.bytes / (time.perf_counter() - start)
