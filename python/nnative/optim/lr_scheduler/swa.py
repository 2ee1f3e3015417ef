"""The schedule of stochastic weight averaging, which `nnative.optim.swa_utils` exports."""

from __future__ import annotations

import math

from nnative.optim.lr_scheduler.base import LRScheduler, per_group
from nnative.optim.optimizer import Optimizer


class SWALR(LRScheduler):
    """From the rate that is set to a constant one, at which the weights of a model are then averaged.

    ``lr = (1 − a) · lr₀ + a · swa_lr`` with ``a = (1 − cos(π t / T)) / 2``, or ``a = t / T``, while t < T =
    ``anneal_epochs``, and ``swa_lr`` afterwards. lr₀ is the rate found, so that another schedule may go before.

    Parameters
    ----------
    optimizer, last_epoch
        As in `LRScheduler`.
    swa_lr
        The constant rate, or a list of one for each group; kept in the groups.
    anneal_epochs
        Steps on the way to it.
    anneal_strategy
        "cos" or "linear".

    Raises
    ------
    ValueError
        For another strategy, negative ``anneal_epochs``, and a list of another length than the groups.

    References
    ----------
    P. Izmailov et al., Averaging weights leads to wider optima and better generalization, UAI 2018.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, swa_utils
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> rates = []
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [1.0, 0.75, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for group, rate in zip(optimizer.param_groups, per_group(self, "swa_lr", optimizer, swa_lr), strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"[SWALR] anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"[SWALR] anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, i: int) -> float:
        """Return the rate between the one found, which follows from the last step's, and ``swa_lr``."""
        swa_lr: float = self.optimizer.param_groups[i]["swa_lr"]
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        found = swa_lr if before == 1 else (lr - before * swa_lr) / (1 - before)
        return swa_lr * now + found * (1 - now)

    def _share(self, step: int) -> float:
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2
