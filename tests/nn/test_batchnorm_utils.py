"""recalibrate_batchnorm gives the exact population statistics, fold_batchnorm the same results."""

import numpy as np
import pytest

import nnative
from nnative import data, nn

RNG = np.random.default_rng(14)
X = (RNG.standard_normal((120, 6)) * 2 + 1).astype("float32")


def trained(*layers):
    """Return a model whose batch norms have seen something, in evaluation mode."""
    model = nn.Sequential(*layers)
    for parameter in model.parameters():
        parameter.data[:] = RNG.uniform(0.5, 1.5, parameter.shape)
    for _ in range(3):
        model(nnative.Tensor(X))
    return model.eval()


def test_statistics_are_plain_averages_over_batches():
    norm = nn.BatchNorm1d(6, momentum=0.3)
    norm(nnative.Tensor(X))  # forgotten
    batches = [X[:40], X[40:80], X[80:]]
    assert nn.utils.recalibrate_batchnorm(norm, [(b, None) for b in batches]) is norm
    np.testing.assert_allclose(norm.running_mean.data, np.mean([b.mean(0) for b in batches], 0), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var.data, np.mean([b.var(0, ddof=1) for b in batches], 0), rtol=1e-5)
    assert norm.momentum == 0.3
    assert norm.num_batches_tracked.item() == 3
    assert norm.training


def test_inner_layers_see_the_network_that_predicts():
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh())
    nn.utils.recalibrate_batchnorm(model, data.DataLoader(data.ArrayDataset(X), batch_size=120))
    hidden = model[1](nnative.Tensor(X)).detach().numpy()
    np.testing.assert_allclose(model[2].running_mean.data, hidden.mean(0), rtol=1e-4, atol=1e-6)
    assert all(m.training for m in model.modules())


def test_modes_and_momenta_come_back_after_an_error_and_nothing_is_forgotten_without_batches():
    model = trained(nn.BatchNorm1d(6, momentum=0.2))
    before = model[0].running_mean.data.copy()
    with pytest.raises(ValueError, match="loader with batches, got none"):
        nn.utils.recalibrate_batchnorm(model, [])
    np.testing.assert_array_equal(model[0].running_mean.data, before)
    with pytest.raises(ValueError, match="6 channels"):
        nn.utils.recalibrate_batchnorm(model, [X[:, :5]])
    assert model[0].momentum == 0.2
    assert not model[0].training
    assert nn.utils.recalibrate_batchnorm(nn.ReLU(), []) is not None


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_a_folded_model_gives_the_same_results(bias, affine, dtype):
    model = trained(
        nn.Linear(6, 10, bias),
        nn.BatchNorm1d(10, affine=affine),
        nn.ReLU(),
        nn.Sequential(nn.Linear(10, 4), nn.BatchNorm1d(4)),
    ).to(dtype)
    state = {name: value.clone().numpy() for name, value in model.state_dict().items()}
    folded = nn.utils.fold_batchnorm(model)
    assert [type(m).__name__ for m in folded.modules()].count("BatchNorm1d") == 0
    assert [type(m).__name__ for m in folded.modules()].count("Identity") == 2
    x = nnative.Tensor(X.astype(dtype))
    rtol = 2e-4 if dtype == "float32" else 1e-10
    np.testing.assert_allclose(folded(x).detach(), model(x).detach(), rtol=rtol, atol=rtol)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), state[name])
    assert not folded.training
    assert folded[0].weight.dtype == dtype


def test_what_cannot_be_folded_stays():
    shared = nn.Linear(6, 6)
    model = trained(
        nn.BatchNorm1d(6),
        nn.Linear(6, 6),
        nn.ReLU(),
        nn.BatchNorm1d(6),
        shared,
        nn.BatchNorm1d(6),
        shared,
        nn.BatchNorm1d(6, track_running_stats=False),
    )
    folded = nn.utils.fold_batchnorm(model)
    assert [type(m).__name__ for m in folded] == [type(m).__name__ for m in model]
    np.testing.assert_array_equal(folded(nnative.Tensor(X)).detach(), model(nnative.Tensor(X)).detach())


def test_folding_is_torchs():
    torch = pytest.importorskip("torch")
    model = trained(nn.Linear(6, 5), nn.BatchNorm1d(5))
    theirs = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.BatchNorm1d(5)).eval()
    theirs.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in model.state_dict().items()})
    fused = torch.nn.utils.fusion.fuse_linear_bn_eval(theirs[0], theirs[1])
    folded = nn.utils.fold_batchnorm(model)
    np.testing.assert_allclose(folded[0].weight.data, fused.weight.detach(), rtol=1e-5)
    np.testing.assert_allclose(folded[0].bias.data, fused.bias.detach(), rtol=1e-4, atol=1e-5)
