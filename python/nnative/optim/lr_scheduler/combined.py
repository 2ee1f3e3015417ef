"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from nnative.optim.lr_scheduler.base import LRScheduler, rates_of
from nnative.optim.lr_scheduler.plateau import ReduceLROnPlateau
from nnative.optim.optimizer import Optimizer


class _Combined(LRScheduler):
    """What both share: checks, and a state_dict that holds those of the parts."""

    _schedulers: Sequence[LRScheduler]

    def _check(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer) -> None:
        name = type(self).__name__
        for i, schedule in enumerate(schedulers):
            if not hasattr(schedule, "optimizer"):
                raise TypeError(f"[{name}] the schedule at index {i} should have `optimizer` as its attribute")
            if isinstance(schedule, ReduceLROnPlateau):
                raise ValueError(
                    f"[{name}] does not support `ReduceLROnPlateau`, whose step needs a metric, got one at index {i}"
                )
            if schedule.optimizer is not optimizer:
                raise ValueError(
                    f"[{name}] expects all schedulers to belong to the same optimizer, but {type(schedule).__name__} "
                    f"at index {i} has another"
                )

    def state_dict(self) -> dict[str, Any]:
        """Return all but the optimizer, of the schedules their state_dicts."""
        return super().state_dict() | {"_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned, here or in PyTorch."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_schedulers"})
        for schedule, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            schedule.load_state_dict(saved)


class SequentialLR(_Combined):
    """Schedules one after the other: each begins at its milestone, a number of steps.

    Parameters
    ----------
    optimizer
        The optimizer of all schedules.
    schedulers
        The schedules; `ReduceLROnPlateau` cannot be one of them.
    milestones
        Where the second and the following ones begin.
    last_epoch
        −1 to begin.

    Raises
    ------
    TypeError, ValueError
        For no schedule, other optimizers, and a number of milestones that does not fit.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> warm_up = lr_scheduler.ConstantLR(optimizer, factor=0.1, total_iters=2)
    >>> decay = lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = lr_scheduler.SequentialLR(optimizer, [warm_up, decay], milestones=[2])
    >>> rates = []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [0.1, 0.1, 1.0, 0.5, 0.25]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        if not schedulers:
            raise ValueError("[SequentialLR] expects at least one scheduler, but got no scheduler")
        self._check(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "[SequentialLR] expects number of schedulers provided to be one more than the number of milestone "
                f"points, but got {len(schedulers)} schedulers and {len(milestones)} milestones"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # All schedules took their first step when they were made: undo it, and take it with the first alone.
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        _undo(self)
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Take a step of the schedule whose time it is."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        schedule = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            schedule._update_lr(0)
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()


def _undo(schedule: LRScheduler) -> None:
    if isinstance(schedule, _Combined):
        for part in schedule._schedulers:
            _undo(part)
    else:
        schedule.last_epoch -= 1


class ChainedScheduler(_Combined):
    """Schedules all at once: a step of each in turn, each from the rate that the one before has set.

    Parameters
    ----------
    schedulers
        The schedules; `ReduceLROnPlateau` cannot be one of them.
    optimizer
        Their optimizer, by default the first one's.

    Raises
    ------
    TypeError, ValueError
        For no schedule and other optimizers.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0)
    >>> parts = [lr_scheduler.ConstantLR(optimizer, 0.1, 2), lr_scheduler.ExponentialLR(optimizer, 0.5)]
    >>> schedule = lr_scheduler.ChainedScheduler(parts)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if len(schedulers) < 1:
            raise ValueError("[ChainedScheduler] expects at least one scheduler to be chained, but got no scheduler")
        first = getattr(schedulers[0], "optimizer", None) if optimizer is None else optimizer
        self._check(schedulers, first)  # type: ignore[arg-type]
        self._schedulers = schedulers
        self.optimizer = schedulers[0].optimizer
        self._last_lr = rates_of(self.optimizer)

    def step(self) -> None:  # type: ignore[override]
        """Take a step of every schedule."""
        for schedule in self._schedulers:
            schedule.step()
        self._last_lr = rates_of(self.optimizer)
