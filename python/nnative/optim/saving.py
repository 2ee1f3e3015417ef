"""An optimizer's state in PyTorch's layout, and back."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array, TensorBase

Group = dict[str, Any]
State = dict[str, Any]


def pack(groups: list[Group], states: dict[TensorBase, State]) -> dict[str, Any]:
    """Return groups and states with parameters numbered in the order of the groups."""
    params = [p for group in groups for p in group["params"]]
    number = {id(p): i for i, p in enumerate(params)}
    public = {i: {k: v for k, v in states.get(p, {}).items() if k[0] != "_"} for i, p in enumerate(params)}
    return {
        "state": {i: state for i, state in public.items() if state},
        "param_groups": [group | {"params": [number[id(p)] for p in group["params"]]} for group in groups],
    }


def unpack(
    state_dict: dict[str, Any], groups: list[Group], init_state: Callable[[Group, Array], State]
) -> tuple[list[Group], dict[TensorBase, State]]:
    """Return copies of the groups' options and of the state of each parameter, cast and checked."""
    if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= set(state_dict):
        raise ValueError("[load_state_dict] expected a dict with 'state' and 'param_groups'")
    saved = state_dict["param_groups"]
    if len(saved) != len(groups):
        raise ValueError(
            "[load_state_dict] loaded state dict has a different number of parameter groups: "
            f"expected {len(groups)}, got {len(saved)}"
        )
    loaded, states = [], {}
    for group, theirs in zip(groups, saved, strict=True):
        if len(theirs["params"]) != len(group["params"]):
            raise ValueError(
                "[load_state_dict] loaded state dict contains a parameter group that doesn't match the size of "
                f"optimizer's group: expected {len(group['params'])}, got {len(theirs['params'])}"
            )
        options = group | {k: _plain(v) for k, v in theirs.items() if k != "params"}
        loaded.append(options)
        for number, p in zip(theirs["params"], group["params"], strict=True):
            state = {k: v for k, v in state_dict["state"].get(number, {}).items() if v is not None}
            if state:
                states[p] = _fit(number, state, init_state(options, p.data))
    return loaded, states


def _plain(option: Any) -> Any:
    """Copy an option; 0-d tensors become numbers and lists, which JSON makes of tuples, tuples again."""
    if isinstance(option, list | tuple):
        return tuple(_plain(v) for v in option)
    return option.item() if hasattr(option, "item") else copy.deepcopy(option)


def _fit(number: int, saved: State, expected: State) -> State:
    """Copy one parameter's state: dtypes and shapes as in a state just begun."""
    state: State = {k: v for k, v in expected.items() if k[0] == "_"}
    for name, value in saved.items():
        if isinstance(value, int | float):
            state[name] = np.array(value, dtype=np.float64)
        elif hasattr(value, "__array__"):
            dtype = expected[name].dtype if name in expected else None
            state[name] = np.array(value.__array__(), dtype=dtype, order="C")  # a tensor's has no `copy` argument
        else:
            state[name] = copy.deepcopy(value)
    for name, begun in expected.items():
        if name not in state:
            raise ValueError(f"[load_state_dict] the state of parameter {number} has no {name}")
        shapes = np.shape(state[name]), np.shape(begun)
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"[load_state_dict] expected {name} of parameter {number} with shape {shapes[1]}, got {shapes[0]}"
            )
    return state
