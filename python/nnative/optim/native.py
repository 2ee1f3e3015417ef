"""Optimizers whose update is one native kernel: a subclass names the kernel, its state and its options."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from nnative.autograd import Array
from nnative.memory import aligned_zeros
from nnative.optim.optimizer import Group, Optimizer, State

_TEXTS = {"lr": "learning rate", "eps": "epsilon value"}


class NativeOptimizer(Optimizer):
    """Base of optimizers with a kernel that takes parameters, gradients, lists of state, and the cell of options.

    Class attributes say the rest: ``kernel``; ``hyper_dtype``, the options in the cell; ``arrays``, the names of state
    of a parameter's shape, from zeros, and ``cells``, of numbers with their first value, both in the kernel's order;
    ``state_for``, state that there is only while an option is true, an empty list for the kernel otherwise;
    ``at_least_0``, options so checked.

    ``max_norm`` in a group, which no constructor has, is the largest Euclidean norm of a row of a matrix after an
    update; the kernel scales longer rows to it as soon as it has written them.
    """

    kernel: ClassVar[Callable[..., None]]
    arrays: ClassVar[tuple[str, ...]] = ()
    cells: ClassVar[dict[str, float]] = {}
    at_least_0: ClassVar[tuple[str, ...]] = ("lr", "weight_decay")

    def check(self, group: Group) -> None:
        """Raise for options that make no sense."""
        for name in self.at_least_0:
            self._check_range(group, name, _TEXTS.get(name, f"{name} value"))
        if group.get("max_norm") is not None:
            self._check_range(group, "max_norm", "max_norm value")
        if "betas" in group:
            for i, beta in enumerate(self._check_pair(group, "betas")):
                if not 0 <= beta < 1:
                    raise self._error(ValueError, f"Invalid beta parameter at index {i}: {beta}")

    def init_state(self, group: Group, param: Array) -> State:
        """Return numbers at their first values and arrays of zeros."""
        state: State = {}
        for name, value in self.cells.items():
            if self._used(group, name):
                state[name] = np.array(value, np.float64)
        for name in self.arrays:
            if self._used(group, name):
                state[name] = aligned_zeros(param.shape, param.dtype)
        return state

    def update(self, group: Group, params: list[Array], grads: list[Array], states: list[State]) -> None:
        """Update a group in one launch."""
        cell, bound, (bounded, *getters) = self._cells_and_form(group)
        try:
            columns = [list(map(get, states)) if get is not None else [] for get in getters]
        except KeyError:  # an option that needs more state was switched on
            for param, state in zip(params, states, strict=True):
                state |= self.init_state(group, param) | state
            columns = [list(map(get, states)) if get is not None else [] for get in getters]
        type(self).kernel(params, grads, *columns, cell, [bound] * len(params) if bounded else [])

    def _form(self, group: Group) -> tuple[Any, ...]:
        getters = [_getter(name) if self._used(group, name) else None for name in (*self.arrays, *self.cells)]
        return group.get("max_norm") is not None, *getters

    def _used(self, group: Group, name: str) -> bool:
        return name not in self.state_for or bool(group[self.state_for[name]])

    def _check_pair(self, group: Group, name: str) -> tuple[float, float]:
        """Return an option that must be two numbers."""
        pair = group[name]
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise self._error(TypeError, f"expected {name} to be a pair of numbers, got {pair!r}")
        for i, value in enumerate(pair):
            self._check_number(value, f"{name}[{i}]")
        return pair[0], pair[1]


@functools.cache
def _getter(name: str) -> Callable[[State], Array]:
    """Return the one function that picks this array out of a state, so that equal forms are equal."""
    return operator.itemgetter(name)


def options(arguments: dict[str, Any]) -> Group:
    """Return the options among the arguments of a constructor, given its ``locals()``."""
    return {k: v for k, v in arguments.items() if k not in ("self", "params", "__class__")}
