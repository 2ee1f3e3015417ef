"""The tape: which operation made a tensor, and the walk that turns a loss into gradients.

An operation is a subclass of `Function`. Applying it to tensors runs ``forward`` on their arrays and, while gradients
are on, keeps the instance as the node of the tape that made the result. `TensorBase.backward` visits the nodes once each, in
reverse topological order, and adds up what arrives at the leaves.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nnative.tensor import Tensor

Array: TypeAlias = NDArray[Any]


class _GradMode(threading.local):
    enabled = True


_mode = _GradMode()


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded on the tape."""
    return _mode.enabled


@contextlib.contextmanager
def set_grad_enabled(enabled: bool) -> Iterator[None]:
    """Switch the tape on or off within a ``with`` block or a decorated function, for this thread."""
    before, _mode.enabled = _mode.enabled, enabled
    try:
        yield
    finally:
        _mode.enabled = before


def no_grad() -> contextlib.AbstractContextManager[None]:
    """Switch the tape off within a ``with`` block or, as a decorator, a function."""
    return set_grad_enabled(False)


def enable_grad() -> contextlib.AbstractContextManager[None]:
    """Switch the tape on within a ``with`` block or, as a decorator, a function."""
    return set_grad_enabled(True)


class TensorBase:
    """An array with its gradient and the node that made it; `nnative.Tensor` adds the operators."""

    __slots__ = ("__weakref__", "_grad", "_node", "data", "requires_grad")

    def __init__(self, data: Array, requires_grad: bool = False) -> None:
        self.data = data
        self.requires_grad = requires_grad
        self._grad: Array | None = None
        self._node: Function | None = None

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self._node is None

    @property
    def grad(self) -> Array | None:
        """The gradient that `backward` accumulated, of the data's shape and dtype, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Array | TensorBase | None) -> None:
        if value is not None:
            value = value.data if isinstance(value, TensorBase) else value
            if not isinstance(value, np.ndarray) or value.shape != self.data.shape or value.dtype != self.data.dtype:
                got = f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
                raise ValueError(f"[grad] expected {self.data.dtype} of shape {self.data.shape}, got {got}")
            value = np.asarray(value, order="C")
        self._grad = value

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
        if not self.requires_grad:
            raise RuntimeError("[backward] this tensor does not require a gradient: nothing was recorded")
        _backward(self, _seed(self, gradient), retain_graph)


def _seed(root: TensorBase, gradient: Array | TensorBase | None) -> Array:
    if gradient is None:
        if root.data.size != 1:
            raise RuntimeError(
                f"[backward] a gradient is needed for a tensor of shape {root.data.shape}: only a tensor of one element has 1 by default"
            )
        return np.ones_like(root.data)
    array = gradient.data if isinstance(gradient, TensorBase) else np.asarray(gradient)
    if array.shape != root.data.shape or array.dtype != root.data.dtype:
        raise ValueError(
            f"[backward] expected a gradient of {root.data.dtype} and shape {root.data.shape}, got {array.dtype} and shape {array.shape}"
        )
    return np.asarray(array, order="C")


class Function:
    """One differentiable operation: subclass it, write ``forward`` and ``backward``, call ``apply``.

    ``forward(ctx, *args)`` gets arrays where `apply` got tensors and returns an array. ``backward(ctx, grad)`` gets the
    gradient of the loss with respect to that result and returns one gradient for each argument of ``forward`` (None
    where there is none; without a tuple if there is one argument). ``ctx`` carries what backward needs.

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

    # Whether backward returns arrays that nothing else refers to, so that a leaf may keep them without a copy.
    returns_fresh = False

    inputs: tuple[TensorBase | None, ...] | None
    needs_input_grad: tuple[bool, ...] = ()
    saved_tensors: tuple[Any, ...] = ()

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

    @classmethod
    def apply(cls, *args: Any) -> Tensor:
        """Run the operation and, while gradients are on, put it on the tape."""
        ctx = cls()
        inputs = tuple([a if isinstance(a, TensorBase) else None for a in args])
        needs = tuple([a is not None and a.requires_grad for a in inputs])
        ctx.needs_input_grad = needs
        data = cls.forward(ctx, *[a.data if isinstance(a, TensorBase) else a for a in args])
        result = _tensor_type(data)
        if _mode.enabled and True in needs:
            result.requires_grad = True
            result._node = ctx
            ctx.inputs = inputs
        return result  # type: ignore[return-value]


_tensor_type: type[TensorBase] = TensorBase


def set_tensor_type(cls: type[TensorBase]) -> None:
    """Name the class of results; `nnative.tensor` calls it once."""
    global _tensor_type
    _tensor_type = cls


def _topological_order(root: TensorBase) -> list[Function]:
    """Nodes that lead to the root, each after all nodes it depends on."""
    order: list[Function] = []
    seen: set[int] = set()
    stack: list[tuple[Function, bool]] = [(root._node, False)] if root._node is not None else []
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            if node.inputs is None:
                raise RuntimeError(
                    f"[backward] the graph through {type(node).__name__} was already walked and freed; "
                    "compute the loss again, or pass retain_graph=True the first time"
                )
            stack.append((node, True))
            stack.extend((t._node, False) for t in node.inputs if t is not None and t._node is not None)
    return order


def _backward(root: TensorBase, gradient: Array, retain_graph: bool) -> None:
    if root._node is None:
        _accumulate(root, gradient, fresh=False)
        return
    arrived: dict[int, Array] = {id(root._node): gradient}
    for node in reversed(_topological_order(root)):
        grad = arrived.pop(id(node), None)
        assert node.inputs is not None
        if grad is not None:
            grads = node.backward(node, grad)
            if not isinstance(grads, tuple):
                grads = (grads,)
            if len(grads) != len(node.inputs):
                raise RuntimeError(
                    f"[{type(node).__name__}] backward returned {len(grads)} gradients for {len(node.inputs)} arguments"
                )
            for tensor, g in zip(node.inputs, grads, strict=True):
                if g is None or tensor is None or not tensor.requires_grad:
                    continue
                if g.shape != tensor.data.shape:
                    raise RuntimeError(
                        f"[{type(node).__name__}] backward returned a gradient of shape {g.shape} for an argument of shape {tensor.data.shape}"
                    )
                if tensor._node is None:
                    _accumulate(tensor, g, node.returns_fresh)
                else:
                    key = id(tensor._node)
                    before = arrived.get(key)
                    arrived[key] = g if before is None else before + g
        if not retain_graph:
            node.inputs = None
            node.saved_tensors = ()


def _accumulate(leaf: TensorBase, gradient: Array, fresh: bool) -> None:
    if leaf._grad is not None:
        leaf._grad = leaf._grad + gradient
    else:
        leaf._grad = gradient if fresh else gradient.astype(leaf.data.dtype, copy=True)
