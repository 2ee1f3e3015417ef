"""Initialisers: moments, bounds, generators, and PyTorch's arguments and messages."""

import inspect
import math

import numpy as np
import pytest

import nnative
from nnative import random
from nnative.nn import init

SHAPE = (300, 400)


def _tensor(dtype="float32", shape=SHAPE):
    return nnative.Tensor(np.full(shape, np.nan, dtype=dtype), requires_grad=True)


@pytest.mark.parametrize(
    ("call", "value"), [(init.zeros_, 0), (init.ones_, 1), (lambda t: init.constant_(t, 2.5), 2.5)]
)
def test_constants(call, value, dtype):
    t = _tensor(dtype)
    data = t.data
    assert call(t) is t
    assert t.data is data
    assert (data == value).all()


RELU = math.sqrt(2)
UNIFORM = [
    (lambda t, g: init.uniform_(t, -0.5, 0.5, g), 0.5),
    (lambda t, g: init.xavier_uniform_(t, 2.0, g), 2 * math.sqrt(6 / 700)),
    (lambda t, g: init.xavier_uniform_(t, 2.0, g, "fan_in"), 2 * math.sqrt(3 / 400)),
    (lambda t, g: init.kaiming_uniform_(t, generator=g), math.sqrt(6 / 400)),
    (lambda t, g: init.kaiming_uniform_(t, math.sqrt(5), generator=g), 1 / math.sqrt(400)),
    (lambda t, g: init.kaiming_uniform_(t, 0, "fan_out", "relu", g), RELU * math.sqrt(3 / 300)),
    (lambda t, g: init.lecun_uniform_(t, g), math.sqrt(3 / 400)),
    (lambda t, g: init.lecun_uniform_(t, g, bound=2.4), 2.4 / 400),
]
NORMAL = [
    (lambda t, g: init.normal_(t, 0.0, 0.3, g), 0.3),
    (lambda t, g: init.xavier_normal_(t, 2.0, g), 2 * math.sqrt(2 / 700)),
    (lambda t, g: init.xavier_normal_(t, 2.0, g, "fan_in"), 2 * math.sqrt(1 / 400)),
    (lambda t, g: init.kaiming_normal_(t, 0.3, generator=g), math.sqrt(2 / 1.09 / 400)),
    (lambda t, g: init.kaiming_normal_(t, 0, "fan_out", "tanh", g), 5 / 3 / math.sqrt(300)),
    (lambda t, g: init.lecun_normal_(t, g), math.sqrt(1 / 400)),
]


@pytest.mark.parametrize(("call", "bound"), UNIFORM)
def test_uniform_bounds_and_variance(call, bound, dtype):
    t = call(_tensor(dtype), random.Generator(1))
    assert np.abs(t.data).max() <= np.float32(bound)
    assert np.abs(t.data).max() > 0.999 * bound
    assert abs(t.data.mean()) < 0.01 * bound
    assert t.data.std() == pytest.approx(bound / math.sqrt(3), rel=0.01)


@pytest.mark.parametrize(("call", "std"), NORMAL)
def test_normal_moments(call, std, dtype):
    t = call(_tensor(dtype), random.Generator(1))
    assert abs(t.data.mean()) < 0.01 * std
    assert t.data.std() == pytest.approx(std, rel=0.01)
    assert (np.abs(t.data) > 3 * std).mean() == pytest.approx(0.0027, abs=0.0006)


@pytest.mark.parametrize(("a", "b"), [(-2.0, 2.0), (-0.5, 1.0), (0.5, 3.0), (1.9, 2.1), (-9.0, 9.0)])
@pytest.mark.parametrize("mean", [0.0, 0.3])
def test_truncated_normal_moments_and_bounds(a, b, mean, dtype):
    t = init.trunc_normal_(_tensor(dtype), mean, 1.0, a, b, random.Generator(1)).data
    x = np.linspace(a, b, 200_001)
    density = np.exp(-0.5 * (x - mean) ** 2)
    expected = np.average(x, weights=density)
    std = math.sqrt(np.average((x - expected) ** 2, weights=density))
    assert t.min() >= np.dtype(dtype).type(a)
    assert t.max() <= np.dtype(dtype).type(b)
    assert t.mean() == pytest.approx(expected, abs=0.015 * std)
    assert t.std() == pytest.approx(std, rel=0.01)


