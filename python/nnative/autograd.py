"""The tape: which operation made a tensor, and the walk that turns a loss into gradients.

An operation is a subclass of `Function`. Applying it to tensors runs ``forward`` on their arrays and, while gradients
are on, keeps the instance as the node of the tape that made the result. `TensorBase.backward` visits the nodes once
each, latest first, and adds up what arrives at the leaves. What is done for every operation and every gradient is in
cpp/bindings/bind_tape.cpp.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nnative import _native
from nnative.recording import hooks as registry
from nnative.recording import state as recording_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from nnative.tensor import Tensor

Array: TypeAlias = "NDArray[Any]"  # numpy.typing takes 3 ms to import

_FLOATS = (np.dtype("float32"), np.dtype("float64"))


class TensorBase:
    """An array with its gradient and the node that made it; `nnative.Tensor` adds the operators."""

    __slots__ = ("__weakref__", "_data", "_grad", "_node", "_requires_grad")

    _data: Array
    _grad: Array | None
    _node: Function | None
    _requires_grad: bool

    def _set_data(self, value: Array | TensorBase) -> None:
        array = value._data if isinstance(value, TensorBase) else value
        if not isinstance(array, np.ndarray):
            raise TypeError(f"[data] expected an array, got {type(value).__name__}")
        if self._requires_grad and array.dtype not in _FLOATS:
            raise TypeError(f"[data] a tensor that requires a gradient is float32 or float64, got {array.dtype}")
        self._data = _plain(array)

    # attrgetter, since reading `data` is the most frequent thing done to a tensor and it runs in C.
    data = property(operator.attrgetter("_data"), _set_data, doc="The C-contiguous ndarray that holds the values.")

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded, so that `backward` reaches it."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self._data.dtype not in _FLOATS:
            raise TypeError(
                f"[requires_grad] only float32 and float64 tensors can require a gradient, got {self._data.dtype}"
            )
        if not value and self._node is not None:
            raise RuntimeError("[requires_grad] the result of an operation cannot be switched off: use detach()")
        self._requires_grad = bool(value)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self._node is None

    @property
    def grad(self) -> Array | None:
        """The gradient that `backward` accumulated, of the data's shape and dtype, or None."""
        recording = recording_state.recording
        if recording is not None:
            recording.use_gradient(self)
        return self._grad

    @grad.setter
    def grad(self, value: Array | TensorBase | None) -> None:
        recording = recording_state.recording
        if recording is not None:
            recording.clear_gradient(self)
        self._grad = None if value is None else _like(self, value, "[grad] expected")

    def backward(self, gradient: Array | TensorBase | None = None, retain_graph: bool = False) -> None:
        """Accumulate d(self)/d(leaf) into ``leaf.grad`` for every leaf that requires a gradient.

        Parameters
        ----------
        gradient
            The vector of the vector-Jacobian product, of this tensor's shape and dtype; 1 for a tensor of one element.
        retain_graph
            Keep what the operations saved, so that `backward` can run through them again.

        Raises
        ------
        RuntimeError
            When nothing was recorded, or when the graph was already walked and freed.
        """
        if not self._requires_grad:
            raise RuntimeError("[backward] this tensor does not require a gradient: nothing was recorded")
        if gradient is not None:
            seed = _like(self, gradient, "[backward] expected a gradient of")
        elif self._data.size == 1:
            seed = _native.full(self._data.shape, 1.0, self._data.dtype)
        else:
            raise RuntimeError(
                f"[backward] a gradient is needed for a tensor of shape {self._data.shape}: "
                "only a tensor of one element has 1 by default"
            )
        _backward(self, seed, retain_graph)


def _like(tensor: TensorBase, value: Array | TensorBase, expected: str) -> Array:
    """Return the array of ``value`` if it has the tensor's shape and dtype."""
    data = tensor._data
    array = value._data if isinstance(value, TensorBase) else value
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{expected} {data.dtype} and shape {data.shape}, got {type(value).__name__}")
    if array.shape != data.shape or array.dtype != data.dtype:
        raise ValueError(f"{expected} {data.dtype} and shape {data.shape}, got {array.dtype} and shape {array.shape}")
    return _plain(array)


def _plain(array: Array) -> Array:
    """Return the array, or a copy of one that is not C-contiguous and aligned."""
    array = np.asarray(array, order="C")
    return array if array.flags.aligned else array.copy()


