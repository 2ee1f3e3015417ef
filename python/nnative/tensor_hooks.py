"""Hooks of tensors: functions that see, and may change, the gradient of a tensor in the backward pass."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

from nnative import autograd
from nnative.autograd import Array, TensorBase, wrap
from nnative.recording import hooks as registry
from nnative.recording import state as recording_state

_numbers = itertools.count()


class _Hooks:
    """The hooks of one tensor in the order of their calls."""

    def __init__(self, tensor: TensorBase) -> None:
        key = id(tensor)
        self.tensor = weakref.ref(tensor, lambda _: autograd.leaf_hooks.pop(key, None))
        self.functions: dict[int, Callable[[Any], Any]] = {}

    def __call__(self, gradient: Array) -> Array:
        for hook in list(self.functions.values()):
            changed = hook(wrap(gradient))
            if changed is not None:
                gradient = _checked(changed, gradient)
        return gradient


def _checked(changed: Any, gradient: Array) -> Array:
    array = autograd._like(wrap(gradient), changed, "[register_hook] expected a gradient of")
    if recording_state.recording is not None:
        recording_state.recording.check("a hook of a tensor", array, (gradient,))
    return array


class TensorHandle:
    """Takes a hook of a tensor away: by `remove`, or at the end of a ``with`` block."""

    def __init__(self, hooks: _Hooks) -> None:
        self.id = next(_numbers)
        self._hooks = hooks

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        if self._hooks.functions.pop(self.id, None) is None:
            return
        tensor = self._hooks.tensor()
        if tensor is not None and autograd.leaf_hooks.get(id(tensor)) is self._hooks:
            registry.version = object()
            if not self._hooks.functions:
                del autograd.leaf_hooks[id(tensor)]

    def __enter__(self) -> TensorHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def register(tensor: TensorBase, hook: Callable[[Any], Any]) -> TensorHandle:
    """Add a hook to the node that made a tensor, or to a leaf; see `Tensor.register_hook`."""
    if not callable(hook):
        raise TypeError(f"[register_hook] expected a function as hook, got {type(hook).__name__}")
    if not tensor._requires_grad:
        raise RuntimeError("[register_hook] cannot register a hook on a tensor that doesn't require gradient")
    node: Any = tensor._node
    hooks: _Hooks | None = autograd.leaf_hooks.get(id(tensor)) if node is None else node.hooks
    if hooks is None:
        hooks = _Hooks(tensor)
        if node is None:
            autograd.leaf_hooks[id(tensor)] = hooks
        else:
            node.hooks = hooks
    if node is None:  # a node's hooks belong to the step that made it, which a recording follows
        registry.version = object()
    handle = TensorHandle(hooks)
    hooks.functions[handle.id] = hook
    return handle
