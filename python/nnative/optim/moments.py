"""The relatives of Adam: NAdam, RAdam, Adamax."""

from __future__ import annotations

from collections.abc import Iterable

from nnative import _native
from nnative.autograd import TensorBase
from nnative.optim.native import NativeOptimizer, options
from nnative.optim.optimizer import Group
from nnative.reference.optim_adaptive import ADAM_HYPER, ADAMAX_HYPER, NADAM_HYPER


class NAdam(NativeOptimizer):
    """Adam with Nesterov's momentum.

    ``μₜ = β₁(1 − ½ · 0.96^(t · momentum_decay))``; with Adam's m and v,
    ``θ ← θ − lr · ((1 − μₜ)/(1 − Πμᵢ≤t) · g + μₜ₊₁/(1 − Πμᵢ≤t₊₁) · m) / (√(v/(1 − β₂ᵗ)) + eps)``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, betas, eps, weight_decay, momentum_decay, maximize
        As in the formulas and in `Adam`.
    decoupled_weight_decay
        Decay by ``θ ← θ − lr · weight_decay · θ`` beside the gradient.
    foreach, capturable, differentiable
        For PyTorch's sake: the update is always one fused launch, outside the tape.

    Raises
    ------
    ValueError
        For options that are negative, infinite or NaN, and betas outside [0, 1).

    Notes
    -----
    State: ``step``, ``mu_product`` (0-d float64), ``exp_avg``, ``exp_avg_sq``. Dozat, "Incorporating Nesterov momentum
    into Adam", 2016.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import NAdam
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> w.grad = np.array([3.0, -4.0])
    >>> NAdam([w], lr=0.1).step()
    >>> w.data.round(3)
    array([0.894, 2.106])
    """

    kernel = _native.nadam_step
    hyper_dtype = NADAM_HYPER
    arrays = ("exp_avg", "exp_avg_sq")
    cells = {"step": 0, "mu_product": 1}
    at_least_0 = ("lr", "eps", "weight_decay", "momentum_decay")

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))


class RAdam(NativeOptimizer):
    """Adam that moves by plain momentum while the variance of its step is not yet known, and rectifies it from then on.

    ``ρ = 2/(1 − β₂) − 1``, ``ρₜ = ρ − 2tβ₂ᵗ/(1 − β₂ᵗ)``, ``r² = (ρₜ − 4)(ρₜ − 2)ρ / ((ρ − 4)(ρ − 2)ρₜ)``; with Adam's m
    and v, ``θ ← θ − lr · m̂ · r√(1 − β₂ᵗ) / (√v + eps)`` where ``ρₜ > 5``, else ``θ ← θ − lr · m̂``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, betas, eps, weight_decay, maximize
        As in the formulas and in `Adam`.
    decoupled_weight_decay
        Decay by ``θ ← θ − lr · weight_decay · θ`` beside the gradient.
    foreach, capturable, differentiable
        For PyTorch's sake: the update is always one fused launch, outside the tape.

    Raises
    ------
    ValueError
        For options that are negative, infinite or NaN, and betas outside [0, 1).

    Notes
    -----
    State: ``step`` (0-d float64), ``exp_avg``, ``exp_avg_sq``. Liu et al., "On the variance of the adaptive learning
    rate and beyond", 2020.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import RAdam
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> w.grad = np.array([3.0, -4.0])
    >>> RAdam([w], lr=0.1).step()
    >>> w.data.round(6)
    array([0.7, 2.4])
    """

    kernel = _native.radam_step
    hyper_dtype = ADAM_HYPER
    arrays = ("exp_avg", "exp_avg_sq")
    cells = {"step": 0}
    at_least_0 = ("lr", "eps", "weight_decay")

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))


class Adamax(NativeOptimizer):
    """Adam with the infinity norm: ``u ← max(β₂u, |g| + eps)``, ``θ ← θ − lr/(1 − β₁ᵗ) · m / u``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, betas, eps, weight_decay, maximize
        As in the formulas and in `Adam`.
    foreach, capturable, differentiable
        For PyTorch's sake: the update is always one fused launch, outside the tape.

    Raises
    ------
    ValueError
        For options that are negative, infinite or NaN, and betas outside [0, 1).

    Notes
    -----
    State: ``step`` (0-d float64), ``exp_avg`` (m), ``exp_inf`` (u). Kingma and Ba, "Adam: a method for stochastic
    optimization", 2015, section 7.1.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import Adamax
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> w.grad = np.array([3.0, -4.0])
    >>> Adamax([w], lr=0.1).step()
    >>> w.data.round(6)
    array([0.9, 2.1])
    """

    kernel = _native.adamax_step
    hyper_dtype = ADAMAX_HYPER
    arrays = ("exp_avg", "exp_inf")
    cells = {"step": 0}
    at_least_0 = ("lr", "eps", "weight_decay")

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))
