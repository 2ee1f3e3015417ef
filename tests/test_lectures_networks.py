"""What the lecture notes claim about neurons, starting values, regularisation and normalisation, shown on networks."""

import itertools

import numpy as np
import pytest

import nnative
from nnative import nn, optim, random
from nnative.nn import functional as F

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float64), np.array([0.0, 1.0, 1.0, 0.0])[:, None]


def minimise(parameters, loss):
    """Minimise a smooth function of the full batch."""
    optimizer = optim.LBFGS(parameters, max_iter=200, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
    return loss().item()


def data(n=200, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 3))
    return x, (x @ [1.0, -2.0, 0.5] + rng.standard_normal(n) > 0.3).astype(np.float64)


# The neuron


def test_the_gradient_of_logistic_regression_is_error_times_input():
    x, y = data()
    neuron = nn.Linear(3, 1, dtype="float64")
    F.binary_cross_entropy_with_logits(neuron(nnative.Tensor(x))[:, 0], y).backward()
    error = 1 / (1 + np.exp(-(x @ neuron.weight.data[0] + neuron.bias.data))) - y
    np.testing.assert_allclose(neuron.weight.grad[0], error @ x / len(x), rtol=1e-10)
    np.testing.assert_allclose(neuron.bias.grad, [error.mean()], rtol=1e-10)


def test_logistic_regression_is_a_sigmoid_neuron():
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = data()
    neuron, inputs = nn.Linear(3, 1, dtype="float64"), nnative.Tensor(x)

    def loss():
        penalty = nn.utils.l2_penalty([neuron.weight], 0.1)
        return F.binary_cross_entropy_with_logits(neuron(inputs)[:, 0], y, reduction="sum") + penalty

    minimise(neuron.parameters(), loss)
    theirs = linear_model.LogisticRegression(C=10, tol=1e-10, max_iter=1000).fit(x, y)
    np.testing.assert_allclose(neuron.weight.data, theirs.coef_, rtol=1e-4)
    np.testing.assert_allclose(neuron.bias.data, theirs.intercept_, rtol=1e-4)


