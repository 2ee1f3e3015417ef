"""Memory bandwidth of this machine, as a triad in C measures it: the yardstick of kernels that only stream."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

SOURCE = """
void triad(float* a, const float* b, const float* c, float s, long n) {
  _Pragma("omp parallel for schedule(static)")
  for (long i = 0; i < n; ++i) a[i] = b[i] + s * c[i];
}
"""


class Triad:
    """``a = b + s · c`` over arrays far larger than the caches, compiled here by the system's C compiler."""

    def __init__(self, threads: int, elements: int = 20_000_000) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            raise RuntimeError("a C compiler (cc) is needed to measure the bandwidth")
        with tempfile.TemporaryDirectory() as folder:
            source, library = Path(folder, "triad.c"), Path(folder, "triad.so")
            source.write_text(SOURCE)
            flags = ["-O3", "-march=native", "-fopenmp", "-shared", "-fPIC"]
            subprocess.run([compiler, *flags, str(source), "-o", str(library)], check=True)
            # Its workers would go on spinning for milliseconds, on the CPUs of what is measured next.
            os.environ.setdefault("OMP_WAIT_POLICY", "passive")
            self._library = ctypes.CDLL(str(library))
        ctypes.CDLL("libgomp.so.1").omp_set_num_threads(threads)
        self._arrays = [np.ones(elements, dtype=np.float32) for _ in range(3)]

    def gb_per_second(self) -> float:
        """Return the bandwidth of one run, three streams counted."""
        a, b, c = (ctypes.c_void_p(array.ctypes.data) for array in self._arrays)
        n = self._arrays[0].size
        start = time.perf_counter()
        self._library.triad(a, b, c, ctypes.c_float(0.5), ctypes.c_long(n))
        return 3 * 4 * n / (time.perf_counter() - start) / 1e9
