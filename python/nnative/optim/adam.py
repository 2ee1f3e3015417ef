"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnative import _native
from nnative.autograd import Array, TensorBase
from nnative.memory import aligned_zeros
from nnative.optim.optimizer import Group, Optimizer, State
from nnative.reference.optim import ADAM_HYPER


class Adam(Optimizer):
    """Adaptive moment estimation.

    ``m ← β₁m + (1 − β₁)g``, ``v ← β₂v + (1 − β₂)g²``, ``θ ← θ − lr · m̂ / (√v̂ + eps)`` with ``m̂ = m / (1 − β₁ᵗ)``,
    ``v̂ = v / (1 − β₂ᵗ)`` and ``g = ∇f(θ) + weight_decay · θ``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, betas, eps, weight_decay, maximize
        As in the formulas; ``maximize`` ascends: ``g = −∇f(θ) + …``.
    decoupled_weight_decay
        Decay by ``θ ← θ − lr · weight_decay · θ`` beside the gradient, as AdamW does.
    amsgrad
        Not supported yet.
    foreach, capturable, differentiable, fused
        For PyTorch's sake: the update is always one fused launch.

    Raises
    ------
    ValueError
        For options that are negative, infinite or NaN, and betas outside [0, 1).
    NotImplementedError
        For ``amsgrad=True`` or ``differentiable=True``.

    Notes
    -----
    State: ``step`` (0-d float64), ``exp_avg`` (m), ``exp_avg_sq`` (v). Kingma and Ba, "Adam: a method for stochastic
    optimization", 2015.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import Adam
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> w.grad = np.array([3.0, -4.0])
    >>> optimizer.step()
    >>> w.data.round(6)
    array([0.9, 2.1])
    """

    hyper_dtype = ADAM_HYPER

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise for options that make no sense."""
        self._check_range(group, "lr", "learning rate")
        self._check_range(group, "eps", "epsilon value")
        betas = group["betas"]
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise self._error(TypeError, f"expected betas to be a pair of numbers, got {betas!r}")
        for i, beta in enumerate(betas):
            self._check_number(beta, f"betas[{i}]")
            if not 0 <= beta < 1:
                raise self._error(ValueError, f"Invalid beta parameter at index {i}: {beta}")
        self._check_range(group, "weight_decay", "weight_decay value")
        for name in ("amsgrad", "differentiable"):
            if group[name]:
                raise NotImplementedError(f"[{type(self).__name__}] {name}=True is not supported")

    def init_state(self, group: Group, param: Array) -> State:
        """Return step and moments at zero."""
        shape, dtype = param.shape, param.dtype
        return {
            "step": np.zeros(()),
            "exp_avg": aligned_zeros(shape, dtype),
            "exp_avg_sq": aligned_zeros(shape, dtype),
        }

    def update(self, group: Group, params: list[Array], grads: list[Array], states: list[State]) -> None:
        """Update a group in one launch."""
        _native.adam_step(
            params,
            grads,
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [state["step"] for state in states],
            self.hyper_cell(group),
        )


class AdamW(Adam):
    """Adam with decoupled weight decay: ``θ ← θ − lr · weight_decay · θ``, then Adam's step with ``g = ∇f(θ)``.

    Arguments are those of `Adam`, with 0.01 as the default of ``weight_decay``. Loshchilov and Hutter, "Decoupled
    weight decay regularization", 2019.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import AdamW
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> w.grad = np.array([0.0, 0.0])
    >>> AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w.data
    array([0.95, 1.9 ])
    """

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over state and options; see `Optimizer.load_state_dict`."""
        super().load_state_dict(state_dict)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
