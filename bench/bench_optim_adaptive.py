"""Adam and its kin: time against NumPy's formulas (reference/optim_adaptive.py), bandwidth against a triad."""

from __future__ import annotations

from bench_optim import updates
from nnative.reference.optim_adaptive import EXAMPLES
from side_by_side import main

if __name__ == "__main__":
    main("optim_adaptive", __doc__, lambda: updates(EXAMPLES))
