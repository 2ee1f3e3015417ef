"""Every optimizer in a recorded step: the bits of the eager one, and changed options are seen."""

import numpy as np
import pytest

import nnative
from nnative import nn, optim

RNG = np.random.default_rng(0)
X = RNG.standard_normal((70, 12)).astype("float32")
Y = RNG.integers(0, 5, 70)

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda p: optim.Adam(p, lr=1e-2),
    "amsgrad": lambda p: optim.Adam(p, lr=1e-2, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=1e-2),
    "nadam": lambda p: optim.NAdam(p, lr=1e-2),
    "radam": lambda p: optim.RAdam(p, lr=1e-2, betas=(0.9, 0.95)),
    "adamax": lambda p: optim.Adamax(p, lr=1e-2),
    "adagrad": lambda p: optim.Adagrad(p, lr_decay=0.1),
    "adadelta": lambda p: optim.Adadelta(p),
    "rmsprop": lambda p: optim.RMSprop(p, centered=True, momentum=0.9),
    "rprop": lambda p: optim.Rprop(p),
    "asgd": lambda p: optim.ASGD(p, t0=2),
    "lion": lambda p: optim.Lion(p, lr=1e-2, weight_decay=0.1),
    "ftrl": lambda p: optim.FTRL(p, lr=0.1, l1=1e-3),
}


class Training:
    """A network with its optimizer and step."""

    def __init__(self, kind, dtype="float32"):
        nnative.manual_seed(1)
        self.model = nn.Sequential(nn.Linear(12, 33), nn.ReLU(), nn.Linear(33, 5)).to(dtype)
        self.optimizer = OPTIMIZERS[kind](self.model.parameters())

    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def values(self):
        return [p.data.tobytes() for p in self.model.parameters()]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_replay_gives_the_bits_of_the_eager_step(kind, dtype, threads):
    eager, recorded = Training(kind, dtype), Training(kind, dtype)
    step = nnative.compile(recorded.step)
    x = X.astype(dtype)
    for i in range(7):
        rows = slice(10 * i, 10 * i + 10)
        a, b = eager.step(nnative.Tensor(x[rows]), Y[rows]), step(x[rows], Y[rows])
        assert a.numpy().tobytes() == b.numpy().tobytes()
    assert eager.values() == recorded.values()
    assert len(step._recordings) == 1


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_changed_learning_rate_is_seen(kind):
    eager, recorded = Training(kind), Training(kind)
    step = nnative.compile(recorded.step)
    for lr in (0.1, 0.05, 0.2, 0.01):
        for training in (eager, recorded):
            training.optimizer.param_groups[0]["lr"] = lr
        eager.step(nnative.Tensor(X), Y)
        step(X, Y)
    assert eager.values() == recorded.values()
    assert len(step._recordings) == 1


SWITCHES = {
    "sgd": [{"momentum": m, "nesterov": m > 0.6} for m in (0, 0.9, 0.5, 0, 0, 0.7)],
    "rmsprop": [{"centered": c, "momentum": m} for c, m in ((1, 0.9), (1, 0), (0, 0.9), (0, 0.5), (1, 0))],
    "adam": [{"amsgrad": a} for a in (False, True, True, False)],
}


@pytest.mark.parametrize("by_epoch", [False, True])
@pytest.mark.parametrize("kind", SWITCHES)
def test_an_option_that_needs_other_state_is_seen(kind, by_epoch):
    eager, recorded = Training(kind), Training(kind)
    step = nnative.compile(recorded.step)
    for options in SWITCHES[kind]:
        for training in (eager, recorded):
            training.optimizer.param_groups[0].update(options)
        for rows in (slice(0, 35), slice(35, 70)):
            eager.step(nnative.Tensor(X[rows]), Y[rows])
            if not by_epoch:
                step(X[rows], Y[rows])
        if by_epoch:
            step.epoch(X, Y, batch_size=35, shuffle=False)
        assert eager.values() == recorded.values(), options


def test_an_option_switched_before_an_eager_step_is_seen():
    eager, recorded = Training("sgd"), Training("sgd")
    step = nnative.compile(recorded.step)
    for momentum in (0, 0.9, 0):
        for training in (eager, recorded):
            training.optimizer.param_groups[0]["momentum"] = momentum
        eager.step(nnative.Tensor(X), Y)
        recorded.step(nnative.Tensor(X), Y)
        eager.step(nnative.Tensor(X), Y)
        step(X, Y)
    assert eager.values() == recorded.values()


def test_groups_switch_each_on_its_own():
    def run(compiled):
        nnative.manual_seed(1)
        layers = nn.Linear(12, 33), nn.Linear(33, 5)
        optimizer = optim.SGD([{"params": list(layer.parameters())} for layer in layers], lr=0.1)

        def step(x, y):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(layers[1](nn.functional.relu(layers[0](x))), y)
            loss.backward()
            optimizer.step()
            return loss

        step = nnative.compile(step) if compiled else step
        losses = []
        for i, momenta in enumerate([(0, 0), (0.9, 0), (0.9, 0.5), (0, 0.5), (0.9, 0.9)]):
            for group, momentum in zip(optimizer.param_groups, momenta, strict=True):
                group["momentum"], group["lr"] = momentum, 0.1 / (i + 1)
            losses += [step(nnative.Tensor(X), Y).item() for _ in range(2)]
        return losses

    assert run(False) == run(True)
