"""detect_anomaly: where the first NaN or infinity came from, eagerly and in recorded steps."""

import functools

import numpy as np
import pytest

import nnative
from nnative import nn, optim
from nnative.anomaly import AnomalyError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 6)).astype("float32")
Y = RNG.integers(0, 3, 40)


class Training:
    def __init__(self, lr=0.1):
        nnative.manual_seed(1)
        self.model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Sequential(nn.Dropout(0.2), nn.Linear(8, 3)))
        self.optimizer = optim.SGD(self.model.parameters(), lr=lr, momentum=0.9)

    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss


def test_the_operation_the_layer_the_step_and_the_ranges_are_named():
    training = Training(lr=1e30)
    with nnative.detect_anomaly():
        training.step(nnative.Tensor(X), Y)
        with pytest.raises(AnomalyError) as caught:
            training.step(nnative.Tensor(X), Y)
    error = caught.value
    assert (error.operation, error.layer, error.step) == ("Linear", "Sequential.2.1 (Linear)", 2)
    head, x, weight, bias = str(error).splitlines()
    assert head.startswith("[detect_anomaly] Linear returned ")
    assert head.endswith(" inf in 120 values, layer Sequential.2.1 (Linear), in step 2")
    assert x.startswith("  x: float32 of shape (40, 8) from 0 to ")
    assert weight.startswith("  weight: float32 of shape (3, 8) from -")
    assert bias.startswith("  bias: float32 of shape (3,) from ")


def test_a_gradient_is_named_with_its_layer():
    class Root(nn.Module):
        def forward(self, x):
            return nnative.sqrt(x)

    model, x = nn.Sequential(nn.Identity(), Root()), nnative.tensor([0.0, 4.0], requires_grad=True)
    with pytest.raises(AnomalyError) as caught, nnative.detect_anomaly():
        model(x).sum().backward()
    assert str(caught.value) == (
        "[detect_anomaly] Sqrt.backward returned 1 inf in 2 values as the gradient of x, layer Sequential.1 (Root), "
        "in step 1\n  the gradient that arrived: float32 of shape (2,) from 1 to 1\n"
        "  x: float32 of shape (2,) from 0 to 4"
    )


def infinite(ctx, x):
    return np.full_like(x, np.inf)


FORWARDS = {
    "x": staticmethod(infinite),
    "values": classmethod(lambda cls, ctx, values, *numbers: infinite(ctx, values)),
    "argument 0": staticmethod(lambda ctx, *args: infinite(ctx, *args)),
    "argument 0, of a function without names": functools.partial(infinite),
}


@pytest.mark.parametrize("name", FORWARDS)
def test_arguments_have_the_names_of_forward(name):
    function = type("Infinite", (nnative.Function,), {"forward": FORWARDS[name]})
    text = (
        rf"^\[detect_anomaly\] Infinite returned .*\n  {name.partition(',')[0]}: float32 of shape \(2,\) from 0 to 0$"
    )
    with nnative.detect_anomaly(), pytest.raises(AnomalyError, match=text):
        function.apply(nnative.zeros(2))


def test_what_is_looked_for_can_be_chosen():
    zero, negative = nnative.zeros(2), nnative.full(2, -1.0)
    with nnative.detect_anomaly(check_inf=False):
        nnative.log(zero)
        with pytest.raises(AnomalyError, match="Log returned 2 NaN in 2 values, in step 1"):
            nnative.log(negative)
    with nnative.detect_anomaly(check_nan=False):
        nnative.log(negative)
        with pytest.raises(AnomalyError, match="Log returned 2 inf"):
            nnative.log(zero)
    nnative.log(zero)  # outside nobody looks


def test_recorded_steps_run_eagerly_within_and_have_the_same_bits():
    plain, watched = Training(), Training()
    a, b = nnative.compile(plain.step), nnative.compile(watched.step)
    nnative.manual_seed(2)
    expected = [a(X, Y).item() for _ in range(4)] + a.epoch(X, Y, batch_size=16).tolist()
    nnative.manual_seed(2)
    losses = [b(X, Y).item()]
    recorded = len(b._recordings)
    with nnative.detect_anomaly():
        losses += [b(X, y=Y).item(), b(X, Y).item()]
    losses.append(b(X, Y).item())
    with nnative.detect_anomaly():
        losses += b.epoch(X, Y, batch_size=16).tolist()
    assert losses == expected
    assert len(b._recordings) == recorded == 1
    for p, q in zip(plain.model.parameters(), watched.model.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def test_a_recorded_step_or_epoch_that_diverges_is_found():
    for run in (lambda step: step(X, Y), lambda step: step.epoch(X, Y, batch_size=40)):
        training = Training(lr=1e30)
        step = nnative.compile(training.step)
        step(X, Y)
        with pytest.raises(AnomalyError, match=r"Linear returned .* inf in 120 values"), nnative.detect_anomaly():
            run(step)
        step(X, Y)  # and nothing is left behind


def test_within_a_recorded_step_it_is_an_error():
    def step(x):
        with nnative.detect_anomaly():
            return x * 2

    with pytest.raises(RuntimeError, match=r"^\[detect_anomaly\] a step is being recorded"):
        nnative.compile(step)(X)


def test_values_can_be_read_and_numbers_drawn_within():
    with nnative.detect_anomaly():
        assert nnative.ones(1).item() == 1.0
        assert nn.init.uniform_(nnative.zeros(3)).shape == (3,)
