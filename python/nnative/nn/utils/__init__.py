"""What is done to whole models besides training them."""

from nnative.nn.utils import parametrizations, parametrize
from nnative.nn.utils.batchnorm import fold_batchnorm, recalibrate_batchnorm
from nnative.nn.utils.clip_grad import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from nnative.nn.utils.doctor import doctor
from nnative.nn.utils.gradcheck import gradcheck
from nnative.nn.utils.max_norm import max_norm_
from nnative.nn.utils.monte_carlo import mc_dropout
from nnative.nn.utils.parametrizations import weight_norm
from nnative.nn.utils.penalties import elastic_net_penalty, l1_penalty, l2_penalty
from nnative.nn.utils.vectors import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "doctor",
    "elastic_net_penalty",
    "fold_batchnorm",
    "get_total_norm",
    "gradcheck",
    "l1_penalty",
    "l2_penalty",
    "max_norm_",
    "mc_dropout",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "recalibrate_batchnorm",
    "vector_to_parameters",
    "weight_norm",
]
