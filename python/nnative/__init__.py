"""Deep neural networks trained on CPUs at the speed of the hardware."""

from typing import TYPE_CHECKING

from numpy import float32, float64, int32, int64

from nnative import ops, random
from nnative._native import __version__
from nnative.anomaly import detect_anomaly
from nnative.autograd import Function
from nnative.compile import compile
from nnative.creation import arange, from_numpy, full, ones, ones_like, tensor, zeros, zeros_like
from nnative.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from nnative.lazy import lazy
from nnative.ops import abs, cat, clip, concatenate, exp, log, matmul, maximum, mean, minimum, sqrt, stack, sum, where
from nnative.random import Generator, initial_seed, manual_seed
from nnative.tensor import Tensor
from nnative.threads import cpu_info, get_num_threads, set_num_threads, watch_for_threadpoolctl

watch_for_threadpoolctl()

if TYPE_CHECKING:
    from nnative import nn, optim
else:
    __getattr__, __dir__ = lazy(globals(), "nn", "optim")

__all__ = [
    "Function",
    "Generator",
    "Tensor",
    "__version__",
    "abs",
    "arange",
    "cat",
    "clip",
    "compile",
    "concatenate",
    "cpu_info",
    "detect_anomaly",
    "enable_grad",
    "exp",
    "float32",
    "float64",
    "from_numpy",
    "full",
    "get_num_threads",
    "initial_seed",
    "int32",
    "int64",
    "is_grad_enabled",
    "log",
    "manual_seed",
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
    "random",
    "set_grad_enabled",
    "set_num_threads",
    "sqrt",
    "stack",
    "sum",
    "tensor",
    "where",
    "zeros",
    "zeros_like",
]
