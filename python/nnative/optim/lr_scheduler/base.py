"""What all schedules share: a count of steps, the rate of each parameter group, saving and loading."""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nnative.optim.optimizer import Group, Optimizer
from nnative.recording import state as recording_state

if TYPE_CHECKING:
    from collections.abc import Iterator

Factor = Callable[[int], float]

EPOCH_DEPRECATED = (
    "scheduler.step(epoch) is deprecated and uses the closed form of the schedule where there is one: call step() "
    "without an epoch"
)


class LRScheduler:
    """Base of schedules: sets the ``lr`` of an optimizer's groups as a function of the number of its own steps.

    A subclass overrides `get_lr`, as in PyTorch, or `next_lr`, the rule for one group. The options of an optimizer are
    read by its native update at every step, so recorded steps and ``step.epoch`` follow a schedule without being
    recorded again. Call `step` outside of the recorded function; with ``step.epoch`` that is once an epoch.

    Parameters
    ----------
    optimizer
        The optimizer; its groups get an ``initial_lr``.
    last_epoch
        −1 to begin; otherwise the number of steps done, to go on with an optimizer whose groups have ``initial_lr``.

    Raises
    ------
    TypeError
        For something that is no `Optimizer`.
    KeyError
        For ``last_epoch`` ≥ 0 and groups without ``initial_lr``.
    RuntimeError
        From `step` within a function that is recorded.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD
    >>> from nnative.optim.lr_scheduler import LRScheduler
    >>> class Halving(LRScheduler):
    ...     def next_lr(self, lr, i):
    ...         return lr * (1.0 if self.last_epoch == 0 else 0.5)
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=0.8)
    >>> schedule = Halving(optimizer)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.1]
    """

    optimizer: Optimizer
    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = optimizer_of(self, optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"[{type(self).__name__}] param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    f"with last_epoch={last_epoch}: load the optimizer's state_dict first, or begin with last_epoch=-1"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        with _flag(self, "_is_initial"):
            self.step()

    def get_last_lr(self) -> list[float]:
        """Return the rate of each group as the last step set it."""
        return self._last_lr

    def get_lr(self) -> list[float]:
        """Return the rate of each group for ``last_epoch``; `step` calls it."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=2,
            )
        try:
            return [self.next_lr(group["lr"], i) for i, group in enumerate(self.optimizer.param_groups)]
        except IndexError:
            raise ValueError(
                f"[{type(self).__name__}] the optimizer has {len(self.optimizer.param_groups)} parameter groups, more "
                "than when the schedule was made: make it anew"
            ) from None

    def next_lr(self, lr: float, i: int) -> float:
        """Return the rate of group i for ``last_epoch``, from the one that is set."""
        raise NotImplementedError(f"[{type(self).__name__}] a schedule needs a next_lr or get_lr method")

    # The rate as a function of its initial value, where there is such a form; for steps to a given epoch.
    closed_lr: Callable[[float], float] | None = None

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next step, or to a given one (deprecated), and set the rates."""
        fail_if_recorded(self)
        if self._step_count == 1 and not (self.optimizer.has_stepped or self.optimizer.state):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: call them in the opposite order, or "
                "the first value of the schedule is skipped",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATED, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        fail_if_recorded(self)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if epoch is not None and self.closed_lr is not None:
            self._set([self.closed_lr(base) for base in self.base_lrs])
        else:
            with _flag(self, "_get_lr_called_within_step"):
                self._set(self.get_lr())

    def _set(self, rates: list[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = rates_of(self.optimizer)

    def state_dict(self) -> dict[str, Any]:
        """Return all that the schedule knows besides its optimizer, under PyTorch's names."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned, here or in PyTorch; the optimizer's own state is loaded on its own."""
        self.__dict__.update(state_dict)


@contextmanager
def _flag(schedule: LRScheduler, name: str) -> Iterator[None]:
    setattr(schedule, name, True)
    try:
        yield
    finally:
        setattr(schedule, name, False)


def fail_if_recorded(schedule: LRScheduler) -> None:
    """Raise RuntimeError while a step is recorded."""
    if recording_state.recording is not None:
        raise RuntimeError(
            f"[{type(schedule).__name__}] step() is called while a step is recorded: replays would not call it again. "
            "Call it after the recorded step, which reads the rates anew each time"
        )


def optimizer_of(schedule: LRScheduler, optimizer: Any) -> Optimizer:
    """Return the optimizer; TypeError for anything else."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"[{type(schedule).__name__}] {type(optimizer).__name__} is not an Optimizer")
    return optimizer


def rates_of(optimizer: Optimizer) -> list[float]:
    """Return the rate of each group."""
    return [group["lr"] for group in optimizer.param_groups]


def per_group(schedule: LRScheduler, name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Return a value for each group: one for all, or a list of as many."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(
            f"[{type(schedule).__name__}] {name} must have the same length as optimizer.param_groups: "
            f"expected {groups} values, got {len(value)}"
        )
    return list(value)


def momentum_of(group: Group) -> float:
    """Return a group's momentum, or Adam's β₁."""
    return group["betas"][0] if "betas" in group else group["momentum"]  # type: ignore[no-any-return]


def set_momentum(group: Group, momentum: float) -> None:
    """Set a group's momentum, or Adam's β₁."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def require_momentum(schedule: LRScheduler, optimizer: Optimizer) -> None:
    """Raise ValueError for an optimizer without momentum."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError(
            f"[{type(schedule).__name__}] optimizer must support momentum or beta1 (with `cycle_momentum` option "
            f"enabled), got {type(optimizer).__name__}"
        )


def function_state(function: Any) -> dict[str, Any] | None:
    """Return what can be saved of a callable: the attributes of an object, nothing of a function."""
    return None if isinstance(function, types.FunctionType) else dict(function.__dict__)