class Function:
    """One differentiable operation: subclass it, write ``forward`` and ``backward``, call ``apply``.

    ``forward(ctx, *args)`` gets arrays where `apply` got tensors and returns an array. ``backward(ctx, grad)`` gets the
    gradient of the loss with respect to that result and returns one gradient for each argument of ``forward`` (None
    where there is none; without a tuple if there is one argument). ``ctx`` carries what backward needs;
    ``ctx.needs_input_grad`` says of each argument whether it is a tensor that requires a gradient.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> class Cube(nnative.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return grad * 3 * x**2
    >>> x = nnative.Tensor(np.array([2.0]), requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    array([12.])
    """

    # Whether what backward returns is either the gradient that it got or an array that nothing else refers to, so that
    # a leaf may keep it without a copy.
    returns_fresh = False

    inputs: tuple[Any, ...] | None  # the arguments of `apply`; None once the graph is freed
    needs_input_grad: list[bool]  # for each of them, whether it is a tensor that requires a gradient
    saved_tensors: tuple[Any, ...] = ()
    number: int  # counts nodes: an operation has a higher number than those that made its inputs
    hooks: Callable[[Array], Array] | None = None  # what `Tensor.register_hook` added to its result

    def save_for_backward(self, *arrays: Any) -> None:
        """Keep arrays for ``backward``, where they are ``ctx.saved_tensors``."""
        self.saved_tensors = arrays

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Array:
        """Compute the result from arrays."""
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        """Compute the gradient of each argument from the gradient of the result."""
        raise NotImplementedError

    if TYPE_CHECKING:

        @classmethod
        def apply(cls, *args: Any) -> Tensor:
            """Run the operation and, while gradients are on, put it on the tape."""

    else:
        apply = classmethod(_native.apply)


def wrap(data: Array) -> Tensor:
    """Return a tensor of a C-contiguous array, which is shared and not checked."""
    tensor: Tensor = _native.wrap(data)
    return tensor


def set_tensor_type(cls: type[TensorBase]) -> None:
    """Name the class of results; `nnative.tensor` calls it once."""
    _native.set_tape(TensorBase, cls, _as_array, _gradient_of, _accumulate, leaf_hooks, _native.add)


def _as_array(value: Any, cls: type[Function], method: str) -> Array:
    """Return a C-contiguous ndarray for what a method returned: a NumPy scalar or any ndarray."""
    if not isinstance(value, np.ndarray | np.generic):
        raise TypeError(f"[{cls.__name__}] {method} must return an ndarray, got {type(value).__name__}")
    return np.asarray(value, order="C")


def _gradient_of(data: Array, value: Any, cls: type[Function]) -> Array:
    """Return what backward returned for an argument as an array of its shape and dtype, or raise."""
    g = _as_array(value, cls, "backward")
    if g.shape != data.shape or g.dtype != data.dtype:
        raise RuntimeError(
            f"[{cls.__name__}] backward returned a gradient of {g.dtype} and shape {g.shape} "
            f"for an argument of {data.dtype} and shape {data.shape}"
        )
    return g


def leaves(root: TensorBase) -> list[TensorBase]:
    """Return the tensors that `backward` from here would give a gradient."""
    if root._node is None:
        return [root] if root._requires_grad else []
    found = {
        id(tensor): tensor
        for node in _native.nodes(root._node)
        for tensor in node.inputs or ()
        if isinstance(tensor, TensorBase) and tensor._node is None and tensor._requires_grad
    }
    return list(found.values())


# The hooks of leaves by their ids: callables with the leaf as `tensor()`.
leaf_hooks: dict[int, Any] = {}


def _backward(root: TensorBase, gradient: Array, retain_graph: bool) -> None:
    if recording_state.recording is not None:
        recording_state.recording.watch(registry, "version")
    if root._node is None:
        hooks = leaf_hooks.get(id(root))
        _accumulate(root, gradient if hooks is None else hooks(gradient), fresh=False)
        return
    # Hooks refer to their leaves weakly, and the walk frees what else may keep them.
    kept = leaves(root) if leaf_hooks else []
    arrived: dict[Any, Array] = {root._node: gradient}
    shared = {root._node}  # nodes whose gradient something else may refer to
    for node in _native.nodes(root._node):
        grad = arrived.pop(node, None)
        if grad is not None:
            if node.hooks is not None:
                grad = node.hooks(grad)
                shared.add(node)
            _native.step_back(node, grad, arrived, shared)
        if not retain_graph:
            node.inputs = None
            node.saved_tensors = ()
    for hooks, grad in arrived.items():
        _accumulate(hooks.tensor(), hooks(grad), fresh=False)
    del kept


def _accumulate(leaf: TensorBase, gradient: Array, fresh: bool) -> None:
    recording = recording_state.recording
    if recording is not None:
        recording.use_gradient(leaf)
    if leaf._grad is None:
        leaf._grad = gradient if fresh else _native.copy(gradient)
    elif leaf._grad.flags.writeable:
        _native.accumulate(leaf._grad, gradient)
    else:
        leaf._grad = _native.add(leaf._grad, gradient)
