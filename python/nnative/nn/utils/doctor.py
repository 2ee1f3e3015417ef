"""doctor: what a batch does in each layer, on the way forward and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnative.autograd import Array, TensorBase, leaves
from nnative.grad_mode import enable_grad
from nnative.nn import functional
from nnative.nn.utils.table import table
from nnative.random import default_generator
from nnative.recording import ModuleObserver
from nnative.tensor import Tensor

if TYPE_CHECKING:
    from nnative.autograd import Function
    from nnative.nn.module import Module

# Units whose output is 0 (of Threshold: its value) pass no gradient on.
_DYING = ("ReLU", "ReLU6", "Threshold", "Hardswish", "Hardshrink", "Softshrink")
# Ends of the range where the slope is nearly 0; where units die, only the upper end counts.
_LIMITS = {
    "Sigmoid": (0.0, 1.0),
    "Hardsigmoid": (0.0, 1.0),
    "Tanh": (-1.0, 1.0),
    "Softsign": (-1.0, 1.0),
    "ReLU6": (0.0, 6.0),
}
# Activations with numbers that decide, by the names of these in the layer, in the order of the function.
_NUMBERS = {"Hardtanh": ("min_val", "max_val"), "Threshold": ("threshold", "value")}
_NEAR = 0.01  # of the range: the derivative of sigmoid and tanh is there below 4 % of its largest


class Layer(NamedTuple):
    """What `doctor` found in one layer."""

    name: str  # its path in the model; an activation that is a function has the path of its module and its own name
    kind: str
    shape: tuple[int, ...]  # of its output
    mean: float
    std: float
    norm: float  # of its output, √Σy²
    dead: float | None  # share of units that are 0 for the whole batch; None where such units can live
    saturated: float | None  # share of values within 1 % of an end of the activation's range; None for other layers
    gradient_norm: float  # of the loss with respect to its output
    weight_norm: float | None  # of its parameters
    weight_gradient_norm: float | None  # of the loss with respect to them


class Diagnosis(NamedTuple):
    """The result of `doctor`: ``str`` gives a table, ``layers`` the data, and ``[name]`` one layer's."""

    loss: float
    layers: list[Layer]

    def __getitem__(self, key: Any) -> Any:
        """Return the layer of a name; KeyError for none."""
        if not isinstance(key, str):
            return tuple.__getitem__(self, key)
        for layer in self.layers:
            if layer.name == key:
                return layer
        raise KeyError(f"[doctor] expected one of {[layer.name for layer in self.layers]}, got {key!r}")

    def __str__(self) -> str:
        head = [
            "layer",
            "kind",
            "output",
            "mean",
            "std",
            "norm",
            "dead",
            "saturated",
            "gradient",
            "weight",
            "w. gradient",
        ]
        rows = []
        for layer in self.layers:
            shares = ["" if s is None else f"{s:.0%}" for s in (layer.dead, layer.saturated)]
            figures = [_short(v) for v in (layer.mean, layer.std, layer.norm)]
            norms = [_short(v) for v in (layer.gradient_norm, layer.weight_norm, layer.weight_gradient_norm)]
            rows.append([layer.name, layer.kind, str(layer.shape), *figures, *shares, *norms])
        return f"{table(head, rows, left=3)}\nloss {self.loss:.6g}"


def doctor(model: Module, x: Any, y: Any, loss: Callable[[Any, Any], Tensor] | None = None) -> Diagnosis:
    """Run one batch forward and backward and report, for each layer, what helps to see why a network does not learn.

    The model is afterwards as it was: gradients, running statistics and the random numbers to come. It is examined in
    the mode that it is in. Activations that are functions in a module's ``forward`` are reported too.

    Parameters
    ----------
    model
        The network.
    x, y
        A batch: inputs, and targets for the loss.
    loss
        A function of output and targets; by default cross-entropy for integer targets and the mean squared error for
        others.

    Returns
    -------
    Diagnosis
        ``layers`` in the order of their first calls, each with mean, standard deviation and norm of its output, the
        norm of the gradient with respect to it, norms of its parameters and their gradients, the share of ``dead``
        units (of ReLU, ReLU6, Hardswish, Threshold and the shrinkages, that are 0 for the whole batch) and of
        ``saturated`` values (of sigmoid, tanh, softsign and their hard forms, within 1 % of an end of their range).
        ``str`` gives a table.

    References
    ----------
    X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative import nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> _ = nn.init.constant_(model[0].bias, -100.0)  # far too low
    >>> report = nn.utils.doctor(model, np.ones((16, 4), np.float32), np.zeros(16, np.int64))
    >>> report["1"].dead, report["0"].gradient_norm
    (1.0, 0.0)
    """
    inputs, targets = (v if isinstance(v, TensorBase) else Tensor(v) for v in (x, y))
    kept = [(b, b.data.copy()) for b in model.buffers()]
    stream = default_generator.get_state()
    gradients: list[tuple[TensorBase, Array | None]] = []
    try:
        with enable_grad(), _Examination() as examination:
            output = model(inputs)
            value = _loss(output, targets) if loss is None else loss(output, targets)
            gradients = [(leaf, leaf._grad) for leaf in leaves(value)]
            for leaf, _ in gradients:
                leaf._grad = None
            value.backward()
            return Diagnosis(float(value.data), [_layer(found) for found in examination.found.values()])
    finally:
        for leaf, gradient in gradients:
            leaf._grad = gradient
        for buffer, values in kept:
            buffer.data[...] = values
        default_generator.set_state(stream)


