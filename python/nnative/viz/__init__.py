"""Pictures, drawn by matplotlib without touching its global state."""

from nnative.viz.curves import learning_curves

__all__ = ["learning_curves"]
