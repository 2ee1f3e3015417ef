"""LayerNorm, RMSNorm and GroupNorm are PyTorch's, forward and backward, and normalise as their definitions say."""

import numpy as np
import pytest

import nnative
from nnative import nn

RNG = np.random.default_rng(12)
LAST = [((5, 6), 6), ((4, 3, 6), 6), ((4, 3, 6), (3, 6)), ((6,), (6,)), ((200, 33), 33), ((2, 1), 1)]
GROUPS = [((5, 6), 3), ((5, 6), 1), ((4, 6, 7), 2), ((2, 6, 3, 4), 6), ((1, 6, 2), 1), ((90, 6, 1), 2)]


def close(dtype):
    # PyTorch's own rounding: it computes x · scale + shift, ours (x − mean) · scale.
    return {"rtol": 1e-4, "atol": 1e-4} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-11}


def compare(ours, theirs, shape, dtype):
    """Give two layers the same parameters and input, and compare results, gradients and forms."""
    torch = pytest.importorskip("torch")
    assert repr(ours) == repr(theirs)
    for parameter in theirs.parameters():
        parameter.data.copy_(torch.from_numpy(RNG.standard_normal(parameter.shape)))
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for training in (True, False):
        ours.train(training), theirs.train(training)
        x, dy = RNG.standard_normal((2, *shape)).astype(dtype)
        x += 2
        a, b = nnative.Tensor(x.copy(), requires_grad=True), torch.tensor(x, requires_grad=True)
        y, z = ours(a), theirs(b)
        y.backward(dy), z.backward(torch.from_numpy(dy))
        np.testing.assert_allclose(y.numpy(), z.detach(), **close(dtype))
        np.testing.assert_allclose(a.grad, b.grad, **close(dtype))
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(p.grad, q.grad, **close(dtype))
        ours.zero_grad(), theirs.zero_grad()


@pytest.mark.parametrize(("shape", "last"), LAST)
@pytest.mark.parametrize(("affine", "bias"), [(True, True), (True, False), (False, True)])
def test_layer_norm_is_torchs(shape, last, affine, bias, dtype):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.LayerNorm(last, 1e-3, affine, bias, dtype=getattr(torch, dtype))
    compare(nn.LayerNorm(last, 1e-3, affine, bias, dtype=dtype), theirs, shape, dtype)


@pytest.mark.parametrize(("shape", "last"), LAST)
@pytest.mark.parametrize("eps", [None, 1e-3])
@pytest.mark.parametrize("affine", [True, False])
def test_rms_norm_is_torchs(shape, last, eps, affine, dtype):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.RMSNorm(last, eps, affine, dtype=getattr(torch, dtype))
    compare(nn.RMSNorm(last, eps, affine, dtype=dtype), theirs, shape, dtype)


@pytest.mark.parametrize(("shape", "groups"), GROUPS)
@pytest.mark.parametrize(("affine", "bias"), [(True, True), (True, False), (False, True)])
def test_group_norm_is_torchs(shape, groups, affine, bias, dtype):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.GroupNorm(groups, 6, 1e-3, affine, dtype=getattr(torch, dtype), bias=bias)
    compare(nn.GroupNorm(groups, 6, 1e-3, affine, dtype, bias=bias), theirs, shape, dtype)


