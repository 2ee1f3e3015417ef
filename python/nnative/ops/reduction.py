"""What losses share: arguments checked and named, reductions, and losses of pairs of elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, TensorBase
from nnative.ops.arithmetic import mul
from nnative.ops.operands import require_float
from nnative.ops.reduce import mean, sum
from nnative.ops.shape import reshape
from nnative.recording import state as recording_state

if TYPE_CHECKING:
    from nnative.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


class Pairwise(Function):
    """f of each pair of elements of x and a target; with a scale, that times the sum. Subclasses name the kernels."""

    returns_fresh = True
    kernels: tuple[Any, Any, Any, Any]  # f, its sum, its gradient by x, its gradient by the target

    @classmethod
    def forward(cls, ctx: Any, x: Array, target: Array, scale: float | None, *numbers: float) -> Array:
        """Return f(x, target), or scale times its sum."""
        if scale is None:
            ctx.saved_tensors = (x, target, 1.0, *numbers)
            return cls.kernels[0](x, target, *numbers)  # type: ignore[no-any-return]
        ctx.saved_tensors = (x, target, scale, *numbers)
        return cls.kernels[1](x, target, scale, *numbers)  # type: ignore[no-any-return]

    @classmethod
    def backward(cls, ctx: Any, grad: Array) -> Any:
        """Return the gradients of x and of the target."""
        saved, (for_x, for_target, *_) = ctx.saved_tensors, ctx.needs_input_grad
        return (
            cls.kernels[2](grad, *saved) if for_x else None,
            cls.kernels[3](grad, *saved) if for_target else None,
            *[None] * (len(saved) - 2),
        )


def pairwise(name: str, kernel: str) -> type[Pairwise]:
    """Return the operation called ``name`` of the kernels whose names begin with ``kernel``."""
    kinds = ("forward", "sum", "backward", "backward_target")
    kernels = tuple([getattr(_native, f"{kernel}_{kind}") for kind in kinds])
    return type(name, (Pairwise,), {"kernels": kernels, "__module__": __name__})


def pair_loss(
    name: str,
    operation: type[Pairwise],
    input: Tensor,
    target: Any,
    reduction: str,
    *numbers: float,
    weight: Any = None,
    batchmean: bool = False,
) -> Tensor:
    """Return the losses of an input and a target of its shape and dtype, times a weight that broadcasts, reduced."""
    check_reduction(name, reduction, batchmean)
    target = checked_pair(name, input, target)
    x = input.data
    if weight is not None:
        return reduce(mul(operation.apply(input, target, None, *numbers), plain(name, weight, "weight")), reduction)
    count = x.size if reduction == "mean" else len(x) if x.ndim else 1
    scale: float | None = None
    if reduction != "none":
        # The mean of nothing is NaN, as in PyTorch.
        scale = 1.0 if reduction == "sum" else 1.0 / count if count else float("nan")
    return operation.apply(input, target, scale, *numbers)


def check_reduction(name: str, reduction: str, batchmean: bool = False) -> None:
    """Raise ValueError for an unknown reduction."""
    known = ("mean", "batchmean", "sum", "none") if batchmean else REDUCTIONS
    if reduction not in known:
        names = ", ".join(map(repr, known))
        raise ValueError(f"[{name}] expected reduction to be one of {names}, got {reduction!r}")


def reduce(losses: Tensor, reduction: str) -> Tensor:
    """Return the mean or the sum of losses, or for ``"none"`` the losses."""
    return mean(losses) if reduction == "mean" else sum(losses) if reduction == "sum" else losses


def require_input(name: str, input: Any, what: str = "input") -> None:
    """Raise TypeError for what is no Tensor."""
    if not isinstance(input, TensorBase):
        raise TypeError(f"[{name}] expected a Tensor as {what}, got {type(input).__name__}")


def plain(name: str, value: Any, what: str = "target") -> Any:
    """Return a tensor as it is and an ndarray in contiguous, aligned memory; TypeError for anything else."""
    if isinstance(value, TensorBase):
        return value
    if not isinstance(value, np.ndarray):
        raise TypeError(f"[{name}] expected a Tensor or ndarray as {what}, got {type(value).__name__}")
    return value if value.flags.c_contiguous and value.flags.aligned else value.copy()


def array_of(value: Any) -> Array:
    """Return the array of a tensor, or the array itself."""
    array: Array = value._data if isinstance(value, TensorBase) else value
    return array


def check_in_replays(target: Array, classes: int, ignore: int) -> None:
    """Let replays of a recording under way look for class indices out of range; eager calls check them themselves."""
    recording = recording_state.recording
    if recording is not None:
        _native.check_labels(recording.bad_labels(), target, classes, ignore)


def reshaped(value: Any, shape: tuple[int, ...]) -> Any:
    """Return a tensor or an array in another shape."""
    return value.reshape(shape) if isinstance(value, np.ndarray) else reshape(value, shape)


def checked_pair(name: str, input: Any, target: Any, what: str = "target") -> Any:
    """Return the target, checked to have the input's shape and dtype."""
    require_input(name, input)
    target = plain(name, target, what)
    x, t = input._data, array_of(target)
    if t.shape != x.shape:
        raise ValueError(f"[{name}] expected {what} with the input's shape {x.shape}, got shape {t.shape}")
    if t.dtype != x.dtype:
        raise TypeError(f"[{name}] expected {what} of the input's dtype {x.dtype}, got {what}: dtype {t.dtype}")
    require_float(name, x)
    return target
