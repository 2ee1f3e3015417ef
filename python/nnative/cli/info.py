"""``nnative info``: what is installed and what it runs on."""

from __future__ import annotations

import argparse
import platform
from importlib.util import find_spec

import numpy as np

from nnative import __version__, _native
from nnative.threads import cpu_info

_OPTIONAL = {"sklearn": "demo, sklearn", "matplotlib": "demo, plot"}


def run(args: argparse.Namespace) -> int:
    """Print one fact a line."""
    cpu = cpu_info()
    facts = {
        "nnative": f"{__version__} (Python {platform.python_version()}, NumPy {np.__version__})",
        "cpu": f"{cpu['model']}, {cpu['cpus']} usable",
        "instruction sets": ", ".join(cpu["available"]),
        "active": cpu["isa"],
        "threads": cpu["threads"],
        "kernels": len(_native.kernels()),
    }
    for module, extra in _OPTIONAL.items():
        facts[module] = "installed" if find_spec(module) else f"not installed (extra: {extra})"
    for name, fact in facts.items():
        print(f"{name + ':':18}{fact}")
    return 0
