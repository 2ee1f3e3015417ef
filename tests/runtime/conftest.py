"""Code that needs a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def run_python():
    """Return a function that runs code in a fresh interpreter."""

    def run(code, timeout=60, check=True, **env):
        """Return what the code printed, or with check=False how the process ended."""
        inherited = {k: v for k, v in os.environ.items() if k not in ("NNATIVE_ISA", "OMP_NUM_THREADS")}
        result = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env=inherited | env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check:
            assert result.returncode == 0, result.stderr
            return result.stdout.strip()
        return result

    return run
