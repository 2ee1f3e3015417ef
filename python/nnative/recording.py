"""The Python side of a recording: which objects it relies on, so that a replay knows whether it still holds."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from nnative.autograd import Array, TensorBase


class State(NamedTuple):
    """What a finished recording relies on."""

    watches: list[tuple[Any, str, Any]]  # owner, attribute, the value that it must keep
    gradients: list[tuple[TensorBase, Array | None]]  # what `grad` is after a replay
    refreshers: list[Callable[[], None]]  # called before each replay


class _Active(threading.local):
    recording: Recording | None = None


_active = _Active()


def active() -> Recording | None:
    """Return the recording under way on this thread, if any."""
    return _active.recording


class Recording:
    """Collects, within a ``with`` block, what the recorded function relies on."""

    def __init__(self, native: Any) -> None:
        self.native = native
        self._tensors: dict[int, weakref.ref[TensorBase]] = {}
        self._watches: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self._cleared: set[int] = set()
        self._leaves: dict[int, TensorBase] = {}
        self._refreshers: dict[int, Callable[[], None]] = {}

    def __enter__(self) -> Recording:
        _active.recording = self
        self.native.start()
        return self

    def __exit__(self, *_: object) -> None:
        _active.recording = None
        self.native.stop()

    def watch(self, owner: Any, name: str) -> None:
        """Rely on an attribute being the same object as now."""
        self._watches.setdefault((id(owner), name), (owner, name, getattr(owner, name)))

    def use(self, tensor: TensorBase) -> None:
        """Rely on a tensor's array and on whether it requires a gradient, if it outlives the function."""
        self._tensors.setdefault(id(tensor), weakref.ref(tensor))

    def clear_gradient(self, leaf: TensorBase) -> None:
        """Note that the function itself sets the gradient of a leaf to None: what it was before does not matter."""
        self._cleared.add(id(leaf))
        self._leaves[id(leaf)] = leaf

    def use_gradient(self, leaf: TensorBase) -> None:
        """Rely on the gradient that a leaf has now, unless the function made it."""
        if id(leaf) not in self._cleared:
            self.watch(leaf, "_grad")
            self._cleared.add(id(leaf))
        self._leaves[id(leaf)] = leaf

    def refresh(self, owner: Any, function: Callable[[], None]) -> None:
        """Call a function before each replay, once for each owner."""
        self._refreshers[id(owner)] = function

    def state(self) -> State:
        """Return what the recording relies on, once the function's own tensors are gone."""
        for reference in self._tensors.values():
            tensor = reference()
            if tensor is not None:
                self.watch(tensor, "data")
                self.watch(tensor, "requires_grad")
        gradients = [(leaf, leaf.grad) for leaf in self._leaves.values()]
        return State(list(self._watches.values()), gradients, list(self._refreshers.values()))