def _loss(output: Any, targets: Any) -> Tensor:
    if targets.dtype.kind in "iu":
        return functional.cross_entropy(output, targets)
    return functional.mse_loss(output, targets)


class _Found:
    """A layer with its outputs and the gradients that came for them."""

    def __init__(self, name: str, kind: str, module: Module | None, numbers: tuple[float, ...]) -> None:
        self.name, self.kind, self.module, self.numbers = name, kind, module, numbers
        self.outputs: list[Array] = []
        self.gradients: dict[int, Array] = {}  # by call


class _Examination(ModuleObserver):
    """Keeps the outputs of layers and of activation functions, and the gradients of both."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[tuple[str, str], _Found] = {}
        self._places: dict[int, list[tuple[_Found, int]]] = {}  # by the node of the output
        self._kept: list[TensorBase] = []  # so that the numbers of nodes stay theirs

    def leave(self, module: Module, output: Any) -> None:
        """Keep the output of a layer: of a module without others in it."""
        _, place = self.path[-1]
        super().leave(module, output)
        if isinstance(output, TensorBase) and not _parts(module) and not _within(self.path):
            kind = type(module).__name__
            numbers = tuple(getattr(module, name) for name in _NUMBERS.get(kind, ()))
            self._keep(place, kind, module, output, numbers)

    def note(self, node: Function, inputs: Sequence[TensorBase], arrays: Sequence[Any], result: Tensor) -> None:
        """Keep the result of an activation that no layer stands for."""
        kind = type(node).__name__
        if kind in (*_DYING, *_LIMITS, *_NUMBERS) and self.path and _parts(self.path[-1][0]):
            place = self.path[-1][1]
            numbers = node.saved_tensors[1:] if kind in _NUMBERS else ()
            self._keep(f"{place}.{kind.lower()}" if place else kind.lower(), kind, None, result, numbers)

    def _keep(
        self, place: str, kind: str, module: Module | None, output: TensorBase, numbers: tuple[float, ...] = ()
    ) -> None:
        found = self.found.setdefault((place, kind), _Found(place, kind, module, numbers))
        self._kept.append(output)
        if output._node is not None:
            self._places.setdefault(id(output._node), []).append((found, len(found.outputs)))
        found.outputs.append(output._data)

    def gradient(self, node: Function, tensor: TensorBase, gradient: Array, arrived: Array) -> None:
        """Add up what arrives for an output."""
        self._arrive(tensor._node, gradient)

    def _arrive(self, node: Function | None, gradient: Array) -> None:
        for found, call in self._places.get(id(node), ()) if node is not None else ():
            before = found.gradients.get(call)
            found.gradients[call] = gradient.copy() if before is None else before + gradient


def _parts(module: Module) -> bool:
    """Whether a module consists of modules, apart from those that compute its parameters."""
    return any(name != "parametrizations" for name, _ in module.named_children())


def _within(path: list[tuple[Module, str]]) -> bool:
    """Whether a module is called by a layer: it computes its parameters."""
    return bool(path) and not _parts(path[-1][0])


def _layer(found: _Found) -> Layer:
    values = np.concatenate([output.reshape(-1) for output in found.outputs]).astype(np.float64)
    parameters = list(found.module.parameters()) if found.module is not None else []
    return Layer(
        name=found.name,
        kind=found.kind,
        shape=found.outputs[0].shape,
        mean=float(values.mean()) if values.size else math.nan,
        std=float(values.std()) if values.size else math.nan,
        norm=_norm([values]),
        dead=_dead(found),
        saturated=_saturated(found, values),
        gradient_norm=_norm(found.gradients.values()),
        weight_norm=_norm([p.data for p in parameters]) if parameters else None,
        weight_gradient_norm=_norm([p._grad for p in parameters if p._grad is not None]) if parameters else None,
    )


def _dead(found: _Found) -> float | None:
    if found.kind not in _DYING:
        return None
    floor = found.numbers[1] if found.kind == "Threshold" else 0
    alive = np.any([np.any(output != floor, axis=0) for output in found.outputs], axis=0)
    return 1.0 - float(np.mean(alive))


def _saturated(found: _Found, values: Array) -> float | None:
    limits = found.numbers if found.kind == "Hardtanh" else _LIMITS.get(found.kind)
    if limits is None:
        return None
    margin = _NEAR * (limits[1] - limits[0])
    low = values < (-math.inf if found.kind in _DYING else limits[0] + margin)
    return float(np.mean(low | (values > limits[1] - margin)))


def _norm(arrays: Any) -> float:
    return math.sqrt(sum(float(np.sum(np.square(a, dtype=np.float64))) for a in arrays))


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
