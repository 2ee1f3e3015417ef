"""Cycles of learning rate and momentum: CyclicLR and OneCycleLR."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nnative.optim.lr_scheduler.base import (
    LRScheduler,
    function_state,
    optimizer_of,
    per_group,
    require_momentum,
    set_momentum,
)
from nnative.optim.optimizer import Optimizer


class _Cycle(LRScheduler):
    """What cycles share: momentum falls while the rate rises."""

    cycle_momentum: bool

    def _begin_momentum(self, optimizer: Optimizer, base: Any, largest: Any, last_epoch: int) -> tuple[list[Any], ...]:
        self.use_beta1 = "betas" in optimizer.defaults
        bases = per_group(self, "base_momentum", optimizer, base)
        maxima = per_group(self, "max_momentum", optimizer, largest)
        if last_epoch == -1:
            for group, low, high in zip(optimizer.param_groups, bases, maxima, strict=True):
                set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low
        return bases, maxima


class CyclicLR(_Cycle):
    """The rate goes up and down between two bounds in straight lines, the momentum down and up.

    Call `step` after every minibatch.

    Parameters
    ----------
    optimizer, last_epoch
        As in `LRScheduler`.
    base_lr, max_lr
        The bounds, one or a list of one for each group.
    step_size_up, step_size_down
        Steps of the rising half and of the falling one (None: as many).
    mode
        ``"triangular"``: all cycles alike; ``"triangular2"``: each half as high as the one before; ``"exp_range"``:
        height times ``gamma`` to the number of steps.
    scale_fn, scale_mode
        Another height, a function of the number of cycles (``"cycle"``) or steps (``"iterations"``).
    cycle_momentum, base_momentum, max_momentum
        Whether momentum (or Adam's β₁) moves, and its bounds.

    Raises
    ------
    ValueError
        For an unknown mode, lists that do not fit the groups, and an optimizer without momentum.

    References
    ----------
    L. Smith, Cyclical learning rates for training neural networks, WACV 2017.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> schedule = lr_scheduler.CyclicLR(optimizer, 0.25, 0.75, step_size_up=2)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        bases = per_group(self, "base_lr", optimizer_of(self, optimizer), base_lr)
        if cycle_momentum:
            require_momentum(self, optimizer)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, bases, strict=True):
                group["lr"] = lr
        self.max_lrs = per_group(self, "max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"[CyclicLR] mode is invalid and scale_fn is None: got mode {mode!r}")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            momenta = self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch)
            self.base_momentums, self.max_momentums = momenta
        super().__init__(optimizer, last_epoch)
        self.base_lrs = bases

    def scale_fn(self, x: float) -> float:
        """Return the height of a cycle."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x  # type: ignore[no-any-return]

    def get_lr(self) -> list[float]:
        """Return the rates for ``last_epoch``, and set the momenta."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        part = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in bounds:
                set_momentum(group, high - (high - low) * part * scale)
        return [low + (high - low) * part * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Return all but the optimizer; of a function for the height, the attributes of a callable object."""
        function = self._scale_fn_custom
        return super().state_dict() | {"_scale_fn_custom": None if function is None else function_state(function)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned; a function for the height stays as it is."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        if state_dict["_scale_fn_custom"] is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(state_dict["_scale_fn_custom"])


class OneCycleLR(_Cycle):
    """One cycle for the whole training: the rate rises, falls to where it began, and on to nearly nothing.

    Call `step` after every minibatch.

    Parameters
    ----------
    optimizer, last_epoch
        As in `LRScheduler`.
    max_lr
        The highest rate, one or a list of one for each group; the first is ``max_lr / div_factor``, the last
        ``max_lr / div_factor / final_div_factor``.
    total_steps
        Steps of the training; or ``epochs`` and ``steps_per_epoch``, whose product it is.
    pct_start
        The part of the steps in which the rate rises, a float.
    anneal_strategy
        ``"cos"`` or ``"linear"``.
    cycle_momentum, base_momentum, max_momentum
        Whether momentum (or Adam's β₁) falls while the rate rises, and its bounds.
    div_factor, final_div_factor
        See ``max_lr``.
    three_phase
        Fall to the first rate in as many steps as it rose, then on to the last; otherwise fall in one phase.

    Raises
    ------
    ValueError
        For numbers of steps that are missing or not positive, other options that make no sense, an optimizer without
        momentum, and a step too many.

    References
    ----------
    L. Smith and N. Topin, Super-convergence: very fast training of neural networks using large learning rates, 2019.

    Examples
    --------
    >>> import nnative
    >>> from nnative.optim import SGD, lr_scheduler
    >>> optimizer = SGD([nnative.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    >>> schedule = lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=11, pct_start=0.5)
    >>> rates = schedule.get_last_lr()
    >>> for _ in range(10):
    ...     optimizer.step()
    ...     schedule.step()
    ...     rates = rates + schedule.get_last_lr()
    >>> round(rates[0], 4), round(max(rates), 2), rates[-1] < 1e-4
    (0.04, 0.98, True)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 10000.0,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        optimizer_of(self, optimizer)
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"[OneCycleLR] Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"[OneCycleLR] anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._schedule_phases = _phases(pct_start, self.total_steps, three_phase)
        self._anneal_func_type = anneal_strategy
        maxima = per_group(self, "max_lr", optimizer, max_lr)
        if cycle_momentum:
            require_momentum(self, optimizer)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, maxima, strict=True):
                group["initial_lr"] = lr / div_factor
                group["max_lr"] = lr
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates for ``last_epoch``, and set the momenta."""
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(
                f"[OneCycleLR] Tried to step {t} times. The specified number of total steps is {self.total_steps}"
            )
        phases = self._schedule_phases
        i = next((i for i, phase in enumerate(phases) if t <= phase["end_step"]), len(phases) - 1)
        phase, start = phases[i], phases[i - 1]["end_step"] if i else 0.0
        done = (t - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], done))
            if self.cycle_momentum:
                set_momentum(group, self._anneal(group[phase["start_momentum"]], group[phase["end_momentum"]], done))
        return rates

    def _anneal(self, start: float, end: float, done: float) -> float:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)
        return (end - start) * done + start


def _total_steps(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    named = {"total_steps": total_steps}
    if total_steps is None:
        named = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        if epochs is None or steps_per_epoch is None:
            raise ValueError("[OneCycleLR] You must define either total_steps OR (epochs AND steps_per_epoch)")
    product = 1
    for name, value in named.items():
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"[OneCycleLR] Expected positive integer {name}, but got {value}")
        product *= value
    return product


def _phases(rising: float, steps: int, three: bool) -> list[dict[str, Any]]:
    """Return the last step of each phase and the group's options that it goes between, in PyTorch's form."""
    ends = [float(rising * steps) - 1, *([float(2 * rising * steps) - 2] if three else []), steps - 1]
    rates = ["initial_lr", "max_lr", *(["initial_lr"] if three else []), "min_lr"]
    momenta = ["max_momentum", "base_momentum", *(["max_momentum"] if three else []), "max_momentum"]
    return [
        {
            "end_step": end,
            "start_lr": rates[i],
            "end_lr": rates[i + 1],
            "start_momentum": momenta[i],
            "end_momentum": momenta[i + 1],
        }
        for i, end in enumerate(ends)
    ]
