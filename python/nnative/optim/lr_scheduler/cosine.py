"""Cosine annealing, without and with restarts."""

from __future__ import annotations

import math

from nnative.optim.lr_scheduler.base import LRScheduler
from nnative.optim.optimizer import Optimizer


class CosineAnnealingLR(LRScheduler):
    r"""Half a cosine wave in ``T_max`` steps: :math:`\eta_t = \eta_{min} + (\eta_0-\eta_{min})(1+\cos(\pi t/T))/2`.

    After ``T_max`` steps the rate rises again. Like PyTorch's, each step follows from the rate that is set, so that
    schedules can be chained.

    Parameters
    ----------
    optimizer, last_epoch
        As in `LRScheduler`.
    T_max
        T.
    eta_min
        The lowest rate.

    References
    ----------
    I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> rates = []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += [round(schedule.get_last_lr()[0], 3)]
    ...     schedule.step()
    >>> rates
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return the rate that follows from the one that is set."""
        t, period, low = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return lr
        if self._step_count == 1 and t > 0:
            return low + (self.base_lrs[i] - low) * (1 + math.cos(t * math.pi / period)) / 2
        if (t - 1 - period) % (2 * period) == 0:
            return lr + (self.base_lrs[i] - low) * (1 - math.cos(math.pi / period)) / 2
        ratio = (1 + math.cos(math.pi * t / period)) / (1 + math.cos(math.pi * (t - 1) / period))
        return ratio * (lr - low) + low

    def closed_lr(self, base: float) -> float:
        """Return the rate for ``last_epoch`` from its initial value."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine annealing that starts again after ``T_0`` steps, then after ``T_0 · T_mult`` more, and so on.

    ``step(epoch)`` takes fractions of an epoch.

    Parameters
    ----------
    optimizer, last_epoch
        As in `LRScheduler`.
    T_0, T_mult
        Steps to the first restart, and the factor from one period to the next; integers.
    eta_min
        The lowest rate.

    Raises
    ------
    ValueError
        For other periods, for a rate that is no number, and for negative epochs.

    References
    ----------
    I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    T_cur: float

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ValueError(f"[CosineAnnealingWarmRestarts] Expected positive integer T_0, but got {T_0}")
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ValueError(f"[CosineAnnealingWarmRestarts] Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, float | int):
            raise ValueError(f"[CosineAnnealingWarmRestarts] Expected float or int eta_min, but got {eta_min!r}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur = last_epoch
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return the rate for the place within the period."""
        height = self.base_lrs[i] - self.eta_min
        return self.eta_min + height * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next step, or to an epoch, which may be a fraction."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"[CosineAnnealingWarmRestarts] Expected non-negative epoch, but got {epoch}")
        else:
            self._enter(epoch)
        self.last_epoch = math.floor(epoch) - 1  # which the update counts up
        self._update_lr()

    def _enter(self, epoch: float) -> None:
        """Find the period that an epoch lies in, and the place within."""
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**n
