"""Schedules that PyTorch does not have, their errors, and schedules of recorded steps."""

import math

import numpy as np
import pytest

import nnative
from nnative import nn, optim
from nnative.optim import lr_scheduler
from nnative.optim.swa_utils import SWALR

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 8, 6)).astype("float32")
Y = RNG.integers(0, 3, (12, 8))


def sgd(**options):
    return optim.SGD([nnative.zeros(2, requires_grad=True)], **({"lr": 1.0} | options))


class Training:
    """A network whose optimizer follows a schedule."""

    def __init__(self, make, kind="SGD"):
        nnative.manual_seed(3)
        self.model = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3))
        options = {"lr": 0.5, "momentum": 0.5} if kind == "SGD" else {"lr": 0.01}
        self.optimizer = getattr(optim, kind)(self.model.parameters(), **options)
        self.schedule = make(self.optimizer)

    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def values(self):
        return [p.data.tobytes() for p in self.model.parameters()]


SCHEDULES = {
    "exponential": lambda o: lr_scheduler.ExponentialLR(o, 0.7),
    "one cycle": lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=20),
    "momentum": lambda o: lr_scheduler.SutskeverMomentum(o, period=2),
    "averaging": lambda o: SWALR(o, 0.001, anneal_epochs=3),
}


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_recorded_step_follows_a_schedule(name, kind):
    eager, recorded = Training(SCHEDULES[name], kind), Training(SCHEDULES[name], kind)
    constant = Training(lambda o: None, kind)
    step = nnative.compile(recorded.step)
    for x, y in zip(X, Y, strict=True):
        assert step(x, y).item() == eager.step(nnative.Tensor(x), y).item()
        constant.step(nnative.Tensor(x), y)
        eager.schedule.step()
        recorded.schedule.step()
    assert eager.values() == recorded.values() != constant.values()
    assert len(step._recordings) == 1


SCHEDULES_TO_CALL = {
    "step": lambda o: lr_scheduler.StepLR(o, 1).step(),
    "restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3).step(),
    "plateau": lambda o: lr_scheduler.ReduceLROnPlateau(o).step(1.0),
    "chained": lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(o, 1)]).step(),
}


@pytest.mark.parametrize("name", SCHEDULES_TO_CALL)
def test_a_schedule_within_a_recorded_step_is_an_error(name):
    training = Training(lambda o: None)

    def step(x, y):
        loss = training.step(x, y)
        SCHEDULES_TO_CALL[name](training.optimizer)
        return loss

    with pytest.raises(RuntimeError, match=r"step\(\) is called while a step is recorded"):
        nnative.compile(step)(X[0], Y[0])


@pytest.mark.parametrize("name", SCHEDULES)
def test_epochs_follow_a_schedule(name):
    eager, recorded = Training(SCHEDULES[name]), Training(SCHEDULES[name])
    step = nnative.compile(recorded.step)
    x, y = X.reshape(-1, 6), Y.reshape(-1)
    for _ in range(4):
        losses = step.epoch(x, y, batch_size=16, shuffle=False)
        expected = [eager.step(nnative.Tensor(x[i : i + 16]), y[i : i + 16]).item() for i in range(0, 96, 16)]
        np.testing.assert_array_equal(losses, np.float32(expected))
        eager.schedule.step()
        recorded.schedule.step()
    assert eager.values() == recorded.values()


