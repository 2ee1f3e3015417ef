"""Deep neural networks trained on CPUs at the speed of the hardware."""

from nnative._native import __version__
from nnative.autograd import Function, enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from nnative.tensor import Tensor

__all__ = ["Function", "Tensor", "__version__", "enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]
