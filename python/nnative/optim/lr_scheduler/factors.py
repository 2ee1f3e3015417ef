"""Schedules that multiply: by a function, at milestones, along a line, an exponential or a polynomial."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
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
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1) -> None:
        for function in lr_lambda if isinstance(lr_lambda, list | tuple) else [lr_lambda]:
            if not callable(function):
                raise TypeError(f"[MultiplicativeLR] lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, lr_lambda, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return lr · f(t), at the beginning lr."""
        return lr if self._is_initial else lr * self.lr_lambdas[i](self.last_epoch)


class StepLR(LRScheduler):
    """The rate times ``gamma`` every ``step_size`` steps: ``lr = initial_lr · gamma^⌊t/step_size⌋``."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return lr, times gamma after step_size steps."""
        falls = self.last_epoch != 0 and self.last_epoch % self.step_size == 0
        return lr * self.gamma if falls else lr

    def closed_lr(self, base: float) -> float:
        """Return the rate for ``last_epoch`` from its initial value."""
        return base * self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(LRScheduler):
    """The rate times ``gamma`` at each of the ``milestones``, numbers of steps; one given twice counts twice."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return lr, times gamma at a milestone."""
        if self.last_epoch not in self.milestones:
            return lr
        return lr * self.gamma ** self.milestones[self.last_epoch]

    def closed_lr(self, base: float) -> float:
        """Return the rate for ``last_epoch`` from its initial value."""
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return base * self.gamma**passed


class ConstantLR(LRScheduler):
    """``lr = initial_lr · factor`` for ``total_iters`` steps, then ``initial_lr``.

    Raises ValueError for a factor outside [0, 1].
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if factor > 1.0 or factor < 0:
            raise ValueError(
                f"[ConstantLR] Constant multiplicative factor expected to be between 0 and 1, got {factor}"
            )
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return lr: multiplied by the factor at the beginning, divided by it at the end."""
        if self.last_epoch == 0:
            return lr * self.factor
        return lr * (1.0 / self.factor) if self.last_epoch == self.total_iters else lr

    def closed_lr(self, base: float) -> float:
        """Return the rate for ``last_epoch`` from its initial value."""
        return base * (self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor))


class LinearLR(LRScheduler):
    """``initial_lr`` times a factor that goes from ``start_factor`` to ``end_factor`` in ``total_iters`` equal steps.

    Raises ValueError for a start outside (0, 1] and an end outside [0, 1].
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(
                "[LinearLR] Starting multiplicative factor expected to be greater than 0 and less or equal to 1, "
                f"got {start_factor}"
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError(
                f"[LinearLR] Ending multiplicative factor expected to be between 0 and 1, got {end_factor}"
            )
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return lr times the quotient of this step's factor and the last one's."""
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return lr * (1.0 + rise / before)

    def closed_lr(self, base: float) -> float:
        """Return the rate for ``last_epoch`` from its initial value."""
        rise = self.end_factor - self.start_factor
        return base * (self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters)


class ExponentialLR(LRScheduler):
    """The rate times ``gamma`` at every step: ``lr = initial_lr · gamma^t``."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return lr · gamma, at the beginning lr."""
        return lr if self._is_initial else lr * self.gamma

    def closed_lr(self, base: float) -> float:
        """Return the rate for ``last_epoch`` from its initial value."""
        return base * self.gamma**self.last_epoch


class PolynomialLR(LRScheduler):
    """``lr = initial_lr · (1 − t/total_iters)^power``, 0 from ``total_iters`` on."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return lr times the quotient of this step's factor and the last one's."""
        t, total = self.last_epoch, self.total_iters
        if self._is_initial or t > total:
            return lr
        ratio: float = ((1.0 - t / total) / (1.0 - (t - 1) / total)) ** self.power
        return lr * ratio

    def closed_lr(self, base: float) -> float:
        """Return the rate for ``last_epoch`` from its initial value."""
        left: float = (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power
        return base * left
