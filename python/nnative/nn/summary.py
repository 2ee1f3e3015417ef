"""Module.summary: parameters and output shapes of all layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnative.grad_mode import no_grad
from nnative.nn.utils.table import table
from nnative.recording import ModuleObserver
from nnative.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from nnative.nn.module import Module

_BATCH = 2  # not 1, which other sizes are likelier to be


class Line(NamedTuple):
    """One layer of a summary."""

    name: str
    kind: str
    output_shape: tuple[Any, ...] | None  # "N" for the batch; None for a layer that is not called
    weights: int  # parameters of its own, shared ones only where they come first
    biases: int  # of these, those whose name begins with "bias" are counted here


class Summary(NamedTuple):
    """The result of `Module.summary`: ``str`` gives a table, ``lines`` and the counts are the data."""

    lines: list[Line]
    weights: int
    biases: int
    trainable: int

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return self.weights + self.biases

    def __str__(self) -> str:
        head = ["layer", "kind", "output", "weights", "biases"]
        rows = [
            [line.name, line.kind, _shape(line.output_shape), f"{line.weights:,}", f"{line.biases:,}"]
            for line in self.lines
        ]
        return (
            f"{table(head, rows, left=3)}\n{self.parameters:,} parameters: {self.weights:,} weights, {self.biases:,} "
            f"biases; {self.trainable:,} trainable"
        )


def _shape(shape: tuple[Any, ...] | None) -> str:
    return "" if shape is None else f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def summarize(model: Module, input_shape: Any, dtype: DTypeLike | None) -> Summary:
    """Run a model and count its parameters; see `Module.summary`."""
    shapes = input_shape if isinstance(input_shape, list) else [input_shape]
    for shape in shapes:
        if not isinstance(shape, tuple) or not all(isinstance(n, int | np.integer) and n >= 0 for n in shape):
            raise ValueError(f"[summary] expected the shape of one input as a tuple of sizes, got {shape!r}")
    wanted = next((p.dtype for p in model.parameters()), np.dtype(np.float32)) if dtype is None else np.dtype(dtype)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad(), _Shapes() as seen:
            model(*[Tensor(np.zeros((_BATCH, *shape), wanted)) for shape in shapes])
    finally:
        for module, training in modes:
            module.training = training
    return _collect(model, seen.shapes)


class _Shapes(ModuleObserver):
    """Notes the shape of each module's last output."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: dict[int, tuple[Any, ...]] = {}

    def leave(self, module: Module, output: Any) -> None:
        super().leave(module, output)
        if isinstance(output, Tensor):
            batch = ("N",) if output.shape[:1] == (_BATCH,) else output.shape[:1]
            self.shapes[id(module)] = (*batch, *output.shape[1:])


def _collect(model: Module, shapes: dict[int, tuple[Any, ...]]) -> Summary:
    """Return a line for each module that has parameters of its own or consists of no others."""
    lines, seen, trainable = [], set(), 0
    for name, module in model.named_modules():
        counts = [0, 0]
        for own, parameter in module.named_parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                counts[own.startswith("bias")] += parameter.numel()
                trainable += parameter.numel() if parameter.requires_grad else 0
        if any(counts) or not any(True for _ in module.children()):
            lines.append(Line(name, type(module).__name__, shapes.get(id(module)), *counts))
    return Summary(lines, sum(line.weights for line in lines), sum(line.biases for line in lines), trainable)
