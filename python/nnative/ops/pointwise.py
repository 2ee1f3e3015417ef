"""What operations on the elements of one array share: one class, made for each pair of kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnative import _native
from nnative.autograd import Array, Function, TensorBase

if TYPE_CHECKING:
    from nnative.tensor import Tensor


class Pointwise(Function):
    """f of each element and of some numbers; subclasses name the kernels of f and of its gradient."""

    returns_fresh = True
    kernels: tuple[Any, Any]
    saves_output = False  # whether the gradient follows from f(x) rather than from x

    @classmethod
    def forward(cls, ctx: Any, x: Array, *numbers: float) -> Array:
        """Return f(x)."""
        y: Array = cls.kernels[0](x, *numbers)
        ctx.saved_tensors = (y if cls.saves_output else x, *numbers)
        return y

    @classmethod
    def backward(cls, ctx: Any, grad: Array) -> Any:
        """Return the gradient of x, and None for each number."""
        saved = ctx.saved_tensors
        if len(saved) == 1:
            return cls.kernels[1](grad, saved[0])
        return (cls.kernels[1](grad, *saved), *[None] * (len(saved) - 1))


def pointwise(name: str, kernel: str, saves_output: bool = False) -> type[Pointwise]:
    """Return the operation called ``name`` of the kernels ``kernel``_forward and ``kernel``_backward."""
    kernels = getattr(_native, f"{kernel}_forward"), getattr(_native, f"{kernel}_backward")
    return type(name, (Pointwise,), {"kernels": kernels, "saves_output": saves_output, "__module__": __name__})


def apply(name: str, operation: type[Function], input: Any, *numbers: float) -> Tensor:
    """Apply an operation to a tensor; TypeError for anything else."""
    if not isinstance(input, TensorBase):
        require_tensor(name, input)
    return operation.apply(input, *numbers)


def require_tensor(name: str, input: Any) -> None:
    """Raise TypeError for what is no Tensor."""
    if not isinstance(input, TensorBase):
        raise TypeError(f"[{name}] expected a Tensor, got {type(input).__name__}")
