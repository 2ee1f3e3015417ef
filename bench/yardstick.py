"""What this machine can do, as `yardstick.cpp` measures it: the limit that kernels are held against."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

FLAGS = ("-O3", "-ffp-contract=fast", "-pthread", "-shared", "-fPIC")
ISA_FLAGS = {"avx512": ("-march=native",), "avx2": ("-march=native", "-mno-avx512f"), "baseline": ()}
CALL_SECONDS = 0.02  # of work in one call: it starts its threads anew


class Yardstick:
    """Multiply-adds in registers and triads in memory on some threads; needs a C++ compiler (`$CXX`, else g++).

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
        self._arrays: tuple[np.ndarray[tuple[int], np.dtype[np.float32]], ...] = ()
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
    def triads_a_call(self) -> int:
        """How many triads take about `CALL_SECONDS` at 40 GB/s; at least one."""
        return max(1, round(CALL_SECONDS * 40e9 / (12 * len(self._arrays[0]))))

    def multiply_add(self, operations: float) -> float:
        """Make about so many floating-point operations; return how many they were."""
        return float(self._library.multiply_add(self.threads, ctypes.c_double(operations)))

    def gflops(self) -> float:
        """Return the rate of fused multiply-adds, two operations each."""
        start = time.perf_counter()
        operations = self.multiply_add(self.operations_a_call)
        return operations / (time.perf_counter() - start) / 1e9

    def prepare(self, elements: int) -> None:
        """Make the arrays of the triad, and find out whether its stores are faster past the caches."""
        unit = 16 * self.threads
        size = elements // unit * unit
        lines = [np.ones(size + 16, dtype=np.float32) for _ in range(3)]
        self._arrays = tuple(line[-line.ctypes.data % 64 // 4 :][:size] for line in lines)
        best = {past: min(self._seconds(past) for _ in range(5)) for past in (False, True)}
        self._past = best[True] < best[False]

    def _seconds(self, past: bool) -> float:
        start = time.perf_counter()
        self.triad(1, past)
        return time.perf_counter() - start

    def triad(self, times: int, past: bool | None = None) -> None:
        """Compute ``a = b + 3 · c`` so many times."""
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in self._arrays]
        size = ctypes.c_size_t(len(self._arrays[0]))
        self._library.triad(self.threads, *pointers, size, times, ctypes.c_bool(self._past if past is None else past))

    def gb_per_second(self) -> float:
        """Return the bandwidth of triads, three streams counted."""
        times = self.triads_a_call
        start = time.perf_counter()
        self.triad(times)
        return 12e-9 * times * len(self._arrays[0]) / (time.perf_counter() - start)
