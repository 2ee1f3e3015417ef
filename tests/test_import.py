"""What `import nnative` costs and brings along."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def run_python(code):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="timing under a sanitizer says nothing")
def test_import_costs_under_20_ms_beyond_numpy():
    # CPU time, and the least of it: what shares the machine (its caches, its clock) can only add.
    code = "import numpy, time; start = time.process_time(); import nnative; print(time.process_time() - start)"
    seconds = [float(run_python(code)) for _ in range(9)]
    assert min(seconds) < 0.020, sorted(seconds)


def test_import_brings_nothing_heavy():
    heavy = [
        "scipy",
        "sklearn",
        "matplotlib",
        "torch",
        "onnx",
        "pandas",
        "mpi4py",
        "safetensors",
        "tqdm",
        "threadpoolctl",
    ]
    code = f"import sys, nnative; print([name for name in {heavy} if name in sys.modules])"
    assert run_python(code) == "[]"


def test_submodules_are_there_without_being_imported_at_once():
    lazy = ["nnative.nn", "nnative.optim", "nnative.nn.utils", "nnative.optim.lr_scheduler"]
    code = (
        f"import sys, nnative; print([name for name in {lazy} if name in sys.modules]); "
        "print('nn' in dir(nnative), 'nn' in vars(nnative), 'ops' in dir(nnative)); "
        "print(nnative.nn.utils.doctor.__name__, nnative.optim.lr_scheduler.StepLR.__name__); "
        "from nnative.nn import utils; print(hasattr(nnative.nn, 'nothing'))"
    )
    assert run_python(code).splitlines() == ["[]", "True False True", "doctor StepLR", "False"]


def test_all_is_what_users_see():
    code = "import nnative; print([name for name in nnative.__all__ if not hasattr(nnative, name)])"
    assert run_python(code) == "[]"