def test_an_interval_far_from_the_mean_is_a_warning():
    with pytest.warns(UserWarning, match=r"mean is more than 2 std from \[a, b\]"):
        t = init.trunc_normal_(_tensor(shape=(40, 50)), 0.0, 1.0, 3.0, 4.0)
    assert ((t.data >= 3) & (t.data <= 4)).all()


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (1, 7)])
def test_eye_is_torchs(shape, dtype):
    np.testing.assert_array_equal(init.eye_(_tensor(dtype, shape)).data, np.eye(*shape, dtype=dtype))


@pytest.mark.parametrize(
    ("shape", "groups"), [((4, 3, 5), 1), ((3, 16, 5, 5), 1), ((6, 2, 3, 4), 3), ((2, 2, 2, 3, 1), 2)]
)
def test_dirac_is_torchs(shape, groups):
    torch = pytest.importorskip("torch")
    expected = torch.nn.init.dirac_(torch.empty(shape), groups)
    np.testing.assert_array_equal(init.dirac_(_tensor(shape=shape), groups).data, expected)


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3), (4, 2, 3), (1, 6)])
def test_orthogonal_rows_or_columns(shape, dtype):
    w = init.orthogonal_(_tensor(dtype, shape), 3.0, random.Generator(2)).data.reshape(shape[0], -1) / 3
    product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-6 if dtype == "float32" else 1e-14)


def test_orthogonal_matrices_are_spread_evenly():
    generator = random.Generator(3)
    draws = np.array([init.orthogonal_(_tensor("float64", (3, 3)), generator=generator).data for _ in range(2000)])
    assert np.abs(draws.mean(0)).max() < 0.06
    np.testing.assert_allclose((draws**2).mean(0), np.full((3, 3), 1 / 3), atol=0.03)


@pytest.mark.parametrize("sparsity", [0.0, 0.1, 0.95, 1.0])
def test_sparse_columns(sparsity, dtype):
    data = init.sparse_(_tensor(dtype), sparsity, 0.5, random.Generator(1)).data
    zeros = data == 0
    assert (zeros.sum(0) == math.ceil(sparsity * 300)).all()
    if 0 < sparsity < 1:
        assert zeros.mean(1).std() == pytest.approx(math.sqrt(sparsity * (1 - sparsity) / 400), rel=0.2)
    if sparsity < 1:
        assert data[~zeros].std() == pytest.approx(0.5, rel=0.03)


SEEDED = {
    "trunc_normal_": lambda t, g: init.trunc_normal_(t, generator=g),
    "trunc_normal_ of a tail": lambda t, g: init.trunc_normal_(t, a=1.0, b=2.0, generator=g),
    "orthogonal_": lambda t, g: init.orthogonal_(t, generator=g),
    "sparse_": lambda t, g: init.sparse_(t, 0.3, generator=g),
    "lecun_normal_": lambda t, g: init.lecun_normal_(t, g),
}


@pytest.mark.parametrize("name", SEEDED)
def test_the_seed_decides(name):
    first, again, other = (SEEDED[name](_tensor(shape=(20, 30)), random.Generator(s)).data for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_mean_and_interval_are_honoured():
    assert init.normal_(_tensor(), 5.0, 0.1).data.mean() == pytest.approx(5, abs=0.01)
    t = init.uniform_(_tensor(), 2.0, 3.0)
    assert t.data.min() >= 2
    assert t.data.max() < 3


def test_fans_of_a_convolution():
    t = init.xavier_uniform_(_tensor(shape=(64, 32, 3, 3)))
    bound = math.sqrt(6 / (32 * 9 + 64 * 9))
    assert 0.99 * bound < np.abs(t.data).max() <= np.float32(bound)


def test_seeds_generators_and_the_default_one():
    a, b = (
        init.normal_(_tensor(), generator=random.Generator(3)),
        init.normal_(_tensor(), generator=random.Generator(3)),
    )
    assert (a.data == b.data).all()
    before = random.default_generator.get_state()
    try:
        random.manual_seed(5)
        c, d = init.uniform_(_tensor()), init.uniform_(_tensor())
        assert (c.data != d.data).any()
        random.manual_seed(5)
        assert (init.uniform_(_tensor()).data == c.data).all()
    finally:
        random.default_generator.set_state(before)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_empty_tensors_are_left_alone(shape):
    for call, _ in UNIFORM + NORMAL:
        assert call(_tensor(shape=shape), None).data.shape == shape


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        ("linear", None, 1),
        ("conv2d", None, 1),
        ("sigmoid", None, 1),
        ("tanh", None, 5 / 3),
        ("relu", None, RELU),
        ("leaky_relu", None, math.sqrt(2 / (1 + 1e-4))),
        ("leaky_relu", 1, 1),
        ("selu", None, 0.75),
    ],
)
def test_gains(name, param, gain):
    assert init.calculate_gain(name, param) == pytest.approx(gain)