def test_a_trained_network_with_a_hidden_layer_solves_xor_and_one_neuron_does_not():
    x, y = XOR
    nnative.manual_seed(1)
    layers = nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid()
    for model, best in ((nn.Sequential(*layers), 0.01), (nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()), np.log(2))):
        model.double()
        optimizer = optim.Adam(model.parameters(), lr=0.05)

        @nnative.compile
        def step(inputs, targets, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = F.binary_cross_entropy(model(inputs), targets)
            loss.backward()
            optimizer.step()
            return loss

        losses = [step(x, y).item() for _ in range(600)]
        if best < 0.1:
            assert losses[-1] < best
            np.testing.assert_array_equal(model(nnative.Tensor(x)).numpy().round(), y)
        else:
            assert losses[-1] == pytest.approx(best, rel=1e-3)


# Activations


def test_choices_at_zero_and_default_slopes():
    x = nnative.zeros(1, requires_grad=True)
    F.relu(x).sum().backward()
    assert x.grad[0] == 0
    assert (nn.Step()(x).item(), nn.Sign()(x).item()) == (0, -1)
    assert nn.LeakyReLU()(nnative.full((), -1.0)).item() == pytest.approx(-0.01)
    assert nn.PReLU().weight.item() == 0.25


# Starting values


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_constant_starting_values_leave_all_hidden_units_the_same(value):
    x, y = data()
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def train():
        for _ in range(30):
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(model(nnative.Tensor(x))[:, 0], y).backward()
            optimizer.step()
        return np.ptp(model[0].weight.data, axis=0).max()

    for p in model.parameters():
        nn.init.constant_(p, value)
    assert train() == 0
    nn.init.xavier_normal_(model[0].weight)
    assert train() > 0.1


@pytest.mark.parametrize(
    ("activation", "fill", "least", "most"),
    [
        (nn.Tanh, lambda w: nn.init.xavier_normal_(w), 0.1, 1.0),
        (nn.Tanh, lambda w: nn.init.normal_(w, 0, 0.01), 0.0, 1e-6),
        (nn.ReLU, lambda w: nn.init.kaiming_normal_(w), 0.3, 3.0),
        (nn.ReLU, lambda w: nn.init.xavier_normal_(w), 0.0, 0.1),
    ],
)
def test_xavier_keeps_signals_through_tanh_and_he_through_relu(activation, fill, least, most):
    nnative.manual_seed(2)
    layers = []
    for _ in range(10):
        layers += [nn.Linear(200, 200, bias=False), activation()]
        fill(layers[-2].weight)
    x = np.random.default_rng(0).standard_normal((50, 200)).astype("float32")
    report = nn.utils.doctor(nn.Sequential(*layers), x, np.zeros((50, 200), "float32"))
    assert least <= report["19"].norm / report["1"].norm <= most


# Losses and regularisation


def test_the_squared_errors_of_textbooks():
    y, t = np.random.default_rng(0).standard_normal((2, 6, 3))
    e = y - t
    y = nnative.Tensor(y)
    assert nn.MSELoss()(y, t).item() == pytest.approx((e**2).mean())
    assert nn.MSELoss(reduction="batchmean")(y, t).item() == pytest.approx((e**2).sum(1).mean())
    assert (0.5 * nn.MSELoss(reduction="sum")(y, t)).item() == pytest.approx(0.5 * (e**2).sum())
    np.testing.assert_allclose(nn.MSELoss(reduction="none")(y, t).numpy(), e**2)


@pytest.mark.parametrize(("penalty", "decay"), [("half", 0.3), ("whole", 0.6), ("over n", 0.003)])
def test_penalties_of_textbooks_as_weight_decay(penalty, decay):
    lam, n = 0.3, 200
    w = nnative.Tensor(np.array([2.0, -1.0]), requires_grad=True)
    ({"half": 0.5 * lam, "whole": lam, "over n": lam / n}[penalty] * (w * w).sum()).backward()
    v = nnative.Tensor(w.data.copy(), requires_grad=True)
    v.grad = np.zeros(2)
    optim.SGD([v], lr=1.0, weight_decay=decay).step()
    np.testing.assert_allclose(w.data - w.grad, v.data)


def test_label_smoothing_is_cross_entropy_with_soft_targets():
    x, classes = np.random.default_rng(0).standard_normal((6, 4)), np.array([0, 1, 2, 3, 0, 1])
    soft = 0.9 * np.eye(4)[classes] + 0.1 / 4
    x = nnative.Tensor(x)
    assert F.cross_entropy(x, classes, label_smoothing=0.1).item() == pytest.approx(F.cross_entropy(x, soft).item())


def test_noise_on_inputs_is_an_l2_penalty_for_a_linear_neuron():
    """E[(w·(x + ε) − t)²] = (w·x − t)² + σ²‖w‖² (Bishop 1995)."""
    nnative.manual_seed(3)
    neuron, noise = nn.Linear(4, 1, dtype="float64"), nn.GaussianNoise(0.5)
    x, t = np.random.default_rng(0).standard_normal((5, 4)), np.zeros((100_000, 1))
    inputs = nnative.Tensor(np.repeat(x, 20_000, axis=0))
    noisy, clean = F.mse_loss(neuron(noise(inputs)), t), F.mse_loss(neuron(inputs), t)
    assert noisy.item() == pytest.approx(clean.item() + 0.25 * (neuron.weight.data**2).sum(), rel=0.02)


def test_dropout_draws_a_mask_for_each_case():
    nnative.manual_seed(3)
    masks = nn.Dropout(0.5)(nnative.ones(50, 40)).numpy()
    assert len(np.unique(masks, axis=0)) == 50


def test_dropout_at_test_time_is_the_geometric_mean_of_thinned_softmax_networks():
    """For one softmax layer behind dropout, scaling the weights is exact (Hinton et al. 2012)."""
    random.manual_seed(3)
    layer, drop = nn.Linear(4, 3, dtype="float64"), nn.Dropout(0.5, mode="classic").eval()
    x = np.random.default_rng(0).standard_normal(4)
    masks = np.array(list(itertools.product([0.0, 1.0], repeat=4)))
    logs = F.log_softmax(layer(nnative.Tensor(masks * x)), 1).numpy().mean(0)
    expected = np.exp(logs) / np.exp(logs).sum()
    np.testing.assert_allclose(F.softmax(layer(drop(nnative.Tensor(x[None]))), 1).numpy()[0], expected, rtol=1e-12)


# Batch normalisation


def test_batch_normalisation_by_the_papers_two_algorithms():
    batches = np.random.default_rng(0).normal(3, 2, (20, 8, 2))
    layer = nn.BatchNorm1d(2, dtype="float64")
    layer.weight.data[...], layer.bias.data[...] = [2.0, 0.5], [1.0, -1.0]
    x = batches[0]
    mean, var = x.mean(0), ((x - x.mean(0)) ** 2).sum(0) / 8
    expected = layer.weight.data * (x - mean) / np.sqrt(var + layer.eps) + layer.bias.data
    np.testing.assert_allclose(layer(nnative.Tensor(x)).detach().numpy(), expected, rtol=1e-12)
    nn.utils.recalibrate_batchnorm(layer, batches)
    mean, var = batches.mean((0, 1)), 8 / 7 * batches.var(1).mean(0)
    expected = layer.weight.data * (x - mean) / np.sqrt(var + layer.eps) + layer.bias.data
    np.testing.assert_allclose(layer.eval()(nnative.Tensor(x)).detach().numpy(), expected, rtol=1e-12)


class NoisyBatchNorm(nn.Module):
    """Batch normalisation whose units are then shifted and scaled at random at every step (Santurkar et al. 2018)."""

    def __init__(self, features, std):
        super().__init__()
        self.norm, self.noise = nn.BatchNorm1d(features), nn.GaussianNoise(std)
        self.register_buffer("one", np.ones((1, features), np.float32))

    def forward(self, input):
        return self.norm(input) * self.noise(self.one) + self.noise(self.one) - self.one


@pytest.mark.parametrize("norm", [nn.Identity, nn.BatchNorm1d, lambda n: NoisyBatchNorm(n, 0.3)])
def test_a_deep_sigmoid_network_learns_with_batch_normalisation_noisy_or_not(norm):
    nnative.manual_seed(4)
    x, y = data(256)
    sizes = [3, 16, 16, 16, 16]
    layers = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), norm(b), nn.Sigmoid())]
    model = nn.Sequential(*layers, nn.Linear(16, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.5)

    @nnative.compile
    def step(inputs, targets):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    losses = [step(x.astype("float32"), y[:, None].astype("float32")).item() for _ in range(150)]
    learns = norm is not nn.Identity
    assert (np.mean(losses[-20:]) < 0.5) == learns
    assert len(step._recordings) == 1
