"""The Python side of a recording: which objects it relies on, so that a replay knows whether it still holds."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from nnative.autograd import Array, TensorBase


class Refresher(NamedTuple):
    """A function to call before a replay when one of the named items of a dict has changed."""

    function: Callable[[], object]
    options: dict[str, Any]
    names: tuple[str, ...]


class State(NamedTuple):
    """What a finished recording relies on."""

    watches: list[tuple[Any, str, Any]]  # owner, attribute, the value that it must keep
    gradients: list[tuple[TensorBase, Array | None]]  # what `grad` is after a replay
    refreshers: list[Refresher]  # run before a replay when their options have changed


class _Active(threading.local):
    recording: Recording | None = None


# Read directly where a function call would count.
state = _Active()


def active() -> Recording | None:
    """Return the recording under way on this thread, if any."""
    return state.recording


def reads_value(name: str) -> None:
    """Raise RuntimeError while a recording is under way: what a program does with a value, a replay cannot follow."""
    if state.recording is not None:
        raise RuntimeError(
            f"[compile] {name} reads a value while a step is recorded: a replay would not see other values. "
            "Return the tensor from the step and read it outside"
        )


class Recording:
    """Collects, within a ``with`` block, what the recorded function relies on."""

    def __init__(self, native: Any) -> None:
        self.native = native
        self._tensors: dict[int, weakref.ref[TensorBase]] = {}
        self._watches: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self._cleared: set[int] = set()
        self._leaves: dict[int, TensorBase] = {}
        self._refreshers: dict[int, Refresher] = {}
        self.labels: Array | None = None

    def __enter__(self) -> Recording:
        state.recording = self
        self.native.start()
        return self

    def __exit__(self, *_: object) -> None:
        state.recording = None
        self.native.stop()

    def watch(self, owner: Any, name: str) -> None:
        """Rely on an attribute being the same object as now."""
        self._watches.setdefault((id(owner), name), (owner, name, getattr(owner, name)))

    def use(self, tensor: TensorBase) -> None:
        """Rely on a tensor's array and on whether it requires a gradient, if it outlives the function."""
        self._tensors.setdefault(id(tensor), weakref.ref(tensor))

    def note(self, operation: str, inputs: Sequence[TensorBase], arrays: Sequence[Any], result: Array) -> None:
        """Note the tensors that an operation took; RuntimeError if NumPy computed its result."""
        for tensor in inputs:
            if tensor._node is None:
                self.use(tensor)
        self.check(operation, result, arrays)

    def check(self, operation: str, result: Array, arrays: Sequence[Any]) -> None:
        """Raise RuntimeError for a result that neither a recorded kernel wrote nor one of the arrays has in it."""
        if result.size and not self.native.knows(result):
            if any(isinstance(a, np.ndarray) and np.may_share_memory(a, result) for a in arrays):
                return
            raise RuntimeError(
                f"[compile] {operation} computes in NumPy while a step is recorded: a replay would not compute it again"
            )

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

    def refresh(self, function: Callable[[], object], options: dict[str, Any], names: tuple[str, ...]) -> None:
        """Call a function before a replay when one of the named options has changed."""
        self._refreshers[id(options)] = Refresher(function, options, names)

    def bad_labels(self) -> Array:
        """Return where replays note a class index out of range: its place in the target plus one, and the index."""
        if self.labels is None:
            self.labels = np.zeros(2, np.int64)
        return self.labels

    def state(self) -> State:
        """Return what the recording relies on, once the function's own tensors are gone."""
        for reference in self._tensors.values():
            tensor = reference()
            if tensor is not None:
                self.watch(tensor, "_data")
                self.watch(tensor, "_requires_grad")
        gradients = [(leaf, leaf.grad) for leaf in self._leaves.values()]
        return State(list(self._watches.values()), gradients, list(self._refreshers.values()))
