"""Layers with state of their own, recorded: running statistics and masks go on as in the eager step."""

import numpy as np
import pytest

import nnative
from nnative import nn, optim, random

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 40, 12)).astype("float32")
Y = RNG.integers(0, 5, (12, 40))


class Training:
    """A network with batch normalisation and dropout, its optimizer and step."""

    def __init__(self, momentum=0.1, mode="inverted", dtype="float32"):
        random.manual_seed(21)
        self.norm = nn.BatchNorm1d(64, momentum=momentum)
        self.model = nn.Sequential(
            nn.Dropout(0.1, mode=mode), nn.Linear(12, 64), self.norm, nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 5)
        ).to(dtype)
        self.optimizer = optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)

    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        if self.model.training:
            loss.backward()
            self.optimizer.step()
        return loss

    def values(self):
        return [np.asarray(t).tobytes() for t in self.model.state_dict().values()]


def run(pick, training, n=12):
    """Run steps, each by the function that pick returns for its number; return losses, state and the next stream."""
    random.manual_seed(5)
    losses = [pick(i)(nnative.Tensor(X[i].astype(training.norm.weight.dtype)), Y[i]).item() for i in range(n)]
    return losses, training.values(), random.default_generator.stream


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("mode", ["inverted", "classic"])
def test_replays_and_eager_steps_follow_each_other_in_any_order(momentum, mode, dtype, threads):
    eager = Training(momentum, mode, dtype)
    expected = run(lambda i: eager.step, eager)
    assert expected[2] == 24
    for mixed in (lambda i: True, lambda i: i % 3 != 1):
        recorded = Training(momentum, mode, dtype)
        step = nnative.compile(recorded.step)
        assert run(lambda i, m=mixed, s=step, r=recorded: s if m(i) else r.step, recorded) == expected
        assert recorded.norm.num_batches_tracked.item() == 12
        assert len(step._recordings) == 1


def test_train_and_eval_have_recordings_of_their_own():
    def steps(training, step):
        random.manual_seed(5)
        losses = []
        for i in range(12):
            training.model.train(i % 4 < 2)
            losses.append(step(nnative.Tensor(X[i]), Y[i]).item())
        return losses, training.values(), random.default_generator.stream

    eager, recorded = Training(mode="classic"), Training(mode="classic")
    step = nnative.compile(recorded.step)
    assert steps(eager, eager.step) == steps(recorded, step)
    assert len(step._recordings) == 2
    assert recorded.norm.num_batches_tracked.item() == 6


def test_a_seed_between_replays_is_seen():
    layer = nn.Dropout(0.5)
    step = nnative.compile(lambda x: layer(x))
    results = []
    for _ in range(3):
        random.manual_seed(77)
        results += [step(X[0]).numpy().tobytes() for _ in range(2)]
    assert len(set(results)) == 2
    assert results[:2] == results[2:4] == results[4:]


def test_a_changed_probability_is_seen():
    layer = nn.Dropout(0.5)
    step = nnative.compile(lambda x: layer(x))
    step(X[0])
    layer.p = 0.0
    np.testing.assert_array_equal(step(X[1]).numpy(), X[1])


def test_a_changed_momentum_is_seen():
    layer = nn.BatchNorm1d(12)
    step = nnative.compile(lambda x: layer(x))
    step(X[0])
    layer.momentum = 1.0
    step(X[1])
    np.testing.assert_allclose(layer.running_mean.numpy(), X[1].mean(0), rtol=1e-4, atol=1e-6)


def test_an_epoch_is_the_loop_of_calls():
    eager, recorded = Training(), Training()
    step = nnative.compile(recorded.step)
    x, y = X.reshape(-1, 12), Y.reshape(-1)
    random.manual_seed(4)
    order = random.default_generator.permutation(len(x))
    expected = [
        eager.step(nnative.Tensor(x[order[i : i + 32]]), y[order[i : i + 32]]).item() for i in range(0, len(x), 32)
    ]
    random.manual_seed(4)
    np.testing.assert_array_equal(step.epoch(x, y, batch_size=32), np.array(expected, "float32"))
    assert eager.values() == recorded.values()


def test_a_generator_that_fills_an_array_cannot_be_recorded():
    with pytest.raises(RuntimeError, match=r"^\[compile\] a Generator fills an array"):
        nnative.compile(lambda x: x + nnative.Tensor(random.default_generator.uniform(12)))(X[0])
