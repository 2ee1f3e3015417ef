"""SutskeverMomentum: momentum that rises while training goes on."""

from __future__ import annotations

import math

from nnative.optim.lr_scheduler.base import LRScheduler, momentum_of, optimizer_of, require_momentum, set_momentum
from nnative.optim.optimizer import Optimizer


class SutskeverMomentum(LRScheduler):
    r"""Momentum that rises: :math:`\mu_t = \min(1 - 2^{-1-\log_2(\lfloor t/250 \rfloor + 1)}, \mu_{max})`.

    It begins with ½ and is ¾ after 250 steps, ⅚ after 500, and so on. Learning rates stay as they are: chain it with
    a schedule for them. Call `step` after every minibatch. With Adam it moves β₁.

    Parameters
    ----------
    optimizer, last_epoch
        As in `LRScheduler`; ``SGD(…, momentum=0.5, nesterov=True)`` in the paper.
    max_momentum
        μ_max, in [0, 1); the paper tries 0.9 to 0.999.
    period
        Steps of one momentum.

    Raises
    ------
    ValueError
        For other values, and for an optimizer without momentum.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl and G. Hinton, On the importance of initialization and momentum in deep learning,
    ICML 2013.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=0.1, momentum=0.5)
    >>> schedule = lr_scheduler.SutskeverMomentum(optimizer, max_momentum=0.99)
    >>> for _ in range(250):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_momentum()
    [0.75]
    """

    def __init__(
        self, optimizer: Optimizer, max_momentum: float = 0.99, period: int = 250, last_epoch: int = -1
    ) -> None:
        require_momentum(self, optimizer_of(self, optimizer))
        if not 0 <= max_momentum < 1:
            raise ValueError(f"[SutskeverMomentum] expected max_momentum in [0, 1), got {max_momentum}")
        if not isinstance(period, int) or period < 1:
            raise ValueError(f"[SutskeverMomentum] expected period to be a positive integer, got {period!r}")
        self.max_momentum = max_momentum
        self.period = period
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Set the momenta for ``last_epoch``, and return the rates as they are."""
        momentum = min(1 - 2 ** (-1 - math.log2(self.last_epoch // self.period + 1)), self.max_momentum)
        for group in self.optimizer.param_groups:
            set_momentum(group, momentum)
        return [group["lr"] for group in self.optimizer.param_groups]

    def get_last_momentum(self) -> list[float]:
        """Return the momentum of each group."""
        return [momentum_of(group) for group in self.optimizer.param_groups]
