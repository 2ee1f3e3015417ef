"""doctor: dead and saturated units, norms of activations and gradients."""

import numpy as np
import pytest

import nnative
from nnative import nn

RNG = np.random.default_rng(2)
X = RNG.standard_normal((32, 6)).astype("float32")
Y = RNG.integers(0, 3, 32)


def test_the_vanishing_gradient_of_ten_sigmoids():
    """Each sigmoid multiplies the gradient by at most ¼, its derivative at 0: 0.25¹⁰ ≈ 9.5e−7."""
    layers = []
    for _ in range(10):
        linear = nn.Linear(1, 1)
        linear.weight.data[...], linear.bias.data[...] = 1.0, 0.0
        layers += [linear, nn.Sigmoid()]
    for linear in layers[2::2]:
        linear.bias.data[...] = -0.5  # so that every sigmoid sees 0
    report = nn.utils.doctor(nn.Sequential(*layers), np.zeros((1, 1), "float32"), np.zeros((1, 1), "float32"))
    last, first = report["19"].gradient_norm, report["0"].gradient_norm
    assert first / last == pytest.approx(0.25**10, rel=1e-5)
    assert first / last == pytest.approx(9.5e-7, rel=0.01)
    norms = [report[str(i)].gradient_norm for i in range(0, 20, 2)]
    np.testing.assert_allclose(np.divide(norms[:-1], norms[1:]), 0.25, rtol=1e-5)


def test_dead_relus_are_counted_and_get_no_gradient():
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    model[0].bias.data[:6] = -100.0
    model[0].bias.data[6:] = 100.0
    report = nn.utils.doctor(model, X, Y)
    assert report["1"].dead == 0.75
    assert report["0"].dead is None
    model[0].bias.data[...] = -100.0
    report = nn.utils.doctor(model, X, Y)
    assert (report["1"].dead, report["0"].gradient_norm, report["0"].weight_gradient_norm) == (1.0, 0.0, 0.0)
    assert " 100% " in str(report)


@pytest.mark.parametrize(("layer", "far"), [(nn.Sigmoid(), 20.0), (nn.Tanh(), -20.0)])
def test_saturated_units_are_counted(layer, far):
    model = nn.Sequential(nn.Linear(6, 4), layer)
    model[0].weight.data[...] = 0.0
    model[0].bias.data[...] = [far, far, far, 0.0]
    report = nn.utils.doctor(model, X, np.zeros((32, 4), "float32"))
    assert report["1"].saturated == 0.75
    assert report["0"].saturated is None


# Of one unit in each column: always at the lower end, in the middle, there at times, above everything.
COLUMNS = np.array([[-9.0, 0.1, -9.0, 9.0], [-8.0, 0.2, 2.1, 9.0]], "float32")
ENDS = [
    (nn.ReLU(), 0.25, None),
    (nn.ReLU6(), 0.25, 0.25),
    (nn.Hardswish(), 0.25, None),
    (nn.Threshold(0.0, 5.0), 0.25, None),
    (nn.Hardshrink(0.5), 0.25, None),  # the second
    (nn.Softshrink(0.5), 0.25, None),
    (nn.Sigmoid(), None, 5 / 8),
    (nn.Hardsigmoid(), None, 5 / 8),
    (nn.Tanh(), None, 5 / 8),
    (nn.Softsign(), None, 0.0),
    (nn.Hardtanh(), None, 6 / 8),
    (nn.Hardtanh(-2.0, 3.0), None, 5 / 8),
    (nn.LeakyReLU(), None, None),
    (nn.GELU(), None, None),
]


@pytest.mark.parametrize(("layer", "dead", "saturated"), ENDS, ids=[repr(layer) for layer, *_ in ENDS])
def test_each_activation_has_its_own_ends(layer, dead, saturated):
    report = nn.utils.doctor(nn.Sequential(layer, nn.Linear(4, 1)), COLUMNS, np.zeros((2, 1), "float32"))
    assert (report["0"].dead, report["0"].saturated) == (dead, saturated)


