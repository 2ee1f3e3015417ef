"""What is done to whole models besides training them."""

from nnative.nn.utils import parametrizations, parametrize
from nnative.nn.utils.doctor import doctor
from nnative.nn.utils.gradcheck import gradcheck
from nnative.nn.utils.parametrizations import weight_norm
from nnative.nn.utils.vectors import parameters_to_vector, vector_to_parameters

__all__ = [
    "doctor",
    "gradcheck",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "vector_to_parameters",
    "weight_norm",
]
