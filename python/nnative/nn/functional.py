"""Layers, activations and losses as functions, under PyTorch's names."""

from nnative.ops import linear
from nnative.ops.activation import leaky_relu, log_softmax, relu, sigmoid, softmax, tanh
from nnative.ops.bilinear import bilinear, maxout
from nnative.ops.dropout import alpha_dropout, dropout, gaussian_dropout, gaussian_noise
from nnative.ops.gather import embedding
from nnative.ops.loss import cross_entropy, mse_loss
from nnative.ops.norm import batch_norm
from nnative.ops.row_norm import group_norm, layer_norm, rms_norm

__all__ = [
    "alpha_dropout",
    "batch_norm",
    "bilinear",
    "cross_entropy",
    "dropout",
    "embedding",
    "gaussian_dropout",
    "gaussian_noise",
    "group_norm",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "maxout",
    "mse_loss",
    "relu",
    "rms_norm",
    "sigmoid",
    "softmax",
    "tanh",
]
