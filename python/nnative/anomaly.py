"""detect_anomaly: the first NaN or infinity of a training step, by the operation and the layer that made it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnative.recording import ModuleObserver

if TYPE_CHECKING:
    from nnative.autograd import Array, Function, TensorBase
    from nnative.optim.optimizer import Optimizer
    from nnative.tensor import Tensor


class AnomalyError(RuntimeError):
    """An operation returned NaN or infinity.

    Attributes
    ----------
    operation
        The name of the operation's class, with ``.backward`` for a gradient.
    layer
        The path of the module that ran it, such as ``Sequential.2 (Linear)``; empty outside of modules.
    step
        1 + the number of optimizer steps since the ``with`` block began.
    """

    def __init__(self, operation: str, layer: str, step: int, message: str) -> None:
        super().__init__(message)
        self.operation = operation
        self.layer = layer
        self.step = step


class detect_anomaly(ModuleObserver):
    """Within its ``with`` block, raise at the first operation that returns NaN or infinity, forward or backward.

    The error names the operation, the layer, the step and the range of the inputs. Recorded steps run eagerly within
    the block, with the same bits, so that every operation is seen; ``step.epoch`` too. It costs a look at every result:
    switch it on to find a fault, or around a few steps. Only operations of this thread are seen.

    Parameters
    ----------
    check_nan, check_inf
        What to look for.

    Raises
    ------
    AnomalyError
        (a RuntimeError) at the first such value.

    Examples
    --------
    >>> import nnative
    >>> x = nnative.tensor([1.0, -4.0])
    >>> with nnative.detect_anomaly():
    ...     nnative.sqrt(x)
    Traceback (most recent call last):
    nnative.anomaly.AnomalyError: [detect_anomaly] Sqrt returned 1 NaN in 2 values, in step 1
      x: float32 of shape (2,) from -4 to 1
    """

    def __init__(self, check_nan: bool = True, check_inf: bool = True) -> None:
        self._check_nan = check_nan
        self._check_inf = check_inf
        super().__init__()
        self._steps = 0

    def __enter__(self) -> detect_anomaly:
        self.path, self._steps = [], 0
        super().__enter__()
        return self

    def step(self, optimizer: Optimizer) -> None:
        """Count the step."""
        self._steps += 1

    def note(self, node: Function, inputs: Sequence[TensorBase], arrays: Sequence[Any], result: Tensor) -> None:
        """Look at a result, and note the layer of the operation for its backward pass."""
        layer = ""
        if self.path:
            module, place = self.path[-1]
            root = type(self.path[0][0]).__name__
            layer = f"{root}.{place} ({type(module).__name__})" if place else root
        node.__dict__["_layer"] = layer
        found = self._look(result._data)
        if found:
            named = {name: a for name, a in _named(node, arrays).items() if isinstance(a, np.ndarray)}
            self._fail(type(node).__name__, layer, f"returned {found}", named)

    def gradient(self, node: Function, tensor: TensorBase, gradient: Array, arrived: Array) -> None:
        """Look at a gradient."""
        found = self._look(gradient)
        if found:
            tensors = {name: a for name, a in _named(node, node.inputs or ()).items() if hasattr(a, "_data")}
            name = next(name for name, a in tensors.items() if a is tensor)
            values = {"the gradient that arrived": arrived} | {name: a._data for name, a in tensors.items()}
            layer = node.__dict__.get("_layer", "")
            self._fail(f"{type(node).__name__}.backward", layer, f"returned {found} as the gradient of {name}", values)

    def _look(self, values: Array) -> str:
        """Count what is looked for; an empty string where there is none."""
        if values.dtype.kind != "f" or bool(np.isfinite(values).all()):
            return ""
        counts = {}
        if self._check_nan:
            counts["NaN"] = int(np.isnan(values).sum())
        if self._check_inf:
            counts["inf"] = int(np.isinf(values).sum())
        found = " and ".join(f"{n} {name}" for name, n in counts.items() if n)
        return found and f"{found} in {values.size} values"

    def _fail(self, operation: str, layer: str, text: str, arrays: dict[str, Array]) -> None:
        step = self._steps + 1
        place = f", layer {layer}" if layer else ""
        lines = [f"  {name}: {a.dtype} of shape {a.shape} {_range(a)}" for name, a in arrays.items()]
        head = f"[detect_anomaly] {operation} {text}{place}, in step {step}"
        raise AnomalyError(operation, layer, step, "\n".join([head, *lines]))


def _named(node: Function, arguments: Sequence[Any]) -> dict[str, Any]:
    """Return the arguments of an operation by the names that its ``forward`` gives them."""
    forward = type(node).forward
    code = getattr(forward, "__code__", None)  # which compiled functions do not have
    skipped = 2 if hasattr(forward, "__self__") else 1  # ctx, and before it the class of a class method
    names = code.co_varnames[skipped : code.co_argcount] if code is not None else ()
    return {names[i] if i < len(names) else f"argument {i}": a for i, a in enumerate(arguments)}


def _range(values: Array) -> str:
    """Return the range of the finite values in words, and whether there are others."""
    finite = values[np.isfinite(values)]
    text = f"from {finite.min():.6g} to {finite.max():.6g}" if finite.size else "without a finite value"
    others = values.size - finite.size
    return f"{text}, {others} of {values.size} not finite" if others and finite.size else text
