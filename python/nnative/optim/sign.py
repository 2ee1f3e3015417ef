"""Steps that only look at the sign of a gradient or of an average of them: Rprop, Lion."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nnative import _native
from nnative.autograd import Array, TensorBase
from nnative.optim.native import NativeOptimizer, options
from nnative.optim.optimizer import Group, State
from nnative.reference.optim import LION_HYPER, RPROP_HYPER


class Rprop(NativeOptimizer):
    """Resilient propagation, for gradients of the full batch.

    Each element has a step size Δ. Where the gradient keeps its sign, ``Δ ← min(η⁺Δ, Δmax)``; where it changes,
    ``Δ ← max(η⁻Δ, Δmin)`` and the gradient counts as 0, also in the next comparison. ``θ ← θ − sign(g) · Δ``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr
        The first Δ.
    etas, step_sizes
        ``(η⁻, η⁺)`` and ``(Δmin, Δmax)``.
    maximize
        Ascend.
    capturable, foreach, differentiable
        For PyTorch's sake: the update is always one fused launch, outside the tape.

    Raises
    ------
    ValueError
        Unless ``0 < η⁻ < 1 < η⁺``, and for a learning rate that is negative, infinite or NaN.

    Notes
    -----
    State: ``step`` (0-d float64), ``prev`` (the gradient that the next one is compared with), ``step_size`` (Δ).
    Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm", 1993.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import Rprop
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> optimizer = Rprop([w], lr=0.1)
    >>> for gradient in (3.0, 2.0):
    ...     w.grad = np.array([gradient, -gradient])
    ...     optimizer.step()
    >>> w.data
    array([0.78, 2.22])
    """

    kernel = _native.rprop_step
    hyper_dtype = RPROP_HYPER
    arrays = ("prev", "step_size")
    cells = {"step": 0}
    at_least_0 = ("lr",)

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: Group) -> None:
        """Raise for options that make no sense."""
        super().check(group)
        minus, plus = self._check_pair(group, "etas")
        self._check_pair(group, "step_sizes")
        if not 0 < minus < 1 < plus:
            raise self._error(ValueError, f"Invalid eta values: {minus}, {plus}")

    def init_state(self, group: Group, param: Array) -> State:
        """Return step sizes of ``lr``."""
        return super().init_state(group, param) | {"step_size": np.full(param.shape, group["lr"], param.dtype)}


class Lion(NativeOptimizer):
    """Evolved sign momentum: every element moves by the learning rate.

    ``θ ← (1 − lr · weight_decay)θ − lr · sign(β₁m + (1 − β₁)g)``, ``m ← β₂m + (1 − β₂)g``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, betas, weight_decay, maximize
        As in the formulas; ``maximize`` ascends. A good learning rate is a third to a tenth of AdamW's, with a weight
        decay larger by as much.

    Raises
    ------
    ValueError
        For options that are negative, infinite or NaN, and betas outside [0, 1).

    Notes
    -----
    State: ``exp_avg`` (m). Chen et al., "Symbolic discovery of optimization algorithms", 2023.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import Lion
    >>> w = nnative.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> w.grad = np.array([3.0, -0.1])
    >>> Lion([w], lr=0.1).step()
    >>> w.data
    array([0.9, 2.1])
    """

    kernel = _native.lion_step
    hyper_dtype = LION_HYPER
    arrays = ("exp_avg",)

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))
