"""Optimizers: PyTorch's names, arguments, defaults and `state_dict` layout over one native launch a group."""

from nnative.optim import lr_scheduler
from nnative.optim.adam import Adam, AdamW
from nnative.optim.optimizer import Optimizer
from nnative.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "lr_scheduler"]
