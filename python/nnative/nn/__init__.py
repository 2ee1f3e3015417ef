"""Layers and losses: modules that hold parameters, and the functions behind them."""

from nnative.nn import functional, utils
from nnative.nn.activation import Identity, LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from nnative.nn.container import ModuleList, Sequential
from nnative.nn.dropout import Dropout
from nnative.nn.flatten import Flatten
from nnative.nn.linear import Linear
from nnative.nn.loss import CrossEntropyLoss, MSELoss
from nnative.nn.module import Module
from nnative.nn.norm import BatchNorm1d
from nnative.nn.parameter import Parameter

__all__ = [
    "BatchNorm1d",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Identity",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "ModuleList",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "functional",
    "utils",
]
