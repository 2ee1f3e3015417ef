"""AlphaDropout, GaussianDropout, GaussianNoise and Monte Carlo dropout: moments, gradients, seeds, errors."""

import numpy as np
import pytest

import nnative
from nnative import nn, random

N = 400_000
X = np.random.default_rng(2).standard_normal((40, 50)).astype("float32")
LAYERS = [nn.AlphaDropout(0.3), nn.GaussianDropout(0.3), nn.GaussianNoise(0.4)]


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5])
def test_alpha_dropout_keeps_mean_and_variance_of_standard_normal_inputs(p):
    random.manual_seed(1)
    x = np.random.default_rng(0).standard_normal(N)
    y = nn.AlphaDropout(p)(nnative.Tensor(x)).numpy()
    assert abs(y.mean()) < 0.01
    assert y.std() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5])
def test_alpha_dropouts_two_values_are_torchs(p):
    torch = pytest.importorskip("torch")
    assert repr(nn.AlphaDropout(p)) == repr(torch.nn.AlphaDropout(p))
    ours, theirs = (
        np.unique(f)
        for f in (
            nn.functional.alpha_dropout(nnative.full((1000,), 1.5), p, True).numpy(),
            torch.nn.functional.alpha_dropout(torch.full((1000,), 1.5), p, True).numpy(),
        )
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5])
def test_gaussian_dropout_has_the_moments_of_dropout(p):
    random.manual_seed(1)
    y = nn.GaussianDropout(p)(nnative.full((N,), 3.0)).numpy()
    assert y.mean() == pytest.approx(3, abs=0.02)
    assert y.var() == pytest.approx(9 * p / (1 - p), rel=0.02)
    assert nn.GaussianDropout(keep=1 - p).p == pytest.approx(p)


def test_gaussian_noise_has_its_deviation():
    random.manual_seed(1)
    y = nn.GaussianNoise(0.2)(nnative.full((N,), 3.0)).numpy()
    assert y.mean() == pytest.approx(3, abs=0.002)
    assert y.std() == pytest.approx(0.2, rel=0.01)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_the_gradient_has_the_mask_of_the_result(layer, dtype):
    x = nnative.Tensor(np.full((70, 90), 2.0, dtype), requires_grad=True)
    y = layer(x)
    nn.functional.dropout(y, 0.5)  # another stream in between
    y.backward(np.full((70, 90), 3, dtype))
    if isinstance(layer, nn.GaussianDropout):
        expected = 3 * y.numpy() / 2
    elif isinstance(layer, nn.GaussianNoise):
        expected = np.full((70, 90), 3.0)
    else:
        kept = y.numpy() > 0
        slope = ((1 + 0.3 * 1.7580993408473766**2) * 0.7) ** -0.5
        expected = np.where(kept, 3 * slope, 0)
        assert kept.mean() == pytest.approx(0.7, abs=0.03)
    np.testing.assert_allclose(x.grad, expected, rtol=1e-5)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_the_seed_decides_each_call_has_its_own_mask_and_evaluation_is_the_identity(layer):
    x = nnative.Tensor(X)
    random.manual_seed(9)
    first, second = layer(x).numpy(), layer(x).numpy()
    assert random.default_generator.stream == 2
    assert (first != second).mean() > 0.3
    random.manual_seed(9)
    np.testing.assert_array_equal(layer(x).numpy(), first)
    layer.eval()
    assert layer(x) is x
    layer.train()
    assert random.default_generator.stream == 1


def test_limits():
    x = nnative.Tensor(X)
    assert nn.AlphaDropout(0.0)(x) is nn.GaussianDropout(0.0)(x) is nn.GaussianNoise(0.0)(x) is x
    np.testing.assert_array_equal(nn.AlphaDropout(1.0)(x).numpy(), np.zeros_like(X))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.AlphaDropout(1.5), r"\[alpha_dropout\] expected p between 0 and 1, got 1.5"),
        (lambda: nn.GaussianDropout(1.0), r"\[gaussian_dropout\] expected p below 1"),
        (lambda: nn.GaussianDropout(0.5, keep=0.5), r"\[gaussian_dropout\] expected p or keep"),
        (lambda: nn.GaussianNoise(-1.0)(nnative.Tensor(X)), r"\[gaussian_noise\] expected a finite std"),
        (lambda: nn.functional.gaussian_noise(nnative.Tensor(X), np.inf), "finite std"),
        (lambda: nn.utils.mc_dropout(nn.Dropout(), nnative.Tensor(X), 0), r"\[mc_dropout\] expected at least one"),
        (lambda: nn.utils.mc_dropout(nn.ReLU(), nnative.Tensor(X)), "expected a model with dropout layers, got ReLU"),
    ],
)
def test_wrong_arguments_are_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_anything_but_a_float_tensor_is_an_error():
    for function in (nn.functional.alpha_dropout, nn.functional.gaussian_dropout, nn.functional.gaussian_noise):
        with pytest.raises(TypeError, match=r"\[.*\] expected a Tensor, got ndarray"):
            function(X)
        with pytest.raises(TypeError, match="float32 or float64"):
            function(nnative.Tensor(np.arange(3)))


def test_monte_carlo_dropout_has_the_mean_and_variance_of_its_masks():
    random.manual_seed(4)
    model = nn.Sequential(nn.Dropout(0.25), nn.GaussianNoise(5.0))
    mean, variance = nn.utils.mc_dropout(model, nnative.full((2000,), 3.0), samples=50)
    assert mean.numpy().mean() == pytest.approx(3, abs=0.05)
    assert variance.numpy().mean() == pytest.approx(9 * (0.25 / 0.75) * 49 / 50, rel=0.05)
    assert not mean.requires_grad


def test_monte_carlo_dropout_is_the_mean_of_single_predictions_and_restores_modes():
    model = nn.Sequential(nn.Linear(50, 20), nn.BatchNorm1d(20), nn.Dropout(0.5), nn.Linear(20, 3))
    model[0].eval()
    before = {name: value.clone().numpy() for name, value in model.state_dict().items()}
    modes = [m.training for m in model.modules()]
    random.manual_seed(6)
    mean, variance = nn.utils.mc_dropout(model, nnative.Tensor(X), samples=8)
    assert [m.training for m in model.modules()] == modes
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    random.manual_seed(6)
    model.eval()
    model[2].train()
    single = np.stack([model(nnative.Tensor(X)).detach().numpy() for _ in range(8)])
    np.testing.assert_allclose(mean.numpy(), single.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(variance.numpy(), single.var(0), rtol=1e-4, atol=1e-6)
