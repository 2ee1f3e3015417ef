"""Steps over the root of past squared gradients: Adagrad, Adadelta, RMSprop."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nnative import _native
from nnative.autograd import Array, TensorBase
from nnative.optim.native import NativeOptimizer, options
from nnative.optim.optimizer import Group, State
from nnative.reference.optim_adaptive import ADADELTA_HYPER, ADAGRAD_HYPER, RMSPROP_HYPER


class Adagrad(NativeOptimizer):
    """Steps over the root of the sum of all squared gradients.

    ``g = ∇f(θ) + weight_decay · θ``, ``s ← s + g²``, ``θ ← θ − lr / (1 + (t − 1) · lr_decay) · g / (√s + eps)``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, lr_decay, weight_decay, eps, maximize
        As in the formulas; ``maximize`` ascends.
    initial_accumulator_value
        Where s begins.
    foreach, differentiable, fused
        For PyTorch's sake: the update is always one fused launch, outside the tape.

    Raises
    ------
    ValueError
        For options that are negative, infinite or NaN.

    Notes
    -----
    State: ``step`` (0-d float64), ``sum`` (s). As in PyTorch a parameter has it from the beginning. Duchi, Hazan and
    Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import Adagrad
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> w.grad = np.array([3.0, -4.0])
    >>> Adagrad([w], lr=0.1).step()
    >>> w.data.round(6)
    array([0.9, 2.1])
    """

    kernel = _native.adagrad_step
    hyper_dtype = ADAGRAD_HYPER
    arrays = ("sum",)
    cells = {"step": 0}
    at_least_0 = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, options(locals()))

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters with options of their own."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for p in group["params"]:
            self._fresh(group, p)

    def init_state(self, group: Group, param: Array) -> State:
        """Return the sum at its first value."""
        start = np.full(param.shape, group["initial_accumulator_value"], param.dtype)
        return super().init_state(group, param) | {"sum": start}


class Adadelta(NativeOptimizer):
    """Steps of the size of past steps, so that θ's unit cancels.

    ``g = ∇f(θ) + weight_decay · θ``, ``v ← ρv + (1 − ρ)g²``, ``d = √(a + eps) / √(v + eps) · g``,
    ``a ← ρa + (1 − ρ)d²``, ``θ ← θ − lr · d``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, rho, eps, weight_decay, maximize
        As in the formulas; ``maximize`` ascends.
    foreach, capturable, differentiable
        For PyTorch's sake: the update is always one fused launch, outside the tape.

    Raises
    ------
    ValueError
        For options that are negative, infinite or NaN, and rho above 1.

    Notes
    -----
    State: ``step`` (0-d float64), ``square_avg`` (v), ``acc_delta`` (a). Zeiler, "ADADELTA: an adaptive learning rate
    method", 2012.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import Adadelta
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> w.grad = np.array([3.0, -4.0])
    >>> Adadelta([w]).step()
    >>> w.data.round(4)
    array([0.9968, 2.0032])
    """

    kernel = _native.adadelta_step
    hyper_dtype = ADADELTA_HYPER
    arrays = ("square_avg", "acc_delta")
    cells = {"step": 0}
    at_least_0 = ("lr", "rho", "eps", "weight_decay")

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: Group) -> None:
        """Raise for options that make no sense."""
        super().check(group)
        if group["rho"] > 1:
            raise self._error(ValueError, f"Invalid rho value: {group['rho']}")


class RMSprop(NativeOptimizer):
    """Steps over the root of a running average of squared gradients.

    ``g = ∇f(θ) + weight_decay · θ``, ``v ← αv + (1 − α)g²``, ``d = g / (√v + eps)``, where ``centered`` subtracts
    from v the square of ``a ← αa + (1 − α)g``; ``b ← momentum · b + d``, ``θ ← θ − lr · b``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, alpha, eps, weight_decay, momentum, centered, maximize
        As in the formulas; ``maximize`` ascends.
    capturable, foreach, differentiable
        For PyTorch's sake: the update is always one fused launch, outside the tape.

    Raises
    ------
    ValueError
        For options that are negative, infinite or NaN.

    Notes
    -----
    State: ``step`` (0-d float64), ``square_avg`` (v), with ``centered`` ``grad_avg`` (a), with ``momentum``
    ``momentum_buffer`` (b). Tieleman and Hinton, "Lecture 6.5: RMSProp", 2012; Graves, "Generating sequences with
    recurrent neural networks", 2013.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import RMSprop
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> w.grad = np.array([3.0, -4.0])
    >>> RMSprop([w], lr=0.01).step()
    >>> w.data.round(6)
    array([0.9, 2.1])
    """

    kernel = _native.rmsprop_step
    hyper_dtype = RMSPROP_HYPER
    arrays = ("square_avg", "grad_avg", "momentum_buffer")
    cells = {"step": 0}
    state_for = {"grad_avg": "centered", "momentum_buffer": "momentum"}
    at_least_0 = ("lr", "eps", "momentum", "weight_decay", "alpha")

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))
