"""What is done to whole models besides training them."""

from nnative.nn.utils.monte_carlo import mc_dropout

__all__ = ["mc_dropout"]
