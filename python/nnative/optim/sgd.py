"""Stochastic gradient descent, with momentum and averaged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, TensorBase
from nnative.optim.native import NativeOptimizer, options
from nnative.optim.optimizer import Group, State
from nnative.reference.optim import ASGD_HYPER, SGD_HYPER


class SGD(NativeOptimizer):
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
        For PyTorch's sake: the update is always one fused launch, outside the tape.

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

    kernel = _native.sgd_step
    hyper_dtype = SGD_HYPER
    arrays = ("momentum_buffer",)
    cells = {"_step": 0}  # tells the kernel when the buffer begins
    state_for = {"momentum_buffer": "momentum", "_step": "momentum"}
    at_least_0 = ("lr", "momentum", "weight_decay")

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
        super().__init__(params, options(locals()))

    def check(self, group: Group) -> None:
        """Raise for options that make no sense."""
        super().check(group)
        self._check_number(group["dampening"], "dampening")
        if not np.isfinite(group["dampening"]):
            raise self._error(ValueError, f"Invalid dampening value: {group['dampening']}")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise self._error(ValueError, "Nesterov momentum requires a momentum and zero dampening")

    def needs_state(self, group: Group) -> bool:
        """Return whether there is momentum."""
        return bool(group["momentum"])

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over state and options; see `Optimizer.load_state_dict`."""
        super().load_state_dict(state_dict)
        for state in self.state.values():
            state["_step"] = np.ones(())  # a saved buffer has begun


class ASGD(NativeOptimizer):
    """Averaged stochastic gradient descent.

    ``θ ← (1 − lambd · η)θ − η · (∇f(θ) + weight_decay · θ)``, ``ax ← ax + μ(θ − ax)``, then
    ``η ← lr / (1 + lambd · lr · t)^alpha`` and ``μ ← 1 / max(1, t − t0)``: the state ``ax`` follows θ for t0 steps and
    is its average from then on.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, lambd, alpha, t0, weight_decay, maximize
        As in the formulas; ``maximize`` ascends.
    foreach, differentiable, capturable
        For PyTorch's sake: the update is always one fused launch, outside the tape.

    Raises
    ------
    ValueError
        For a learning rate or weight decay that is negative, infinite or NaN.

    Notes
    -----
    State: ``step``, ``eta``, ``mu`` (0-d float64), ``ax``. Polyak and Juditsky, "Acceleration of stochastic
    approximation by averaging", 1992.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import ASGD
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> optimizer = ASGD([w], lr=0.5, lambd=0, t0=0)
    >>> for gradient in (1.0, 2.0):
    ...     w.grad = np.full(2, gradient)
    ...     optimizer.step()
    >>> w.data, optimizer.state[w]["ax"]
    (array([-0.5,  0.5]), array([-0.5,  0.5]))
    """

    kernel = _native.asgd_step
    hyper_dtype = ASGD_HYPER
    arrays = ("ax",)
    cells = {"step": 0, "eta": 0, "mu": 1, "_eta": 0, "_mu": 0}  # of the next update; of the last one

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: Group) -> None:
        """Raise for options that make no sense."""
        super().check(group)
        for name in ("lambd", "alpha", "t0"):
            self._check_number(group[name], name)

    def init_state(self, group: Group, param: Array) -> State:
        """Return an average at zero, and the learning rate of the first step."""
        return super().init_state(group, param) | {"eta": np.array(group["lr"], np.float64)}
