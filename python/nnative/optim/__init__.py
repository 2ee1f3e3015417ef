"""Optimizers: PyTorch's names, arguments, defaults and `state_dict` layout over one native launch a group."""

from nnative.optim import swa_utils
from nnative.optim.adagrad import Adadelta, Adagrad, RMSprop
from nnative.optim.adam import Adam, AdamW
from nnative.optim.ftrl import FTRL
from nnative.optim.lbfgs import LBFGS
from nnative.optim.moments import Adamax, NAdam, RAdam
from nnative.optim.optimizer import Optimizer
from nnative.optim.perceptron import Perceptron
from nnative.optim.sgd import ASGD, SGD
from nnative.optim.sign import Lion, Rprop

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
    "swa_utils",
]
