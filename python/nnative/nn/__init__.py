"""Layers and losses: modules that hold parameters, and the functions behind them."""

from typing import TYPE_CHECKING

from nnative.lazy import lazy
from nnative.nn import functional, init
from nnative.nn.activation import Identity, LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from nnative.nn.connection import DenseBlock, Residual
from nnative.nn.container import ModuleDict, ModuleList, ParameterList, Sequential
from nnative.nn.dropout import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from nnative.nn.embedding import Embedding
from nnative.nn.flatten import Flatten, Unflatten
from nnative.nn.linear import Bilinear, Linear, Maxout
from nnative.nn.loss import CrossEntropyLoss, MSELoss
from nnative.nn.module import Module
from nnative.nn.norm import BatchNorm1d
from nnative.nn.parameter import Parameter
from nnative.nn.row_norm import GroupNorm, LayerNorm, RMSNorm

if TYPE_CHECKING:
    from nnative.nn import utils
else:
    __getattr__, __dir__ = lazy(globals(), "utils")

__all__ = [
    "AlphaDropout",
    "BatchNorm1d",
    "Bilinear",
    "CrossEntropyLoss",
    "DenseBlock",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNorm",
    "Identity",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Maxout",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ParameterList",
    "RMSNorm",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "Unflatten",
    "functional",
    "init",
    "utils",
]