def test_functions_have_the_ends_of_their_arguments():
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(4, 1)

        def forward(self, x):
            y = nn.functional.hardtanh(x, -2.0, 3.0) + nn.functional.threshold(x, 0.0, 5.0)
            return self.last(y + nn.functional.hardswish(x))

    report = nn.utils.doctor(Functional(), COLUMNS, np.zeros((2, 1), "float32"))
    assert report["hardtanh"].saturated == 5 / 8
    assert report["threshold"].dead == report["hardswish"].dead == 0.25


def test_figures_are_those_of_the_definitions():
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    x = X.astype("float64")
    report = nn.utils.doctor(model, x, Y)
    kept = []
    with model[0].register_full_backward_hook(lambda m, gi, go: kept.append(np.asarray(go[0]).copy())):
        hidden = model[0](nnative.Tensor(x))
        loss = nn.functional.cross_entropy(model[2](model[1](hidden)), Y)
        loss.backward()
    layer = report["0"]
    assert report.loss == loss.item()
    assert (layer.kind, layer.shape, len(report.layers)) == ("Linear", (32, 8), 3)
    np.testing.assert_allclose(
        [layer.mean, layer.std, layer.norm, layer.gradient_norm],
        [hidden.data.mean(), hidden.data.std(), np.linalg.norm(hidden.data), np.linalg.norm(kept[0])],
        rtol=1e-12,
    )
    parameters = list(model[0].parameters())
    np.testing.assert_allclose(layer.weight_norm**2, sum((p.data**2).sum() for p in parameters), rtol=1e-12)
    np.testing.assert_allclose(layer.weight_gradient_norm**2, sum((p.grad**2).sum() for p in parameters), rtol=1e-12)


def test_gradients_of_an_output_used_twice_add_up():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(6, 6), nn.Identity()

        def forward(self, x):
            h = self.first(x)
            return h * 2 + self.second(h) * 3

    report = nn.utils.doctor(Residual(), X, Y, lambda output, _: output.sum())
    assert report["first"].gradient_norm == pytest.approx(5 * np.sqrt(32 * 6))


class Functional(nn.Module):
    """Activations that are functions, and one layer called twice."""

    def __init__(self):
        super().__init__()
        self.first, self.twice = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        return self.twice(nn.functional.relu(self.twice(nn.functional.relu(self.first(x)))))


def test_activation_functions_and_repeated_layers_are_seen():
    report = nn.utils.doctor(nn.Sequential(Functional(), nn.Sigmoid()), X, np.zeros((32, 6), "float32"))
    assert [layer.name for layer in report.layers] == ["0.first", "0.relu", "0.twice", "1"]
    assert 0.0 <= report["0.relu"].dead < 1.0
    assert report["0.twice"].gradient_norm > report["0.first"].gradient_norm > 0


def test_the_model_is_as_it_was():
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    nn.functional.cross_entropy(model(nnative.Tensor(X)), Y).backward()
    values = [np.array(v) for v in model.state_dict().values()]
    gradients = [p.grad.copy() for p in model.parameters()]
    stream = nnative.random.default_generator.stream
    step = nnative.compile(lambda x: model(x).sum())
    step(X)
    model.load_state_dict(dict(zip(model.state_dict(), values, strict=True)))
    nnative.random.default_generator.set_state({"seed": nnative.initial_seed(), "stream": stream})
    first, second = nn.utils.doctor(model, X, Y), nn.utils.doctor(model, X, Y)
    assert str(first) == str(second)
    assert nnative.random.default_generator.stream == stream
    for a, b in zip(values, model.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, p in zip(gradients, model.parameters(), strict=True):
        np.testing.assert_array_equal(a, p.grad)
    step(X)
    assert len(step._recordings) == 1


def test_a_loss_of_ones_own_and_a_name_that_is_none():
    model = nn.Linear(6, 1)
    report = nn.utils.doctor(model, nnative.Tensor(X), Y, lambda output, target: (output * output).sum())
    assert report[""].kind == "Linear"
    with pytest.raises(KeyError, match="expected one of"):
        report["5"]
