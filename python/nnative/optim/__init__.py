"""Optimizers: PyTorch's names, arguments, defaults and `state_dict` layout over one native launch a group."""

from typing import TYPE_CHECKING

from nnative.lazy import lazy
from nnative.optim.adam import Adam, AdamW
from nnative.optim.optimizer import Optimizer
from nnative.optim.sgd import SGD

if TYPE_CHECKING:
    from nnative.optim import lr_scheduler
else:
    __getattr__, __dir__ = lazy(globals(), "lr_scheduler")

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "lr_scheduler"]
