"""Training: a loop, its history, and the multilayer perceptron of the command line."""

from nnative.train.history import Epoch, History
from nnative.train.loop import DivergedError, evaluate, fit
from nnative.train.mlp import MlpSpec, load_mlp, save_mlp

__all__ = ["DivergedError", "Epoch", "History", "MlpSpec", "evaluate", "fit", "load_mlp", "save_mlp"]
