"""The multilayer perceptron of the command line: what describes it, and its file."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nnative import nn
from nnative.autograd import Array
from nnative.errors import DataError
from nnative.interop.safetensors import load_file, load_metadata, save_file

ACTIVATIONS = ("Identity", "ReLU", "LeakyReLU", "Sigmoid", "Tanh")
_FORMAT = "mlp-classifier"


@dataclass(frozen=True)
class MlpSpec:
    """Everything about a classifier but its weights.

    Inputs are flattened to rows and scaled, ``(x - mean) / std``, before the first layer.
    """

    sizes: tuple[int, ...]  # of the layers: inputs, hidden …, classes
    mean: float
    std: float
    classes: tuple[str, ...]
    activation: str = "ReLU"  # between the layers, a class of nnative.nn

    def build(self) -> Any:
        """Return the module, freshly initialised: `nn.Linear` layers with activations between them, giving logits."""
        layers: list[Any] = []
        for inputs, outputs in zip(self.sizes, self.sizes[1:], strict=False):
            layers += [nn.Linear(inputs, outputs), getattr(nn, self.activation)()]
        return nn.Sequential(*layers[:-1])

    def prepare(self, x: Array) -> Array:
        """Return (N, …) as scaled float32 rows (N, sizes[0])."""
        rows: Array = np.subtract(x.reshape(len(x), self.sizes[0]), np.float32(self.mean), dtype=np.float32)
        rows *= np.float32(1.0 / self.std)
        return rows


def save_mlp(model: Any, spec: MlpSpec, path: str | os.PathLike[str]) -> None:
    """Write weights and description to one safetensors file; DataError when that fails."""
    save_file(model.state_dict(), path, {"format": _FORMAT, **asdict(spec)})


def load_mlp(path: str | os.PathLike[str]) -> tuple[Any, MlpSpec]:
    """Rebuild a model that `save_mlp` wrote, in evaluation mode.

    Raises
    ------
    DataError
        When the file cannot be read, describes no such model, or its weights do not fit the description.
    """
    spec = _spec(load_metadata(path), os.fspath(path))
    weights = load_file(path)
    expected: dict[str, tuple[int, ...]] = {}
    for i, (inputs, outputs) in enumerate(zip(spec.sizes, spec.sizes[1:], strict=False)):
        expected |= {f"{2 * i}.weight": (outputs, inputs), f"{2 * i}.bias": (outputs,)}
    found = {name: array.shape for name, array in weights.items()}
    if found != expected:
        raise DataError(f"{os.fspath(path)}: expected weights {expected}, got {found}")
    if any(array.dtype != np.float32 for array in weights.values()):
        raise DataError(f"{os.fspath(path)}: expected weights of float32")
    model = spec.build()
    model.load_state_dict(weights)
    model.eval()
    return model, spec


def _spec(metadata: Mapping[str, Any], name: str) -> MlpSpec:
    if metadata.get("format") != _FORMAT:
        raise DataError(f"{name}: not a model that nnative train wrote: it has no description of one")
    try:
        spec = MlpSpec(
            sizes=tuple(metadata["sizes"]),
            mean=float(metadata["mean"]),
            std=float(metadata["std"]),
            classes=tuple(metadata["classes"]),
            activation=metadata["activation"],
        )
        sound = (
            len(spec.sizes) >= 2
            and all(isinstance(n, int) and n >= 1 for n in spec.sizes)
            and len(spec.classes) == spec.sizes[-1]
            and all(isinstance(c, str) for c in spec.classes)
            and spec.activation in ACTIVATIONS
            and math.isfinite(spec.mean)
            and math.isfinite(spec.std)
            and spec.std > 0
        )
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise DataError(f"{name}: its description of the model is broken")
    return spec
