"""What is done to whole models besides training them."""

from nnative.nn.utils import parametrizations, parametrize
from nnative.nn.utils.batchnorm import fold_batchnorm, recalibrate_batchnorm
from nnative.nn.utils.doctor import doctor
from nnative.nn.utils.gradcheck import gradcheck
from nnative.nn.utils.monte_carlo import mc_dropout
from nnative.nn.utils.parametrizations import weight_norm
from nnative.nn.utils.vectors import parameters_to_vector, vector_to_parameters

__all__ = [
    "doctor",
    "fold_batchnorm",
    "gradcheck",
    "mc_dropout",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "recalibrate_batchnorm",
    "vector_to_parameters",
    "weight_norm",
]
