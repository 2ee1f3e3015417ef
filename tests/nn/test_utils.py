"""Parameters as a vector, and weight normalisation."""

import copy

import numpy as np
import pytest

import nnative
from nnative import nn
from nnative.nn.utils import parameters_to_vector, parametrizations, parametrize, vector_to_parameters

RNG = np.random.default_rng(4)
X = RNG.standard_normal((7, 5))


def test_a_vector_and_back():
    model = nn.Sequential(nn.Linear(5, 3), nn.Linear(3, 2, bias=False))
    step = nnative.compile(lambda x: model(x))
    x = X.astype("float32")
    step(x)
    vector = parameters_to_vector(model.parameters())
    np.testing.assert_array_equal(vector.detach(), np.concatenate([p.data.reshape(-1) for p in model.parameters()]))
    vector.sum().backward()
    assert all((p.grad == 1).all() for p in model.parameters())
    vector_to_parameters(vector.detach() * 2, model.parameters())
    np.testing.assert_array_equal(parameters_to_vector(model.parameters()).detach(), vector.detach() * 2)
    np.testing.assert_array_equal(step(x), model(nnative.Tensor(x)).detach())
    assert len(step._recordings) == 1


def test_vectors_that_do_not_fit():
    layer = nn.Linear(2, 1)
    before = layer.weight.data.copy()
    with pytest.raises(ValueError, match=r"expected a vector of 3 values, got shape \(4,\)"):
        vector_to_parameters(nnative.zeros(4), layer.parameters())
    with pytest.raises(TypeError, match="expected float32, as the parameters are, got float64"):
        vector_to_parameters(np.zeros(3), layer.parameters())
    with pytest.raises(TypeError, match="expected a tensor or an array, got list"):
        vector_to_parameters([1, 2, 3], layer.parameters())
    with pytest.raises(ValueError, match="got none"):
        parameters_to_vector([])
    np.testing.assert_array_equal(layer.weight.data, before)


@pytest.mark.parametrize("dim", [0, 1, None, -1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weight_norm_is_pytorchs(dim, dtype):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    weight, bias = RNG.standard_normal((3, 5)), RNG.standard_normal(3)
    results = []
    for lib, optim in ((nnative, nnative.optim), (torch, torch.optim)):
        layer = lib.nn.Linear(5, 3, dtype=getattr(lib, dtype))
        layer.load_state_dict({"weight": lib.tensor(weight.astype(dtype)), "bias": lib.tensor(bias.astype(dtype))})
        layer = lib.nn.utils.parametrizations.weight_norm(layer, dim=dim)
        optimizer = optim.SGD(layer.parameters(), lr=0.1)
        x, losses = lib.tensor(X.astype(dtype)), []
        for _ in range(5):
            optimizer.zero_grad()
            loss = (layer(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        state = {name: np.asarray(value) for name, value in layer.state_dict().items()}
        results.append((losses, state, np.asarray(layer.weight.detach())))
    (a, ours, w), (b, theirs, v) = results
    tolerance = 1e-4 if dtype == "float32" else 1e-11
    np.testing.assert_allclose(a, b, rtol=tolerance)
    np.testing.assert_allclose(w, v, rtol=tolerance, atol=tolerance)
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        assert value.shape == theirs[name].shape
        np.testing.assert_allclose(value, theirs[name], rtol=tolerance, atol=tolerance)


def test_weight_norm_is_recorded():
    def train(compiled):
        nnative.manual_seed(5)
        model = nn.Sequential(nn.utils.weight_norm(nn.Linear(5, 4)), nn.Tanh(), nn.Linear(4, 2))
        optimizer = nnative.optim.Adam(model.parameters(), lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        run = nnative.compile(step) if compiled else step
        losses = [run(nnative.Tensor(X.astype("float32"))).item() for _ in range(5)]
        return losses, [p.data.tobytes() for p in model.parameters()]

    assert train(True) == train(False)


def test_the_gradient_of_a_length_and_a_direction():
    layer = nn.utils.weight_norm(nn.Linear(4, 3).double())
    inputs = (nnative.Tensor(X[:, :4].copy(), requires_grad=True), *layer.parameters())
    assert nn.utils.gradcheck(lambda x, *_: layer(x), inputs)


def test_parametrizations_are_removed_and_copied():
    layer = nn.Linear(5, 3)
    before = layer.weight.data.copy()
    parametrizations.weight_norm(layer)
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    assert type(layer).__name__ == "ParametrizedLinear"
    assert isinstance(layer, nn.Linear)
    twin = copy.deepcopy(layer)
    twin.parametrizations.weight.original0.data[...] = 0.0
    assert not twin.weight.data.any()
    np.testing.assert_allclose(layer.weight.data, before, rtol=1e-6)
    with pytest.raises(AttributeError, match="'weight' is computed"):
        layer.weight = nn.Parameter(before)
    with pytest.raises(ValueError, match="is parametrized already"):
        nn.utils.weight_norm(layer)
    assert parametrize.remove_parametrizations(layer, "weight") is layer
    assert type(layer) is nn.Linear
    assert not parametrize.is_parametrized(layer)
    np.testing.assert_allclose(layer.weight.data, before, rtol=1e-6)
    assert sorted(layer.state_dict()) == ["bias", "weight"]


def test_two_parametrizations_of_one_module():
    layer = nn.utils.weight_norm(nn.utils.weight_norm(nn.Linear(5, 3)), "bias", None)
    names = [f"parametrizations.{name}.original{i}" for name in ("weight", "bias") for i in (0, 1)]
    assert list(layer.state_dict()) == names
    parametrize.remove_parametrizations(layer, "bias")
    assert parametrize.is_parametrized(layer)
    assert layer(nnative.Tensor(X.astype("float32"))).shape == (7, 3)


def test_weight_norm_of_what_is_not_there():
    layer = nn.Linear(5, 3, bias=False)
    for name in ("bias", "gain", "in_features"):
        with pytest.raises(ValueError, match=f"Linear has no parameter '{name}'"):
            nn.utils.weight_norm(layer, name)
    with pytest.raises(ValueError, match="expected dim from 0 to 1 or None, got 2"):
        nn.utils.weight_norm(layer, dim=2)
    with pytest.raises(ValueError, match="has no parametrization of 'weight'"):
        parametrize.remove_parametrizations(layer, "weight")
