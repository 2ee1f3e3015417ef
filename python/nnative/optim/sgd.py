"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, TensorBase
from nnative.memory import aligned_zeros
from nnative.optim.optimizer import Group, Optimizer, State
from nnative.reference.optim import SGD_HYPER


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov's momentum and weight decay.

    ``g ← ∇f(θ) + weight_decay · θ``, ``v ← momentum · v + (1 − dampening) · g`` (``v ← g`` at the first step),
    ``θ ← θ − lr · v``, or ``θ ← θ − lr · (g + momentum · v)`` with ``nesterov``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, momentum, dampening, weight_decay, nesterov, maximize
        As in the formulas; ``maximize`` ascends: ``g ← −∇f(θ) + …``.
    foreach, differentiable, fused
        For PyTorch's sake: the update is always one fused launch.

    Raises
    ------
    ValueError
        For options that are negative, infinite or NaN, and for Nesterov's momentum with dampening or without momentum.

    Notes
    -----
    The form ``v ← momentum · v − lr · g, θ ← θ + v`` gives the same θ while lr is constant: its v is −lr times the one
    here. When lr changes, it applies to past gradients here at once, there only to those still to come. `weight_decay`
    is the coefficient of θ in the gradient: penalty ``λ‖θ‖²`` is ``weight_decay=2λ``, ``½λ‖θ‖²`` is ``weight_decay=λ``.
    Polyak, 1964; Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import SGD
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1, momentum=0.9)
    >>> w.grad = np.array([1.0, 1.0])
    >>> optimizer.step()
    >>> w.data
    array([0.9, 1.9])
    """

    hyper_dtype = SGD_HYPER

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise for options that make no sense."""
        self._check_range(group, "lr", "learning rate")
        self._check_range(group, "momentum", "momentum value")
        self._check_range(group, "weight_decay", "weight_decay value")
        self._check_number(group["dampening"], "dampening")
        if not np.isfinite(group["dampening"]):
            raise self._error(ValueError, f"Invalid dampening value: {group['dampening']}")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise self._error(ValueError, "Nesterov momentum requires a momentum and zero dampening")
        if group["differentiable"]:
            raise NotImplementedError("[SGD] differentiable=True is not supported")

    def init_state(self, group: Group, param: Array) -> State:
        """Return a buffer, and the count that tells the kernel when the buffer begins."""
        if not group["momentum"]:
            return {}
        return {"momentum_buffer": aligned_zeros(param.shape, param.dtype), "_step": np.zeros(())}

    def update(self, group: Group, params: list[Array], grads: list[Array], states: list[State]) -> None:
        """Update a group in one launch."""
        cell = self.hyper_cell(group)
        buffers, steps = [], []
        if group["momentum"]:
            buffers = [state["momentum_buffer"] for state in states]
            steps = [state["_step"] for state in states]
        _native.sgd_step(params, grads, buffers, steps, cell)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over state and options; see `Optimizer.load_state_dict`."""
        super().load_state_dict(state_dict)
        for state in self.state.values():
            state["_step"] = np.ones(())  # a saved buffer has begun
