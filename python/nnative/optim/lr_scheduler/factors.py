"""Schedules that multiply: at milestones, along a line, an exponential or a polynomial."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

from nnative.optim.lr_scheduler.base import LRScheduler
from nnative.optim.optimizer import Optimizer


class StepLR(LRScheduler):
    """The rate times ``gamma`` every ``step_size`` steps: ``lr = initial_lr · gamma^⌊t/step_size⌋``.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

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
    """The rate times ``gamma`` at each of the ``milestones``, numbers of steps; one given twice counts twice.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = lr_scheduler.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

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

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = lr_scheduler.ConstantLR(optimizer, factor=0.25, total_iters=4)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
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

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = lr_scheduler.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> for _ in range(1):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
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
    """The rate times ``gamma`` at every step: ``lr = initial_lr · gamma^t``.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.125]
    """

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
    """``lr = initial_lr · (1 − t/total_iters)^power``, 0 from ``total_iters`` on.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = lr_scheduler.PolynomialLR(optimizer, total_iters=4)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

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
