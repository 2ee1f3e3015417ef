"""Layers, activations and losses as functions, under PyTorch's names."""

from nnative.ops import linear
from nnative.ops.activation import glu, leaky_relu, log_softmax, relu, sigmoid, sign, softmax, softmin, step, tanh
from nnative.ops.bilinear import bilinear, maxout
from nnative.ops.dropout import alpha_dropout, dropout, gaussian_dropout, gaussian_noise
from nnative.ops.gather import embedding
from nnative.ops.loss import cross_entropy, nll_loss
from nnative.ops.margin import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    pairwise_distance,
    soft_margin_loss,
    triplet_margin_loss,
)
from nnative.ops.multilabel import multi_margin_loss, multilabel_margin_loss, multilabel_soft_margin_loss
from nnative.ops.norm import batch_norm
from nnative.ops.probability import binary_cross_entropy, binary_cross_entropy_with_logits, kl_div
from nnative.ops.rectifier import (
    celu,
    elu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    prelu,
    relu6,
    rrelu,
    selu,
    softshrink,
    threshold,
)
from nnative.ops.regression import gaussian_nll_loss, huber_loss, l1_loss, mse_loss, poisson_nll_loss, smooth_l1_loss
from nnative.ops.row_norm import group_norm, layer_norm, rms_norm
from nnative.ops.smooth import gelu, logsigmoid, mish, silu, softplus, softsign, tanhshrink

__all__ = [
    "alpha_dropout",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "cosine_embedding_loss",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gaussian_dropout",
    "gaussian_nll_loss",
    "gaussian_noise",
    "gelu",
    "glu",
    "group_norm",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "margin_ranking_loss",
    "maxout",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "pairwise_distance",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "rrelu",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "step",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
]
