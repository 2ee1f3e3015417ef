"""What looks on while operations run: a recording, which notes what a replay relies on, or others.

An observer is told of modules that are called, of operations and their gradients, and of optimizer steps. There is one
at a time on a thread, and where there is none, that is one comparison an operation.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnative import _native

if TYPE_CHECKING:
    from nnative.autograd import Array, Function, TensorBase
    from nnative.nn.module import Module
    from nnative.optim.optimizer import Optimizer
    from nnative.tensor import Tensor


class _Hooks:
    """Which hooks there are on modules, as an object to compare: another one when they change."""

    __slots__ = ("version",)  # as all attributes that a replay compares before each step

    def __init__(self) -> None:
        self.version: object = None


hooks = _Hooks()


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


class Stale(Exception):
    """Raised by a refresher: the options have changed so much that the recording no longer holds."""


class Observer:
    """Looks on while operations run within its ``with`` block; a subclass overrides what it wants to know."""

    def __enter__(self) -> Any:
        if state.recording is not None:
            raise RuntimeError(
                f"[{type(self).__name__}] a step is being recorded: look on around its calls, not within"
            )
        self._before, state.observer = state.observer, self
        return self

    def __exit__(self, *_: object) -> None:
        state.observer = self._before

    def enter(self, module: Module) -> None:
        """Take note of a module that is called."""

    def leave(self, module: Module, output: Any) -> None:
        """Take note of what a module returned; of None when it raised."""

    def note(self, node: Function, inputs: Sequence[TensorBase], arrays: Sequence[Any], result: Tensor) -> None:
        """Take note of an operation: its tensors, all its arguments as arrays, what it returned."""

    def gradient(self, node: Function, tensor: TensorBase, gradient: Array, arrived: Array) -> None:
        """Take note of the gradient of an argument, computed from the one that arrived for the result."""

    def step(self, optimizer: Optimizer) -> None:
        """Take note of an optimizer that is about to update."""


class ModuleObserver(Observer):
    """An observer that knows which modules are being called, outermost first, by their paths in the outermost."""

    def __init__(self) -> None:
        self.path: list[tuple[Module, str]] = []

    def enter(self, module: Module) -> None:
        """Find the module's name within the one that calls it."""
        place = ""
        if self.path:
            caller, place = self.path[-1]
            name = next((n for n, m in caller.named_modules() if m is module), type(module).__name__)
            place = f"{place}.{name}" if place else name
        self.path.append((module, place))

    def leave(self, module: Module, output: Any) -> None:
        """Go back to the module that called."""
        self.path.pop()


# Of this thread: `observer`, and `recording`, which is the observer if that is one. Read directly where a function call
# would count.
state = _native.thread_state


def reads_value(name: str) -> None:
    """Raise RuntimeError while a recording is under way: what a program does with a value, a replay cannot follow."""
    if state.recording is not None:
        raise RuntimeError(
            f"[compile] {name} reads a value while a step is recorded: a replay would not see other values. "
            "Return the tensor from the step and read it outside"
        )


class Recording(Observer):
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
        super().__enter__()
        state.recording = self
        self.native.start()
        return self

    def __exit__(self, *_: object) -> None:
        state.recording = None
        super().__exit__()
        self.native.stop()

    def enter(self, module: Module) -> None:
        """Rely on the module's mode, and on the hooks that there are."""
        self.watch(module, "training")
        self.watch(hooks, "version")

    def watch(self, owner: Any, name: str) -> None:
        """Rely on an attribute being the same object as now."""
        self._watches.setdefault((id(owner), name), (owner, name, getattr(owner, name)))

    def use(self, tensor: TensorBase) -> None:
        """Rely on a tensor's array and on whether it requires a gradient, if it outlives the function."""
        self._tensors.setdefault(id(tensor), weakref.ref(tensor))

    def note(self, node: Function, inputs: Sequence[TensorBase], arrays: Sequence[Any], result: Tensor) -> None:
        """Note the tensors that an operation took; RuntimeError if NumPy computed its result."""
        for tensor in inputs:
            if tensor._node is None:
                self.use(tensor)
        self.check(type(node).__name__, result._data, arrays)

    def gradient(self, node: Function, tensor: TensorBase, gradient: Array, arrived: Array) -> None:
        """Raise RuntimeError if NumPy computed a gradient."""
        self.check(f"{type(node).__name__}.backward", gradient, (arrived, *node.saved_tensors))

    def step(self, optimizer: Optimizer) -> None:
        """Rely on the optimizer's parameters and state."""
        optimizer._note(self)

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