@pytest.mark.parametrize(
    "make", [lambda: sgd(momentum=0.5), lambda: optim.Adam([nnative.zeros(1, requires_grad=True)])]
)
def test_sutskevers_momentum_is_the_papers(make):
    optimizer = make()
    rates = [group["lr"] for group in optimizer.param_groups]
    schedule = lr_scheduler.SutskeverMomentum(optimizer, max_momentum=0.9)
    for t in range(1600):
        expected = min(1 - 2 ** (-1 - math.log2(t // 250 + 1)), 0.9)
        assert schedule.get_last_momentum() == [expected]
        optimizer.step()
        schedule.step()
    assert schedule.get_last_momentum() == [0.9]
    assert schedule.get_last_lr() == rates


def test_momentum_and_rate_are_chained():
    optimizer = sgd(momentum=0.5)
    parts = [lr_scheduler.SutskeverMomentum(optimizer, period=1), lr_scheduler.ExponentialLR(optimizer, 0.5)]
    schedule = lr_scheduler.ChainedScheduler(parts)
    optimizer.step()
    schedule.step()
    assert (optimizer.param_groups[0]["momentum"], optimizer.param_groups[0]["lr"]) == (0.75, 0.5)


def test_a_resumed_momentum_goes_on():
    whole, parts = sgd(momentum=0.5), sgd(momentum=0.5)
    schedule = lr_scheduler.SutskeverMomentum(whole, period=2)
    first = lr_scheduler.SutskeverMomentum(parts, period=2)
    for i in range(10):
        if i == 5:
            saved, options = first.state_dict(), parts.state_dict()
            parts = sgd(momentum=0.5)
            first = lr_scheduler.SutskeverMomentum(parts, period=2)
            parts.load_state_dict(options)
            first.load_state_dict(saved)
        for optimizer, s in ((whole, schedule), (parts, first)):
            optimizer.step()
            s.step()
        assert schedule.get_last_momentum() == first.get_last_momentum()


ERRORS = {
    "no optimizer": (lambda: lr_scheduler.StepLR(3, 1), TypeError, r"^\[StepLR\] int is not an Optimizer"),
    "initial_lr": (lambda: lr_scheduler.StepLR(sgd(), 1, last_epoch=3), KeyError, "'initial_lr' is not specified"),
    "lambdas": (lambda: lr_scheduler.LambdaLR(sgd(), [abs, abs]), ValueError, "Expected 1 lr_lambdas, but got 2"),
    "call": (lambda: lr_scheduler.MultiplicativeLR(sgd(), 0.5), TypeError, "should be a function, but got float"),
    "constant": (lambda: lr_scheduler.ConstantLR(sgd(), 1.5), ValueError, "between 0 and 1, got 1.5"),
    "start": (lambda: lr_scheduler.LinearLR(sgd(), 0), ValueError, "Starting multiplicative factor"),
    "end": (lambda: lr_scheduler.LinearLR(sgd(), 1, -1), ValueError, "Ending multiplicative factor"),
    "T_0": (lambda: lr_scheduler.CosineAnnealingWarmRestarts(sgd(), 0), ValueError, "positive integer T_0, but got 0"),
    "T_mult": (lambda: lr_scheduler.CosineAnnealingWarmRestarts(sgd(), 1, 0.5), ValueError, "T_mult >= 1"),
    "eta": (lambda: lr_scheduler.CosineAnnealingWarmRestarts(sgd(), 1, 1, "0"), ValueError, "eta_min, but got '0'"),
    "lists": (lambda: lr_scheduler.CyclicLR(sgd(), [1, 2], 3), ValueError, "base_lr must have the same length"),
    "mode": (lambda: lr_scheduler.CyclicLR(sgd(), 1, 3, mode="square"), ValueError, "mode is invalid"),
    "steps": (lambda: lr_scheduler.OneCycleLR(sgd(), 1), ValueError, "either total_steps OR"),
    "zero": (lambda: lr_scheduler.OneCycleLR(sgd(), 1, total_steps=0), ValueError, "positive integer total_steps"),
    "epochs": (lambda: lr_scheduler.OneCycleLR(sgd(), 1, epochs=2, steps_per_epoch=0.5), ValueError, "steps_per_epoch"),
    "pct": (lambda: lr_scheduler.OneCycleLR(sgd(), 1, 9, pct_start=2.0), ValueError, "pct_start, but got 2.0"),
    "anneal": (lambda: lr_scheduler.OneCycleLR(sgd(), 1, 9, anneal_strategy="no"), ValueError, "'cos' or 'linear'"),
    "factor": (lambda: lr_scheduler.ReduceLROnPlateau(sgd(), factor=1.0), ValueError, "Factor should be < 1.0"),
    "best": (lambda: lr_scheduler.ReduceLROnPlateau(sgd(), "least"), ValueError, "mode least is unknown"),
    "threshold": (
        lambda: lr_scheduler.ReduceLROnPlateau(sgd(), threshold_mode="x"),
        ValueError,
        "threshold mode x is unknown",
    ),
    "min_lr": (lambda: lr_scheduler.ReduceLROnPlateau(sgd(), min_lr=[1, 2]), ValueError, "min_lr must have the same"),
    "swa_lr": (lambda: SWALR(sgd(), [1, 2]), ValueError, "swa_lr must have the same length"),
    "swa epochs": (lambda: SWALR(sgd(), 1.0, -1), ValueError, "anneal_epochs must be equal or greater than 0, got -1"),
    "swa anneal": (lambda: SWALR(sgd(), 1.0, anneal_strategy="x"), ValueError, "'cos' or 'linear', instead got x"),
    "nothing": (lambda: lr_scheduler.SequentialLR(sgd(), [], []), ValueError, "got no scheduler"),
    "no chain": (lambda: lr_scheduler.ChainedScheduler([]), ValueError, "got no scheduler"),
    "largest": (lambda: lr_scheduler.SutskeverMomentum(sgd(), 1.0), ValueError, r"max_momentum in \[0, 1\)"),
    "period": (lambda: lr_scheduler.SutskeverMomentum(sgd(), period=0), ValueError, "period to be a positive integer"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_is_wrong(name):
    make, error, message = ERRORS[name]
    with pytest.raises(error, match=message):
        make()


def test_combined_schedules_have_one_optimizer_and_no_plateau():
    a, b = sgd(), sgd()
    first, second = lr_scheduler.StepLR(a, 1), lr_scheduler.StepLR(b, 1)
    plateau = lr_scheduler.ReduceLROnPlateau(a)
    for schedules, message in (([first, second], "the same optimizer"), ([first, plateau], "ReduceLROnPlateau")):
        with pytest.raises(ValueError, match=message):
            lr_scheduler.SequentialLR(a, schedules, [1])
        with pytest.raises(ValueError, match=message):
            lr_scheduler.ChainedScheduler(schedules)
    with pytest.raises(TypeError, match="at index 1 should have"):
        lr_scheduler.ChainedScheduler([first, 3])
    with pytest.raises(ValueError, match="one more than the number of milestone points"):
        lr_scheduler.SequentialLR(a, [first], [1])


def test_an_optimizer_without_momentum_has_none_to_cycle():
    class Plain(optim.Optimizer):
        pass

    plain = Plain([nnative.zeros(1, requires_grad=True)], {"lr": 1.0})
    for make in (
        lambda: lr_scheduler.CyclicLR(plain, 0.1, 1.0),
        lambda: lr_scheduler.OneCycleLR(plain, 1.0, 9),
        lambda: lr_scheduler.SutskeverMomentum(plain),
    ):
        with pytest.raises(ValueError, match="must support momentum or beta1"):
            make()
    assert lr_scheduler.CyclicLR(plain, 0.1, 1.0, cycle_momentum=False).get_last_lr() == [pytest.approx(0.1)]


def test_warnings():
    optimizer = sgd()
    schedule = lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        schedule.step()
    optimizer.step()
    with pytest.warns(UserWarning, match=r"step\(epoch\) is deprecated"):
        schedule.step(4)
    assert schedule.get_last_lr() == [pytest.approx(0.01)]
    with pytest.warns(UserWarning, match="get_last_lr"):
        schedule.get_lr()


def test_a_step_too_many_and_a_group_too_many():
    optimizer = sgd(momentum=0.9)
    schedule = lr_scheduler.OneCycleLR(optimizer, 1.0, 2)
    optimizer.step()
    schedule.step()
    schedule.step()
    with pytest.raises(ValueError, match=r"Tried to step 3 times. The specified number of total steps is 2"):
        schedule.step()
    optimizer = sgd()
    schedule = lr_scheduler.LambdaLR(optimizer, lambda t: 1.0)
    optimizer.add_param_group({"params": [nnative.zeros(1, requires_grad=True)]})
    optimizer.step()
    with pytest.raises(ValueError, match="2 parameter groups, more than when the schedule was made"):
        schedule.step()
