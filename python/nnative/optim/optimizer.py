"""What all optimizers share: parameter groups, state per parameter, the walk, saving and loading."""

from __future__ import annotations

import functools
import math
import numbers
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from nnative import _native, recording
from nnative.autograd import Array, TensorBase
from nnative.grad_mode import enable_grad
from nnative.optim.saving import pack, unpack
from nnative.recording import Recording, Stale

Group = dict[str, Any]
State = dict[str, Any]
R = TypeVar("R")


class Optimizer:
    """Base of optimizers: a subclass says what state a parameter has and how a group is updated.

    Parameters
    ----------
    params
        An iterable of tensors, or of dicts with ``"params"`` and the options that differ in that group.
    defaults
        Options and their values where a group does not say otherwise.

    Notes
    -----
    A subclass overrides `init_state` and `update`; arrays are updated in place. ``param_groups`` can be changed between
    steps, and the next step sees it. A parameter whose gradient is None is left alone, its state too. ``state[p]`` has
    the state of parameter ``p``; names that begin with an underscore are the optimizer's own and are not saved.

    Two optimizers may hold the same parameter: each keeps its own state, and steps act one after the other in the order
    of the calls. Twice in one optimizer is an error.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import Optimizer
    >>> class SignDescent(Optimizer):
    ...     def update(self, group, params, grads, states):
    ...         for param, grad in zip(params, grads):
    ...             param -= group["lr"] * np.sign(grad)
    >>> w = nnative.Tensor(np.array([1.0, -2.0]), requires_grad=True)
    >>> w.grad = np.array([0.3, -0.2])
    >>> SignDescent([w], {"lr": 0.5}).step()
    >>> w.data
    array([ 0.5, -1.5])
    """

    __slots__ = ("__dict__", "__weakref__", "param_groups", "state")  # those two a replay compares before each step

    hyper_dtype: np.dtype[Any] | None = None  # the options in the cell that a native update reads
    has_stepped = False  # for schedules, which begin after the first step
    state_for: dict[str, str] = {}  # state that there is only while an option is true

    def __init__(self, params: Iterable[TensorBase] | Iterable[Group], defaults: Group) -> None:
        if isinstance(params, TensorBase):
            raise self._error(
                TypeError,
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type(params).__name__}",
            )
        self.defaults = defaults
        self.state: defaultdict[TensorBase, State] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self._cells: dict[int, tuple[Any, tuple[Array, Array, tuple[Any, ...]]]] = {}
        if self.hyper_dtype is not None and self.hyper_dtype.names is not None:
            names = self.hyper_dtype.names
            self._read = (*names, *(o for o in dict.fromkeys(self.state_for.values()) if o not in names))
            self._hyper = operator.itemgetter(*self._read)
            self._read += ("max_norm",)  # which a group may lack
        groups: list[Any] = list(params)
        if not groups:
            raise self._error(ValueError, "optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def init_state(self, group: Group, param: Array) -> State:
        """Return the state of a parameter before its first update."""
        return {}

    def needs_state(self, group: Group) -> bool:
        """Return whether parameters have state with these options; without it ``states`` of `update` is empty."""
        return True

    def update(self, group: Group, params: list[Array], grads: list[Array], states: list[State]) -> None:
        """Update the parameters that have a gradient, and their state, in place."""
        raise NotImplementedError

    def check(self, group: Group) -> None:
        """Raise TypeError or ValueError for options that make no sense."""

    def step(self, closure: Callable[[], R] | None = None) -> R | None:
        """Update all parameters that have a gradient; returns what ``closure``, called first, returns."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if recording.state.observer is not None:
            recording.state.observer.step(self)
        self.has_stepped = True
        state = self.state
        for group in self.param_groups:
            params, grads, states = [], [], []
            stateful = self.needs_state(group)
            for p in group["params"]:
                grad = p._grad
                if grad is not None:
                    params.append(p.data)
                    grads.append(grad)
                    if stateful:
                        states.append(state[p] or self._fresh(group, p))
            if params:
                try:
                    self.update(group, params, grads, states)
                except (TypeError, ValueError):
                    # Native updates look at every array before they write: cast what a changed dtype left behind, once.
                    if not self._cast_state(group):
                        raise
                    self.update(group, params, grads, states)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop all gradients, or set them to zero in place."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    _native.fill(p.grad, 0.0)

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters with options of their own, for layers that begin to train later."""
        if not isinstance(param_group, dict):
            raise self._error(TypeError, f"param_group must be a dict, but got {type(param_group).__name__}")
        if "params" not in param_group:
            raise self._error(ValueError, f"expected 'params' in a parameter group, got {list(param_group)}")
        params = param_group["params"]
        if isinstance(params, set | frozenset):
            raise self._error(TypeError, "optimizer parameters need an order: use a list instead of a set")
        params = [params] if isinstance(params, TensorBase) else list(params)
        for p in params:
            if not isinstance(p, TensorBase):
                raise self._error(
                    TypeError, f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}"
                )
            if not p.is_leaf:
                raise self._error(ValueError, "can't optimize a non-leaf Tensor")
            if p.data.dtype not in (np.float32, np.float64):
                raise self._error(TypeError, f"expected float32 or float64 parameters, got {p.data.dtype}")
        own = {id(p) for p in params}
        if len(own) != len(params):
            raise self._error(ValueError, "optimizer contains a parameter group with duplicate parameters")
        if not own.isdisjoint(id(p) for group in self.param_groups for p in group["params"]):
            raise self._error(ValueError, "some parameters appear in more than one parameter group")
        group = {"params": params} | self.defaults | {k: v for k, v in param_group.items() if k != "params"}
        self.check(group)
        self.param_groups = [*self.param_groups, group]  # another object, so that a recorded step notices

    def state_dict(self) -> dict[str, Any]:
        """Return state and options in PyTorch's layout.

        ``{"state": {id: {name: array}}, "param_groups": [{…, "params": [id, …]}]}``: parameters are numbered in the
        order of the groups. The arrays are the optimizer's own, not copies.
        """
        return pack(self.param_groups, self.state)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over state and options, copied and cast to each parameter's dtype; arrays or torch tensors.

        Raises
        ------
        ValueError
            When groups, numbers of parameters, or shapes do not fit; the optimizer is then unchanged.
        """
        groups, states = unpack(state_dict, self.param_groups, self.init_state)
        for group in groups:
            self.check(group)
        for group, loaded in zip(self.param_groups, groups, strict=True):
            group.update(loaded)
        fresh: defaultdict[TensorBase, State] = defaultdict(dict)
        fresh.update(states)
        self.state = fresh  # another object, so that a recorded step notices

    def hyper_cell(self, group: Group) -> Array:
        """Return the array that native updates of this group read, brought up to date with the group's options.

        It is the same array each time, so a recorded step that holds it sees a changed learning rate.
        """
        return self._cells_and_form(group)[0]

    def _cells_and_form(self, group: Group) -> tuple[Array, Array, tuple[Any, ...]]:
        """Return the cells of the group's options and of its ``max_norm``, and `_form`."""
        values = self._hyper(group)
        max_norm = group.get("max_norm")
        if max_norm is not None:
            values += (max_norm,)
        entry = self._cells.get(id(group))
        if entry is None or entry[0] != values:
            self.check(group)
            cell, bound = (np.zeros((), self.hyper_dtype), np.zeros(())) if entry is None else entry[1][:2]
            cell[()] = values[: len(cell.dtype.names or ())]
            bound[()] = np.inf if max_norm is None else max_norm
            # A list could change and still equal itself; as a tuple it differs, and is written at each step.
            kept = tuple(tuple(v) if isinstance(v, list) else v for v in values)
            form = self._form(group)
            if entry is not None and entry[1][2] != form:
                self.param_groups = [*self.param_groups]  # another object: the update has other arguments now
            self._cells[id(group)] = entry = kept, (cell, bound, form)
        return entry[1]

    def _form(self, group: Group) -> tuple[Any, ...]:
        """Return which state the update takes with these options; a recorded update holds for one form."""
        return ()

    def _refresh(self, group: Group) -> None:
        """Bring a cell up to date for a replay; Stale when the recorded update has other arguments."""
        groups = self.param_groups
        self.hyper_cell(group)
        if self.param_groups is not groups:
            raise Stale

    def _note(self, record: Recording) -> None:
        """Let a recording rely on the parameters, their gradients and the layout of the state; options stay free."""
        record.watch(self, "state")
        record.watch(self, "param_groups")
        for group in self.param_groups:
            for p in group["params"]:
                record.use(p)
                record.use_gradient(p)
            if self.hyper_dtype is not None:
                record.refresh(functools.partial(self._refresh, group), group, self._read)

    def _fresh(self, group: Group, p: TensorBase) -> State:
        state = self.state[p] = self.init_state(group, p.data)
        return state

    def _cast_state(self, group: Group) -> bool:
        """Cast state to the parameters' dtypes; False when all fitted. Explain what cannot be helped."""
        changed = False
        for i, p in enumerate(group["params"]):
            shape, dtype, grad = p.data.shape, p.data.dtype, p._grad
            if grad is None:
                continue
            state, place = self.state[p], f"of parameter {i} of its group, {dtype} of shape {shape}"
            if grad.shape != shape or grad.dtype != dtype:
                raise self._error(ValueError, f"the gradient {place}, is {grad.dtype} of shape {grad.shape}")
            for name, begun in self.init_state(group, p.data).items():
                if name not in state:
                    raise self._error(ValueError, f"the state {place}, has no {name}; clear it")
                if state[name].shape != begun.shape:
                    raise self._error(ValueError, f"{name} {place}, has shape {state[name].shape}; clear its state")
                if state[name].dtype != begun.dtype:
                    state[name], changed = state[name].astype(begun.dtype), True
        return changed

    def _error(self, kind: type[Exception], message: str) -> Exception:
        return kind(f"[{type(self).__name__}] {message}")

    def _check_range(self, group: Group, name: str, text: str) -> None:
        """Require a finite number of at least 0."""
        self._check_number(group[name], name)
        if not 0 <= group[name] < math.inf:
            raise self._error(ValueError, f"Invalid {text}: {group[name]}")

    def _check_number(self, value: Any, name: str) -> None:
        if not isinstance(value, numbers.Real):
            raise self._error(TypeError, f"expected {name} to be a number, got {type(value).__name__}")

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines += [f"Parameter Group {i}", *(f"    {k}: {group[k]}" for k in sorted(group) if k != "params")]
        return "\n".join([*lines, ")"])
