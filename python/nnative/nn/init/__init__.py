"""Initialisers: fill a tensor in place and return it. Names, argument orders and defaults are PyTorch's."""

from nnative.nn.init.fill import constant_, normal_, ones_, trunc_normal_, uniform_, zeros_
from nnative.nn.init.matrix import dirac_, eye_, orthogonal_, sparse_
from nnative.nn.init.scaled import (
    calculate_gain,
    kaiming_normal_,
    kaiming_uniform_,
    lecun_normal_,
    lecun_uniform_,
    xavier_normal_,
    xavier_uniform_,
)

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]