@pytest.mark.parametrize("given", [(True, True), (True, False), (False, True), (False, False)])
def test_the_functions_are_torchs(given):
    torch = pytest.importorskip("torch")
    x, weight, bias = RNG.standard_normal((7, 6)), *RNG.standard_normal((2, 6))

    def run(lib, tensor):
        w, b = (tensor(a.copy()) if g else None for a, g in zip((weight, bias), given, strict=True))
        f = lib.nn.functional
        return (
            f.layer_norm(tensor(x), (6,), w, b, 0.1),
            f.rms_norm(tensor(x), (6,), w),
            f.group_norm(tensor(x), 2, w, b),
        )

    for a, b in zip(run(nnative, nnative.Tensor), run(torch, torch.from_numpy), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", [(4, 6), (3, 6, 2)])
def test_gradients(shape, gradcheck):
    x, weight, bias = RNG.standard_normal(shape), *RNG.standard_normal((2, 6))
    f = nn.functional
    gradcheck(lambda a, w, b: f.group_norm(a, 3, w, b, 1e-3), x, weight, bias)
    gradcheck(lambda a: f.group_norm(a, 2), x)
    if x.ndim == 2:
        gradcheck(lambda a, w, b: f.layer_norm(a, 6, w, b), x, weight, bias)
        gradcheck(lambda a, b: f.layer_norm(a, 6, None, b), x, bias)
        gradcheck(lambda a, w: f.rms_norm(a, 6, w), x, weight)


def test_a_sample_does_not_depend_on_its_batch(dtype):
    x = nnative.Tensor(RNG.standard_normal((9, 12)).astype(dtype))
    for layer in (nn.LayerNorm(12, dtype=dtype), nn.RMSNorm(12, dtype=dtype), nn.GroupNorm(3, 12, dtype=dtype)):
        np.testing.assert_array_equal(layer(x).numpy()[4], layer(x[4:5]).numpy()[0])


def test_results_have_mean_zero_and_unit_size():
    x = nnative.Tensor(RNG.gamma(2.0, 3.0, (50, 600)))
    for y in (nn.LayerNorm(600, 0, dtype="float64")(x), nn.GroupNorm(4, 600, 0, dtype="float64")(x).reshape(200, 150)):
        np.testing.assert_allclose(y.numpy().mean(1), 0, atol=1e-12)
        np.testing.assert_allclose(y.numpy().var(1), 1, rtol=1e-12)
    np.testing.assert_allclose((nn.RMSNorm(600, 0, dtype="float64")(x).numpy() ** 2).mean(1), 1, rtol=1e-12)


def test_with_the_deviation_as_weight_and_the_mean_as_bias_layer_norm_is_the_identity():
    x = RNG.standard_normal((1, 40)) * 3 + 5
    y = nn.functional.layer_norm(
        nnative.Tensor(x), 40, nnative.Tensor(np.full(40, x.std())), nnative.Tensor(np.full(40, x.mean())), 0.0
    )
    np.testing.assert_allclose(y.numpy(), x, rtol=1e-12)


def test_frozen_parameters_have_no_gradient():
    layer = nn.LayerNorm(6)
    layer.weight.requires_grad = False
    layer(nnative.Tensor(RNG.standard_normal((8, 6)).astype("float32"))).sum().backward()
    assert layer.weight.grad is None
    np.testing.assert_allclose(layer.bias.grad, np.full(6, 8.0))


def test_errors_name_what_does_not_fit():
    f, x = nn.functional, nnative.zeros(2, 4)
    with pytest.raises(
        ValueError, match=r"\[layer_norm\] expected input whose last dimensions are \(3,\), got .*\(2, 4\)"
    ):
        nn.LayerNorm(3)(x)
    with pytest.raises(ValueError, match=r"\[rms_norm\] expected input whose last"):
        nn.RMSNorm((2, 3))(x)
    with pytest.raises(ValueError, match=r"\[layer_norm\] expected input whose last"):
        f.layer_norm(x, ())
    with pytest.raises(ValueError, match=r"\[layer_norm\] expected weight of shape \(4,\), got \(3,\)"):
        f.layer_norm(x, 4, nnative.ones(3))
    with pytest.raises(TypeError, match=r"\[layer_norm\] .* float32 and float64"):
        f.layer_norm(x, 4, nnative.ones(4, dtype="float64"))
    with pytest.raises(TypeError, match=r"\[rms_norm\] expected a float32 or float64"):
        f.rms_norm(nnative.Tensor(np.ones((2, 4), int)), 4)
    with pytest.raises(ValueError, match=r"\[GroupNorm\] expected num_channels divisible"):
        nn.GroupNorm(3, 4)
    with pytest.raises(ValueError, match=r"\[GroupNorm\] expected input of 6 channels"):
        nn.GroupNorm(3, 6)(x)
    with pytest.raises(ValueError, match=r"\[group_norm\] expected more than 1 value per group"):
        f.group_norm(nnative.zeros(1, 4), 4)
    with pytest.raises(ValueError, match=r"\[group_norm\] expected input of shape \(N, C\)"):
        f.group_norm(nnative.zeros(4), 4)
    with pytest.raises(ValueError, match=r"\[group_norm\] expected channels divisible by 3 groups"):
        f.group_norm(x, 3)
    with pytest.raises(ValueError, match="sizes that are integers"):
        nn.LayerNorm(-1)
