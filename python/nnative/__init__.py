"""Deep neural networks trained on CPUs at the speed of the hardware."""

from numpy import float32, float64, int32, int64

from nnative import nn, ops, optim
from nnative._native import __version__
from nnative.autograd import Function
from nnative.compile import compile
from nnative.creation import arange, from_numpy, full, ones, ones_like, tensor, zeros, zeros_like
from nnative.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from nnative.ops import abs, cat, clip, concatenate, exp, log, matmul, maximum, mean, minimum, sqrt, stack, sum, where
from nnative.tensor import Tensor

__all__ = [
    "Function",
    "Tensor",
    "__version__",
    "abs",
    "arange",
    "cat",
    "clip",
    "compile",
    "concatenate",
    "enable_grad",
    "exp",
    "float32",
    "float64",
    "from_numpy",
    "full",
    "int32",
    "int64",
    "is_grad_enabled",
    "log",
    "matmul",
    "maximum",
    "mean",
    "minimum",
    "nn",
    "no_grad",
    "ones",
    "ones_like",
    "ops",
    "optim",
    "set_grad_enabled",
    "sqrt",
    "stack",
    "sum",
    "tensor",
    "where",
    "zeros",
    "zeros_like",
]
