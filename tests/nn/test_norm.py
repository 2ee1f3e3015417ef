"""BatchNorm1d is PyTorch's, in training and evaluation, and normalises as its definition says."""

import numpy as np
import pytest

import nnative
from nnative import nn

RNG = np.random.default_rng(11)
SHAPES = [(6, 4), (5, 4, 3), (2, 4), (1, 4, 2), (130, 4)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("momentum", [0.1, 0.6, None])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("tracked", [True, False])
def test_training_and_evaluation_are_torchs(shape, momentum, affine, tracked, dtype):
    torch = pytest.importorskip("torch")
    ours = nn.BatchNorm1d(4, 1e-3, momentum, affine, tracked).to(dtype)
    theirs = torch.nn.BatchNorm1d(4, 1e-3, momentum, affine, tracked).to(getattr(torch, dtype))
    assert repr(ours) == repr(theirs)
    if affine:
        for parameter, value in zip(theirs.parameters(), RNG.standard_normal((2, 4)), strict=True):
            parameter.data.copy_(torch.from_numpy(value))
    ours.load_state_dict(theirs.state_dict())
    close = {"rtol": 1e-4, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-10, "atol": 1e-12}
    for training in (True, True, False, True, False):
        ours.train(training), theirs.train(training)
        x, dy = RNG.standard_normal((2, *shape)).astype(dtype)
        x += 2
        a, b = nnative.Tensor(x.copy(), requires_grad=True), torch.tensor(x, requires_grad=True)
        y, z = ours(a), theirs(b)
        y.backward(dy), z.backward(torch.from_numpy(dy))
        np.testing.assert_allclose(y.numpy(), z.detach(), **close)
        np.testing.assert_allclose(a.grad, b.grad, **close)
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(p.grad, q.grad, **close)
        ours.zero_grad(), theirs.zero_grad()
        state, expected = ours.state_dict(), theirs.state_dict()
        assert list(state) == list(expected)
        for name in state:
            assert state[name].dtype == expected[name].numpy().dtype
            np.testing.assert_allclose(state[name].numpy(), expected[name], **close)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("given", ["all", "weight", "none"])
def test_the_function_is_torchs(training, given):
    torch = pytest.importorskip("torch")
    x, (mean, var, weight, bias) = RNG.standard_normal((7, 3, 2, 2)), RNG.uniform(0.5, 2, (4, 3))
    affine = {"all": (weight, bias), "weight": (weight, None), "none": (None, None)}[given]

    def run(lib, tensor):
        running = tensor(mean.copy()), tensor(var.copy())
        factors = [None if a is None else tensor(a) for a in affine]
        y = lib.nn.functional.batch_norm(tensor(x), *running, *factors, training, 0.3, 1e-2)
        return [np.asarray(t) for t in (y, *running)]

    for a, b in zip(run(nnative, nnative.Tensor), run(torch, torch.from_numpy), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (3, 3, 4)])
def test_gradients(shape, training, gradcheck):
    mean, var = (nnative.Tensor(v) for v in RNG.uniform(0.5, 2, (2, 3)))

    def function(x, weight, bias):
        return nn.functional.batch_norm(x, mean, var, weight, bias, training, 0.0, 1e-3)

    gradcheck(function, RNG.standard_normal(shape), RNG.standard_normal(3), RNG.standard_normal(3))


def test_tracking_can_be_switched_off():
    layer = nn.BatchNorm1d(3)
    layer.track_running_stats = False
    layer(nnative.Tensor(RNG.standard_normal((8, 3)).astype("float32")))
    np.testing.assert_array_equal(layer.running_mean.numpy(), np.zeros(3))
    assert layer.num_batches_tracked.item() == 0


def test_parameters_alone_have_gradients():
    layer = nn.BatchNorm1d(3)
    layer(nnative.Tensor(RNG.standard_normal((8, 3)).astype("float32"))).sum().backward()
    np.testing.assert_allclose(layer.bias.grad, np.full(3, 8.0))
    layer.bias.requires_grad = False
    layer.zero_grad()
    layer(nnative.Tensor(RNG.standard_normal((8, 3)).astype("float32"))).sum().backward()
    assert layer.bias.grad is None
    assert layer.weight.grad is not None


@pytest.mark.parametrize("shape", [(300, 5), (30, 5, 8)])
def test_with_the_deviation_as_weight_and_the_mean_as_bias_it_is_the_identity(shape):
    x = RNG.standard_normal(shape) * RNG.uniform(0.1, 5, (5, *shape[2:2], *[1] * (len(shape) - 2))) + 3
    axes = (0, *range(2, len(shape)))
    layer = nn.BatchNorm1d(5, eps=1e-12, dtype="float64")
    layer.weight.data[:], layer.bias.data[:] = x.std(axes), x.mean(axes)
    np.testing.assert_allclose(layer(nnative.Tensor(x)).numpy(), x, rtol=1e-9)


def test_the_output_has_mean_zero_and_variance_one():
    y = nn.BatchNorm1d(7, eps=0)(nnative.Tensor(RNG.gamma(2.0, 3.0, (500, 7)).astype("float32"))).numpy()
    np.testing.assert_allclose(y.mean(0), np.zeros(7), atol=1e-6)
    np.testing.assert_allclose(y.var(0), np.ones(7), rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 1)])
def test_one_value_a_channel_is_an_error_in_training_only(shape):
    layer = nn.BatchNorm1d(4)
    with pytest.raises(ValueError, match=r"\[batch_norm\] expected more than 1 value per channel when training"):
        layer(nnative.zeros(*shape))
    assert layer.num_batches_tracked.item() == 0
    assert layer.eval()(nnative.zeros(*shape)).shape == shape


def test_errors_name_what_does_not_fit():
    layer = nn.BatchNorm1d(4)
    with pytest.raises(ValueError, match=r"\[BatchNorm1d\] expected input of 4 channels .* got shape \(2, 3\)"):
        layer(nnative.zeros(2, 3))
    for shape in ((4,), (2, 4, 1, 1)):
        with pytest.raises(ValueError, match=r"\[BatchNorm1d\] expected input of shape \(N, C\) or \(N, C, L\)"):
            layer(nnative.zeros(*shape))
    with pytest.raises(TypeError, match=r"\[batch_norm\] .* float64 and float32"):
        layer(nnative.zeros(2, 4, dtype="float64"))
    with pytest.raises(ValueError, match="num_features"):
        nn.BatchNorm1d(-1)
    batch_norm = nn.functional.batch_norm
    x, four = nnative.zeros(2, 4), nnative.ones(4)
    with pytest.raises(ValueError, match="running_mean and running_var where training is False"):
        batch_norm(x, None, None)
    with pytest.raises(ValueError, match="or neither"):
        batch_norm(x, four, None, training=True)
    with pytest.raises(ValueError, match="expected weight of 4 channels"):
        batch_norm(x, four, four, nnative.ones(3))
    with pytest.raises(ValueError, match="num_batches_tracked where momentum is None"):
        batch_norm(x, four, four, training=True, momentum=None)
    with pytest.raises(ValueError, match=r"shape \(N, C\)"):
        batch_norm(nnative.zeros(4), four, four)
