"""Optimizers: PyTorch's names, arguments, defaults and `state_dict` layout over one native launch a group."""

from typing import TYPE_CHECKING

from nnative.lazy import lazy
from nnative.optim.adagrad import Adadelta, Adagrad, RMSprop
from nnative.optim.adam import Adam, AdamW
from nnative.optim.ftrl import FTRL
from nnative.optim.lbfgs import LBFGS
from nnative.optim.moments import Adamax, NAdam, RAdam
from nnative.optim.optimizer import Optimizer
from nnative.optim.perceptron import Perceptron
from nnative.optim.sgd import ASGD, SGD
from nnative.optim.sign import Lion, Rprop

if TYPE_CHECKING:
    from nnative.optim import lr_scheduler, swa_utils
else:
    __getattr__, __dir__ = lazy(globals(), "lr_scheduler", "swa_utils")

__all__ = [
    "ASGD",
    "FTRL",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "NAdam",
    "Optimizer",
    "Perceptron",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "swa_utils",
]
