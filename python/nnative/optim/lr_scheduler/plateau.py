"""ReduceLROnPlateau: a lower rate when a metric no longer improves."""

from __future__ import annotations

import math
import warnings
from typing import Any, SupportsFloat

from nnative.optim.lr_scheduler.base import (
    EPOCH_DEPRECATED,
    LRScheduler,
    fail_if_recorded,
    optimizer_of,
    per_group,
    rates_of,
)
from nnative.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """The rate times ``factor`` after more than ``patience`` steps without a better metric.

    Parameters
    ----------
    optimizer
        The optimizer.
    mode
        ``"min"`` where a lower metric is better, ``"max"`` where a higher one is.
    factor
        What the rate is multiplied by, below 1.
    patience
        Steps without improvement that are let pass.
    threshold, threshold_mode
        How much better counts: than ``best · (1 ∓ threshold)`` (``"rel"``) or ``best ∓ threshold`` (``"abs"``).
    cooldown
        Steps after a reduction in which nothing is counted.
    min_lr
        The lowest rate, one or a list of one for each group.
    eps
        A smaller change of the rate is not made.

    Raises
    ------
    TypeError, ValueError
        For no optimizer, a factor of 1 or more, unknown modes, and a list that does not fit the groups.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (0.9, 0.8, 0.8, 0.8):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError(f"[ReduceLROnPlateau] Factor should be < 1.0, got {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"[ReduceLROnPlateau] mode {mode} is unknown: expected 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"[ReduceLROnPlateau] threshold mode {threshold_mode} is unknown: expected 'rel' or 'abs'")
        self.factor = factor
        self.optimizer = optimizer_of(self, optimizer)
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else min_lr
        self.min_lrs = per_group(self, "min_lr", optimizer, min_lr)
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = rates_of(optimizer)
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.best: float = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take the metric of another epoch, and reduce the rates where it is time."""
        fail_if_recorded(self)
        current = float(metrics)
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATED, UserWarning, stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = rates_of(self.optimizer)

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"[ReduceLROnPlateau] the optimizer has {len(groups)} parameter groups, it had "
                    f"{len(self.min_lrs)} when the schedule was made: set min_lrs to a list of that length"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, low in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, low)
            if old - new > self.eps:
                group["lr"] = new

    @property
    def in_cooldown(self) -> bool:
        """Whether the last reduction was less than ``cooldown`` steps ago."""
        return self.cooldown_counter > 0

    def _is_better(self, a: float, best: float) -> bool:
        if self.mode == "min":
            return a < (best * (1.0 - self.threshold) if self.threshold_mode == "rel" else best - self.threshold)
        return a > (best * (self.threshold + 1.0) if self.threshold_mode == "rel" else best + self.threshold)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned, here or in PyTorch."""
        self.__dict__.update(state_dict)
        self.mode_worse = math.inf if self.mode == "min" else -math.inf
