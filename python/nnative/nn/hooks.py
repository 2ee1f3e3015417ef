"""Hooks: functions that a module calls before and after its forward pass and during the backward pass.

A module without hooks pays one comparison a call.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nnative.nn.backward_hooks import BackwardHooks
from nnative.recording import hooks as registry
from nnative.recording import state as observed

if TYPE_CHECKING:
    from nnative.nn.module import Module

Hook = Callable[..., Any]


class Registered:
    """A hook with how it wants to be called."""

    def __init__(self, hook: Hook, with_kwargs: bool = False, always_call: bool = False) -> None:
        self.hook = hook
        self.with_kwargs = with_kwargs
        self.always_call = always_call


class Hooks:
    """The hooks of one module, in the order of their calls, by the numbers of their handles."""

    def __init__(self) -> None:
        self.before: dict[int, Registered] = {}
        self.after: dict[int, Registered] = {}
        self.backward_before: dict[int, Registered] = {}
        self.backward: dict[int, Registered] = {}

    def __bool__(self) -> bool:
        return bool(self.before or self.after or self.backward_before or self.backward)


class RemovableHandle:
    """Takes a hook away: by `remove`, or at the end of a ``with`` block."""

    _numbers = itertools.count()

    def __init__(self, module: Hookable, kind: str) -> None:
        self.id = next(self._numbers)
        self._module = module
        self._kind = kind
        # Recordings compare versions: without the hook, unless others have changed, they are as they were before it.
        self._before, self._version = registry.version, object()
        registry.version = self._version

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        hooks = self._module._hooks
        if hooks is not None and getattr(hooks, self._kind).pop(self.id, None) is not None:
            if not hooks:
                self._module._hooks = None
            registry.version = self._before if registry.version is self._version else object()

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _register(module: Hookable, kind: str, entry: Registered, prepend: bool) -> RemovableHandle:
    """Add a hook to a module, as the last or the first of its kind."""
    if not callable(entry.hook):
        raise TypeError(f"[{type(module).__name__}] expected a function as hook, got {type(entry.hook).__name__}")
    if module._hooks is None:
        module._hooks = Hooks()
    handle = RemovableHandle(module, kind)
    entries = getattr(module._hooks, kind)
    setattr(module._hooks, kind, {handle.id: entry, **entries} if prepend else {**entries, handle.id: entry})
    return handle


class Hookable:
    """What can have hooks: `Module`."""

    _hooks: Hooks | None = None

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before every forward pass; what it returns, unless None, replaces the arguments.

        Parameters
        ----------
        hook
            The function; what it returns becomes a tuple if it is none.
        prepend
            Whether to call it before the hooks that there are.
        with_kwargs
            Call ``hook(module, args, kwargs)``, which returns None or both.

        Returns
        -------
        RemovableHandle
            Its ``remove()`` takes the hook away, as does the end of a ``with`` block.

        Notes
        -----
        Hooks are Python: in a recorded step they run while it is recorded. What they compute with tensors is part of
        the recording; reading a value is an error. Adding or removing a hook makes a step be recorded again.
        """
        return _register(self, "before", Registered(hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after every forward pass; what it returns, unless None, is the output.

        With ``with_kwargs`` it is ``hook(module, args, kwargs, output)``; with ``always_call`` it is called, with None
        as output, when the forward pass raises, too. See `register_forward_pre_hook` for the rest.

        Examples
        --------
        >>> import nnative
        >>> from nnative import nn
        >>> layer = nn.Linear(3, 2)
        >>> shapes = []
        >>> with layer.register_forward_hook(lambda module, args, output: shapes.append(output.shape)):
        ...     _ = layer(nnative.zeros(5, 3))
        >>> shapes
        [(5, 2)]
        """
        return _register(self, "after", Registered(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are known; it may return others."""
        return _register(self, "backward_before", Registered(hook), prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are known.

        Both are tuples of tensors, with None for what is no tensor or requires no gradient; ``grad_input`` is of the
        positional arguments. What the hook returns, unless None, replaces ``grad_input``. Where no input requires a
        gradient, the hook is called when ``grad_output`` is known, with None for all inputs.

        Examples
        --------
        >>> import nnative
        >>> from nnative import nn
        >>> layer = nn.Tanh()
        >>> handle = layer.register_full_backward_hook(lambda module, grad_input, grad_output: grad_input[0] * 10)
        >>> x = nnative.zeros(2, requires_grad=True)
        >>> layer(x).sum().backward()
        >>> x.grad
        array([10., 10.], dtype=float32)
        """
        return _register(self, "backward", Registered(hook), prepend)


def call(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a module that has hooks, or that an observer looks at."""
    observer, hooks = observed.observer, module._hooks
    if observer is None:
        return module.forward(*args, **kwargs) if hooks is None else _with_hooks(module, hooks, args, kwargs)
    observer.enter(module)
    output = None
    try:
        output = module.forward(*args, **kwargs) if hooks is None else _with_hooks(module, hooks, args, kwargs)
        return output
    finally:
        observer.leave(module, output)


def _with_hooks(module: Module, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    called: set[int] = set()
    try:
        for entry in list(hooks.before.values()):
            args, kwargs = _before(module, entry, args, kwargs)
        wanted = observed.grad_enabled and (hooks.backward or hooks.backward_before)
        backward = BackwardHooks(module, hooks) if wanted else None
        if backward is not None:
            args = backward.through_inputs(args)
        output = module.forward(*args, **kwargs)
        for number, entry in list(hooks.after.items()):
            called.add(number)
            changed = entry.hook(module, args, *([kwargs] if entry.with_kwargs else []), output)
            output = output if changed is None else changed
        return output if backward is None else backward.through_outputs(output)
    except Exception:
        for number, entry in list(hooks.after.items()):
            if entry.always_call and number not in called:
                entry.hook(module, args, *([kwargs] if entry.with_kwargs else []), None)
        raise


def _before(
    module: Module, entry: Registered, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not entry.with_kwargs:
        changed = entry.hook(module, args)
        if changed is None:
            return args, kwargs
        return changed if isinstance(changed, tuple) else (changed,), kwargs
    changed = entry.hook(module, args, kwargs)
    if changed is None:
        return args, kwargs
    if not isinstance(changed, tuple) or len(changed) != 2:
        raise RuntimeError(
            f"[{type(module).__name__}] a forward pre-hook with_kwargs returns None or a tuple of args and kwargs, "
            f"got {changed!r}"
        )
    return changed
