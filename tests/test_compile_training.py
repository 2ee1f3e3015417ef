"""What belongs to a training step beside network and optimizer, recorded: clipping, constraints, averages."""

import numpy as np
import pytest

import nnative
from nnative import nn, optim
from nnative.nn import utils
from nnative.optim import swa_utils

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 20, 12)).astype("float32")
Y = RNG.integers(0, 5, (6, 20))


class Training:
    """A network with its optimizer, an average of it, and a step that `between` and `after` complete."""

    def __init__(self, kind, dtype):
        nnative.manual_seed(3)
        self.model = nn.Sequential(nn.Linear(12, 33), nn.BatchNorm1d(33), nn.ReLU(), nn.Linear(33, 5)).to(dtype)
        self.optimizer = optim.SGD(self.model.parameters(), lr=0.2, momentum=0.9)
        average = {"ema": swa_utils.get_ema_multi_avg_fn(0.9)}.get(kind)
        self.averaged = swa_utils.AveragedModel(self.model, multi_avg_fn=average, use_buffers=kind == "swa buffers")
        self.kind = kind

    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        results = [loss]
        weights = [p for p in self.model.parameters() if p.ndim > 1]
        if self.kind == "penalty":
            loss = loss + utils.elastic_net_penalty(weights, 0.01, 0.1)
        loss.backward()
        if self.kind == "norm":
            results.append(utils.clip_grad_norm_(self.model.parameters(), 0.1))
        elif self.kind == "norm in two":
            gradients = [p.grad for p in self.model.parameters()]
            results.append(utils.get_total_norm(gradients, 1.0))
            utils.clip_grads_with_norm_(self.model.parameters(), 0.5, results[-1])
        elif self.kind == "values":
            utils.clip_grad_value_(self.model.parameters(), 0.01)
        self.optimizer.step()
        if self.kind == "max norm":
            utils.max_norm_(self.model.parameters(), 0.5)
        elif self.kind in ("swa", "ema", "swa buffers"):
            self.averaged.update_parameters(self.model)
        return results

    def values(self):
        return [t.numpy().tobytes() for t in (*self.model.state_dict().values(), *self.averaged.state_dict().values())]


KINDS = ["plain", "penalty", "norm", "norm in two", "values", "max norm", "swa", "swa buffers", "ema"]


@pytest.mark.parametrize("kind", KINDS)
def test_replay_equals_eager(kind, dtype, threads):
    eager, recorded = Training(kind, dtype), Training(kind, dtype)
    step = nnative.compile(recorded.step)
    for x, y in zip(X.astype(dtype), Y, strict=True):
        expected, got = eager.step(nnative.Tensor(x), y), step(x, y)
        assert [t.numpy().tobytes() for t in expected] == [t.numpy().tobytes() for t in got]
    assert eager.values() == recorded.values()
    assert len(step._recordings) == 1
    if kind != "plain":
        plain = Training("plain", dtype)
        for x, y in zip(X.astype(dtype), Y, strict=True):
            plain.step(nnative.Tensor(x), y)
        assert plain.values() != eager.values()


def test_an_error_for_gradients_without_bounds_cannot_be_recorded():
    layer = nn.Linear(12, 5)

    def step(x):
        layer.zero_grad()
        layer(x).sum().backward()
        return utils.clip_grad_norm_(layer.parameters(), 1.0, error_if_nonfinite=True)

    with pytest.raises(RuntimeError, match=r"^\[compile\] error_if_nonfinite=True reads a value"):
        nnative.compile(step)(X[0])


def test_an_average_by_an_own_function_cannot_be_recorded():
    layer = nn.Linear(12, 5)
    averaged = swa_utils.AveragedModel(layer, avg_fn=swa_utils.get_swa_avg_fn())

    def step(x):
        averaged.update_parameters(layer)
        return layer(x)

    with pytest.raises(RuntimeError, match=r"^\[compile\].*reads a value"):
        nnative.compile(step)(X[0])


@pytest.mark.parametrize("set_to_none", [True, False])
def test_accumulated_gradients_are_those_of_the_whole_batch(set_to_none):
    def train(parts, compiled):
        nnative.manual_seed(3)
        model = nn.Sequential(nn.Linear(12, 33), nn.Tanh(), nn.Linear(33, 5)).to("float64")
        optimizer = optim.Adam(model.parameters(), lr=0.01)

        def accumulate(x, y):
            loss = nn.functional.cross_entropy(model(x), y) / parts
            loss.backward()
            return loss

        def update():
            optimizer.step()
            optimizer.zero_grad(set_to_none)

        functions = [nnative.compile(f) if compiled else f for f in (accumulate, update)]
        losses = []
        for x, y in zip(X.astype("float64"), Y, strict=True):
            rows = np.split(np.arange(20), parts)
            losses.append(sum(functions[0](nnative.Tensor(x[r]), y[r]).item() for r in rows))
            functions[1]()
        return losses, [p.data for p in model.parameters()], functions

    whole, eager, recorded = train(1, False), train(4, False), train(4, True)
    np.testing.assert_allclose(eager[0], whole[0], rtol=1e-10)
    for a, b, c in zip(whole[1], eager[1], recorded[1], strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-8, atol=1e-10)
        assert b.tobytes() == c.tobytes()
    assert eager[0] == recorded[0]
    assert len(recorded[2][0]._recordings) <= 2  # the first part finds no gradient, the others do
    assert len(recorded[2][1]._recordings) <= 2


def test_parts_of_a_batch_in_one_recorded_step():
    def run(compiled):
        nnative.manual_seed(3)
        layer = nn.Linear(12, 5)
        optimizer = optim.SGD(layer.parameters(), lr=0.1)

        def step(x, y):
            optimizer.zero_grad()
            for i in range(0, 20, 5):
                loss = nn.functional.cross_entropy(layer(x[i : i + 5]), y[i : i + 5]) / 4
                loss.backward()
            utils.clip_grad_norm_(layer.parameters(), 0.5)
            optimizer.step()
            return loss

        step = nnative.compile(step) if compiled else step
        losses = [step(nnative.Tensor(x), nnative.Tensor(y)).item() for x, y in zip(X, Y, strict=True)]
        return losses, [p.data.tobytes() for p in layer.parameters()]

    assert run(False) == run(True)


def test_the_perceptrons_rule():
    def run(compiled):
        nnative.manual_seed(3)
        rule = optim.Perceptron(nn.Linear(12, 5), lr=0.1)
        learn = nnative.compile(rule.learn) if compiled else rule.learn
        errors = [learn(x, np.eye(5, dtype="float32")[y]).item() for x, y in zip(X, Y, strict=True)]
        return errors, [p.data.tobytes() for p in rule.layer.parameters()]

    assert run(False) == run(True)
