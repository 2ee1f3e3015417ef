"""FTRL-Proximal."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nnative import _native
from nnative.autograd import Array, TensorBase
from nnative.optim.native import NativeOptimizer, options
from nnative.optim.optimizer import Group, State
from nnative.reference.optim import FTRL_HYPER


class FTRL(NativeOptimizer):
    """Follow the regularised leader: sparse weights for data that come one by one.

    ``z ← z + g − (√(n + g²) − √n)/lr · θ``, ``n ← n + g²``; ``θ = 0`` where ``|z| ≤ l1``, else
    ``θ = −(z − sign(z) · l1) / ((beta + √n)/lr + l2)``.

    Parameters
    ----------
    params
        Tensors, or dicts of options with ``"params"``.
    lr, beta, l1, l2, maximize
        As in the formulas (lr is the paper's α); ``maximize`` ascends.
    initial_accumulator_value
        Where n begins.

    Raises
    ------
    ValueError
        For options that are negative, infinite or NaN, and a learning rate of 0.

    Notes
    -----
    State: ``z``, ``n``. z begins where the formula gives the parameter's first value, so that a gradient of 0 leaves
    it alone; from weights of 0, the paper's case, this is 0. θ depends on the present lr alone: when lr changes, so
    does all of θ. McMahan et al., "Ad click prediction: a view from the trenches", 2013.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import FTRL
    >>> w = nnative.Tensor(np.array([0.0, 0.0]), requires_grad=True)
    >>> w.grad = np.array([3.0, -0.1])
    >>> FTRL([w], lr=0.1, l1=0.5).step()
    >>> w.data
    array([-0.0625,  0.    ])
    """

    kernel = _native.ftrl_step
    hyper_dtype = FTRL_HYPER
    arrays = ("z", "n")
    at_least_0 = ("lr", "beta", "l1", "l2", "initial_accumulator_value")

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 0.1,
        beta: float = 1.0,
        l1: float = 0.0,
        l2: float = 0.0,
        initial_accumulator_value: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: Group) -> None:
        """Raise for options that make no sense."""
        super().check(group)
        if group["lr"] == 0:
            raise self._error(ValueError, "Invalid learning rate: 0, FTRL divides by it")

    def init_state(self, group: Group, param: Array) -> State:
        """Return n at its first value and z where the parameter is as it is."""
        start = group["initial_accumulator_value"]
        scale = (group["beta"] + start**0.5) / group["lr"] + group["l2"]
        z = -(param * scale + np.sign(param) * group["l1"])
        return {"z": np.asarray(z, param.dtype), "n": np.full(param.shape, start, param.dtype)}