def _read_only():
    t = _tensor(shape=(2, 2))
    t.data.flags.writeable = False
    return t


@pytest.mark.parametrize(
    ("call", "kind", "match"),
    [
        (lambda: init.calculate_gain("swish"), ValueError, "Unsupported nonlinearity swish"),
        (lambda: init.calculate_gain("leaky_relu", True), ValueError, "negative_slope True not a valid number"),
        (lambda: init.calculate_gain("leaky_relu", "x"), ValueError, "negative_slope x not a valid number"),
        (lambda: init.xavier_normal_(_tensor(shape=(3,))), ValueError, "fewer than 2 dimensions"),
        (lambda: init.kaiming_normal_(_tensor(shape=())), ValueError, "fewer than 2 dimensions"),
        (lambda: init.kaiming_normal_(_tensor(), mode="average"), ValueError, "Mode average not supported"),
        (lambda: init.xavier_normal_(_tensor(), mode="fan_out"), ValueError, "Mode fan_out not supported"),
        (lambda: init.uniform_(_tensor(), 1.0, 0.0), ValueError, "low <= high"),
        (lambda: init.trunc_normal_(_tensor(), a=1.0, b=0.0), ValueError, "a <= b and std > 0"),
        (lambda: init.trunc_normal_(_tensor(), std=0.0), ValueError, "std > 0"),
        (lambda: init.eye_(_tensor(shape=(2, 2, 2))), ValueError, "2 dimensions"),
        (lambda: init.dirac_(_tensor()), ValueError, "3, 4, or 5 dimensions"),
        (lambda: init.dirac_(_tensor(shape=(3, 2, 2)), 2), ValueError, "divisible by groups"),
        (lambda: init.orthogonal_(_tensor(shape=(3,))), ValueError, "2 or more dimensions"),
        (lambda: init.sparse_(_tensor(shape=(3,)), 0.1), ValueError, "2 dimensions"),
        (lambda: init.sparse_(_tensor(), 1.5), ValueError, "sparsity between 0 and 1"),
        (lambda: init.lecun_normal_(_tensor(shape=(3,))), ValueError, "fewer than 2 dimensions"),
        (lambda: init.normal_(_tensor(), 0.0, -1.0), ValueError, "std >= 0"),
        (lambda: init.zeros_(np.zeros(3)), TypeError, r"\[constant_\] expected a Tensor, got ndarray"),
        (lambda: init.normal_(nnative.Tensor(np.zeros((2, 2), int))), TypeError, "got int64"),
        (lambda: init.zeros_(_read_only()), ValueError, "read-only"),
    ],
)
def test_errors(call, kind, match):
    with pytest.raises(kind, match=match):
        call()


def test_argument_orders_are_those_of_torch():
    theirs = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with").nn.init
    for name in set(init.__all__) - {"lecun_normal_", "lecun_uniform_"}:
        ours = list(inspect.signature(getattr(init, name)).parameters.values())
        expected = list(inspect.signature(getattr(theirs, name)).parameters.values())
        for a, b in zip(ours, expected, strict=False):
            assert (a.name, a.default) == (b.name, b.default), name
        assert [p.name for p in ours[len(expected) :]] in ([], ["mode"])
