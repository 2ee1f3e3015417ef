"""Backward hooks: gates at a module's inputs and outputs that hand over the gradients passing through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, Function, TensorBase, wrap

if TYPE_CHECKING:
    from nnative.nn.hooks import Hooks
    from nnative.nn.module import Module
    from nnative.tensor import Tensor


class BackwardHooks:
    """The backward hooks of one call: gates at its inputs and outputs hand them the gradients that pass."""

    def __init__(self, module: Module, hooks: Hooks) -> None:
        self.module = module
        self.before = list(hooks.backward_before.values())
        self.after = list(hooks.backward.values())
        self.arguments = 0
        self.gated: list[int] = []  # the inputs that require a gradient
        self.grad_output: tuple[Any, ...] = ()

    def through_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments with gates at those that require a gradient."""
        self.arguments = len(args)
        self.gated = [i for i, a in enumerate(args) if isinstance(a, TensorBase) and a.requires_grad]
        tensors = _gates([args[i] for i in self.gated], self.at_inputs) if self.after else []
        passed = list(args)
        for i, tensor in zip(self.gated, tensors):  # noqa: B905 (without hooks there are no gates)
            passed[i] = tensor
        return tuple(passed)

    def through_outputs(self, output: Any) -> Any:
        """Return the output, a tensor or a tuple, with gates."""
        outputs = output if isinstance(output, tuple) else (output,)
        places = [i for i, o in enumerate(outputs) if isinstance(o, TensorBase) and o.requires_grad]
        if not places:
            return output

        def arrive(grads: list[Array | None]) -> list[Array | None]:
            whole: list[Any] = [None] * len(outputs)
            for i, grad in zip(places, grads, strict=True):
                whole[i] = grad
            return [_array(g) for i, g in enumerate(self.at_outputs(whole)) if i in places]

        passed = list(outputs)
        for i, tensor in zip(places, _gates([outputs[i] for i in places], arrive), strict=True):
            passed[i] = tensor
        return tuple(passed) if isinstance(output, tuple) else passed[0]

    def at_outputs(self, grads: list[Array | None]) -> Sequence[Any]:
        """Call what is called before the module's backward pass; all of it where no input requires a gradient."""
        current = _tensors(grads)
        for entry in self.before:
            current = _changed(self.module, current, entry.hook(self.module, current), "grad_output")
        self.grad_output = current
        if self.after and not self.gated:
            none = (None,) * self.arguments
            for entry in self.after:
                changed = entry.hook(self.module, none, current)
                if changed is not None and not (isinstance(changed, tuple) and all(c is None for c in changed)):
                    raise RuntimeError(
                        f"[{type(self.module).__name__}] a backward hook where no input requires a gradient returns "
                        "None, or None for all gradients"
                    )
        return current

    def at_inputs(self, grads: list[Array | None]) -> list[Array | None]:
        """Call what is called after the module's backward pass; return the gradients to go on with."""
        whole: list[Any] = [None] * self.arguments
        for i, grad in zip(self.gated, grads, strict=True):
            whole[i] = grad
        current = _tensors(whole)
        for entry in self.after:
            changed = entry.hook(self.module, current, self.grad_output)
            current = _changed(self.module, current, changed, "grad_input")
        return [_array(current[i]) for i in self.gated]


def _tensors(grads: Sequence[Array | None]) -> tuple[Any, ...]:
    return tuple([None if g is None else wrap(g) for g in grads])


def _array(value: Any) -> Array | None:
    return value._data if isinstance(value, TensorBase) else value


def _changed(module: Module, before: tuple[Any, ...], changed: Any, name: str) -> tuple[Any, ...]:
    """Return what a hook made of the gradients, of as many."""
    if changed is None:
        return before
    gradients: tuple[Any, ...] = changed if isinstance(changed, tuple) else (changed,)
    if len(gradients) != len(before):
        raise RuntimeError(
            f"[{type(module).__name__}] a backward hook returned {len(gradients)} gradients as {name}, "
            f"expected {len(before)}"
        )
    return gradients


def _gates(tensors: list[Tensor], arrive: Callable[[list[Array | None]], list[Array | None]]) -> list[Tensor]:
    """Return the tensors; in the backward pass, their gradients go through a function, all of them at once.

    A node has one result, so each tensor gets a gate that keeps its gradient back, and one node before all gates, which
    the walk visits last, hands them on.
    """
    if not tensors:
        return []
    grads: list[Array | None] = [None] * len(tensors)
    joint = _Joint.apply(grads, arrive, *tensors)
    return [_Gate.apply(tensor, joint, grads, i) for i, tensor in enumerate(tensors)]


class _Joint(Function):
    """A zero whose gradients are those that the gates kept."""

    @staticmethod
    def forward(ctx: Any, grads: Any, arrive: Any, *tensors: Array) -> Array:
        ctx.grads, ctx.arrive = grads, arrive
        return _native.full((), 0.0, np.dtype(np.float32))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        passed = ctx.arrive(list(ctx.grads))
        ctx.saved_tensors = tuple(ctx.grads)  # which a recording compares with
        ctx.grads[:] = [None] * len(ctx.grads)
        return None, None, *passed


class _Gate(Function):
    """A tensor as it is; its gradient waits for the joint."""

    @staticmethod
    def forward(ctx: Any, x: Array, joint: Array, grads: Any, i: int) -> Array:
        ctx.grads, ctx.i = grads, i
        return x

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        ctx.grads[ctx.i] = grad
        return None, _native.full((), 0.0, np.dtype(np.float32)), None, None
