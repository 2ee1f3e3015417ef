"""Loading values into the tensors of a module: all of them, or none and a full account of what does not fit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nnative.autograd import Array
from nnative.tensor import Tensor


class LoadResult(NamedTuple):
    """The names in which a module and a state_dict differ."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load_entries(module: str, targets: dict[str, Tensor], state: dict[str, Any], strict: bool) -> LoadResult:
    """Copy the entries of ``state`` into the tensors of their names; see Module.load_state_dict."""
    if not hasattr(state, "keys"):
        raise TypeError(f"[load_state_dict] expected a dict of arrays by name, got {type(state).__name__}")
    missing = [name for name in targets if name not in state]
    unexpected = [name for name in state if name not in targets]
    problems = []
    if strict and missing:
        problems.append("missing: " + ", ".join(missing))
    if strict and unexpected:
        problems.append("unexpected: " + ", ".join(map(str, unexpected)))
    values = {}
    for name in targets:
        if name in state:
            # PyTorch's parameters convert to arrays only when detached.
            entry = state[name].detach() if hasattr(state[name], "detach") else state[name]
            values[name] = np.asarray(entry)
            problems += _misfits(name, targets[name].data, values[name])
    if problems:
        raise ValueError(
            f"[load_state_dict] the entries do not fit {module}, nothing was loaded\n  " + "\n  ".join(problems)
        )
    for name, value in values.items():
        targets[name].data[...] = value
    return LoadResult(missing, unexpected)


def _misfits(name: str, target: Array, value: Array) -> list[str]:
    if value.shape != target.shape:
        return [f"{name}: expected shape {target.shape}, got {value.shape}"]
    if value.dtype != target.dtype:
        return [f"{name}: expected {target.dtype}, got {value.dtype}"]
    if not target.flags.writeable:
        return [f"{name}: expected an array that can be written, it is read-only"]
    return []
