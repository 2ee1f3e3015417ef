"""Schedules given by a function of the step: LambdaLR and MultiplicativeLR."""

from __future__ import annotations

from typing import Any

from nnative.optim.lr_scheduler.base import Factor, LRScheduler, function_state
from nnative.optim.optimizer import Optimizer


class LambdaLR(LRScheduler):
    """Initial rate times a function of the step: ``lr = initial_lr · f(t)``.

    Parameters
    ----------
    optimizer, last_epoch
        As in `LRScheduler`.
    lr_lambda
        f, or a list of one for each group. `state_dict` has the attributes of callable objects, and nothing of
        functions.

    Raises
    ------
    ValueError
        For a list of another length than the groups.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> warm_up = lr_scheduler.LambdaLR(optimizer, lambda t: min(1.0, (t + 1) / 4))
    >>> rates = []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += warm_up.get_last_lr()
    ...     warm_up.step()
    >>> rates
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"[{type(self).__name__}] Expected {groups} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return initial_lr · f(t)."""
        return self.base_lrs[i] * self.lr_lambdas[i](self.last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return all but the optimizer; of the functions, the attributes of callable objects."""
        return super().state_dict() | {"lr_lambdas": [function_state(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned; functions stay as they are."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                function.__dict__.update(saved)


class MultiplicativeLR(LambdaLR):
    """The rate times a function of the step, at every step: ``lr ← lr · f(t)``; arguments are those of `LambdaLR`.

    Raises TypeError for something that cannot be called.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = lr_scheduler.MultiplicativeLR(optimizer, lambda t: 0.5)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.125]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1) -> None:
        for function in lr_lambda if isinstance(lr_lambda, list | tuple) else [lr_lambda]:
            if not callable(function):
                raise TypeError(f"[MultiplicativeLR] lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, lr_lambda, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return lr · f(t), at the beginning lr."""
        return lr if self._is_initial else lr * self.lr_lambdas[i](self.last_epoch)
