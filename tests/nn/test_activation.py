"""Activations are PyTorch's: values, gradients, edges, printed forms; and what they promise of their own."""

import inspect

import numpy as np
import pytest

import nnative
from nnative import nn, random
from nnative.nn import functional as F

RNG = np.random.default_rng(3)
X = 3 * RNG.standard_normal((6, 4, 10))
# Kinks, the far ends, and what rounds to nothing.
EDGES = np.array(
    [0.0, -0.0, 0.5, -0.5, 1, -1, 3, -3, 6, -6, 20, -20, 21, -21, 50, -50, 1e-6, -1e-6, 88, -88, 1e4, -1e4]
)

# Name of the layer, and arguments of its constructor.
LAYERS = [
    ("ReLU", {}),
    ("ReLU", {"inplace": True}),
    ("ReLU6", {}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.3}),
    ("PReLU", {}),
    ("PReLU", {"num_parameters": 4, "init": 0.1}),
    ("RReLU", {}),
    ("RReLU", {"lower": 0.1, "upper": 0.3, "inplace": True}),
    ("ELU", {}),
    ("ELU", {"alpha": 0.5}),
    ("ELU", {"alpha": 2.0, "inplace": True}),
    ("SELU", {}),
    ("CELU", {}),
    ("CELU", {"alpha": 2.5}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("SiLU", {}),
    ("Mish", {}),
    ("Sigmoid", {}),
    ("LogSigmoid", {}),
    ("Tanh", {}),
    ("Tanhshrink", {}),
    ("Softplus", {}),
    ("Softplus", {"beta": 2.0, "threshold": 3.0}),
    ("Softplus", {"beta": -2.0}),
    ("Softsign", {}),
    ("Softshrink", {}),
    ("Softshrink", {"lambd": 1.0}),
    ("Hardshrink", {}),
    ("Hardshrink", {"lambd": 1.0}),
    ("Hardtanh", {}),
    ("Hardtanh", {"min_val": -0.5, "max_val": 2.0}),
    ("Hardsigmoid", {}),
    ("Hardswish", {}),
    ("Threshold", {"threshold": 0.5, "value": 20.0}),
    ("GLU", {}),
    ("GLU", {"dim": 0}),
    ("Softmin", {"dim": 1}),
    ("Softmax", {"dim": -1}),
    ("LogSoftmax", {"dim": 0}),
]
ELEMENTWISE = [(n, a) for n, a in LAYERS if n not in ("GLU", "Softmin", "Softmax", "LogSoftmax", "PReLU")]
# torch's float64 kernel has 1/6 in float32.
FLOAT64 = {"Hardsigmoid": 3e-8}


def ids(cases):
    return [name + "".join(f"-{k}={v}" for k, v in arguments.items()) for name, arguments in cases]


def run(lib, layer, x, dy=None):
    """Return the output and the gradients of the input and the parameters."""
    torch = lib is not nnative
    tensor = lib.tensor(x, requires_grad=True) if torch else nnative.Tensor(x.copy(), requires_grad=True)
    y = layer(tensor * 1)  # torch changes no leaf in place
    dy = np.ones(y.shape, x.dtype) if dy is None else dy[tuple(slice(n) for n in y.shape)]
    y.backward(lib.from_numpy(np.ascontiguousarray(dy)) if torch else dy)
    grads = [tensor.grad, *(p.grad for p in layer.parameters())]
    return [np.asarray(y.detach()), *map(np.asarray, grads)]


@pytest.mark.parametrize(("name", "arguments"), LAYERS, ids=ids(LAYERS))
@pytest.mark.parametrize("training", [True, False])
def test_layers_are_torchs(name, arguments, training, dtype):
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(nn, name)(**arguments), getattr(torch.nn, name)(**arguments)
    assert repr(ours) == repr(theirs)
    ours, theirs = ours.to(dtype), theirs.to(getattr(torch, dtype))
    ours.load_state_dict(theirs.state_dict())
    if name == "RReLU" and training:
        return
    ours.train(training), theirs.train(training)
    rtol = 2e-6 if dtype == "float32" else FLOAT64.get(name, 1e-14)
    x, dy = X.astype(dtype), RNG.standard_normal(X.shape).astype(dtype)
    for a, b in zip(run(nnative, ours, x, dy), run(torch, theirs, x, dy), strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=5 * rtol, atol=5 * rtol)


@pytest.mark.parametrize(("name", "arguments"), ELEMENTWISE, ids=ids(ELEMENTWISE))
def test_kinks_and_far_ends_are_torchs(name, arguments, dtype):
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(nn, name)(**arguments).eval(), getattr(torch.nn, name)(**arguments).eval()
    x = EDGES.astype(dtype)
    rtol = 1e-5 if dtype == "float32" else FLOAT64.get(name, 1e-13)
    for a, b in zip(run(nnative, ours, x), run(torch, theirs, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


@pytest.mark.parametrize(("name", "arguments"), ELEMENTWISE, ids=ids(ELEMENTWISE))
def test_nan_stays_nan(name, arguments, dtype, isa):
    torch = pytest.importorskip("torch")
    x = np.array([np.nan, np.inf, -np.inf, 1.0], dtype)
    a = np.asarray(getattr(nn, name)(**arguments).eval()(nnative.Tensor(x)))
    b = np.asarray(getattr(torch.nn, name)(**arguments).eval()(torch.from_numpy(x)))
    assert np.isnan(a[0])
    if name == "GELU" and arguments == {}:
        b[1] = np.inf  # torch has NaN in some builds, and infinity is the limit
    np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize(("name", "arguments"), LAYERS, ids=ids(LAYERS))
def test_arguments_are_torchs(name, arguments):
    torch = pytest.importorskip("torch")
    ours, theirs = (inspect.signature(getattr(lib, name)) for lib in (nn, torch.nn))
    others = ("device", "dtype", "min_value", "max_value", "args", "kwargs")
    theirs = {k: p.default for k, p in theirs.parameters.items() if k not in others}
    found = {k: p.default for k, p in ours.parameters.items() if k not in others}
    assert list(found.items()) == list(theirs.items())


@pytest.mark.parametrize("shape", [(), (5,), (2, 5), (2, 3, 5), (2, 3, 2, 5)])
@pytest.mark.parametrize("name", ["Softmin", "Softmax", "LogSoftmax"])
def test_a_dim_that_is_not_given_is_guessed_as_in_torch(name, shape):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    x = np.random.default_rng(0).standard_normal(shape)
    with pytest.warns(UserWarning, match="Implicit dimension choice"):
        expected = getattr(torch.nn, name)()(torch.tensor(x))
    with pytest.warns(UserWarning, match="dim should be given"):
        result = getattr(nn, name)()(nnative.Tensor(x))
    np.testing.assert_allclose(result.numpy(), expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize(("name", "arguments"), [*LAYERS, ("Step", {}), ("Sign", {})])
def test_a_recorded_layer_gives_the_bits_of_the_eager_one(name, arguments, dtype):
    def training(compiled):
        random.manual_seed(3)
        layer, factor = getattr(nn, name)(**arguments).to(dtype), nn.Parameter(np.full((), 2, dtype))

        def step(x):
            layer.zero_grad()
            factor.grad = None
            y = layer(x * factor)
            (y * y).sum().backward()
            return (y, *[nnative.Tensor(p.grad) for p in (factor, *layer.parameters())])

        step = nnative.compile(step) if compiled else step
        return [[t.numpy().tobytes() for t in step(nnative.Tensor(X.astype(dtype) + i))] for i in range(3)]

    assert training(True) == training(False)


@pytest.mark.parametrize(("name", "option", "value"), [("LeakyReLU", "negative_slope", 0.5), ("Softplus", "beta", 3.0)])
def test_a_changed_option_is_seen_by_a_recorded_layer(name, option, value):
    layer = getattr(nn, name)()
    step = nnative.compile(lambda x: layer(x))
    before = step(X).numpy().copy()
    setattr(layer, option, value)
    after = step(X).numpy()
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, layer(nnative.Tensor(X)).numpy())


def test_random_slopes_are_uniform_and_new_at_each_call(dtype):
    layer = nn.RReLU(0.2, 0.6)
    random.manual_seed(1)
    x = nnative.Tensor(-np.ones(20_000, dtype), requires_grad=True)
    first, second = layer(x), layer(x)
    slopes = -first.numpy()
    assert slopes.min() >= 0.2
    assert slopes.max() <= 0.6
    np.testing.assert_allclose([slopes.mean(), slopes.var()], [0.4, 0.4**2 / 12], rtol=2e-2)
    assert not np.array_equal(first.numpy(), second.numpy())
    first.sum().backward()
    np.testing.assert_array_equal(x.grad, slopes)
    np.testing.assert_array_equal(layer(nnative.ones(3)), [1, 1, 1])


def test_step_and_sign_have_no_slope_and_take_zero_as_negative(dtype):
    x = nnative.Tensor(np.array([-np.inf, -1, -0.0, 0, 1e-30, 2, np.nan], dtype), requires_grad=True)
    for layer, low in ((nn.Step(), 0), (nn.Sign(), -1)):
        y = layer(x)
        np.testing.assert_array_equal(y.numpy(), [low] * 4 + [1, 1, np.nan])
        x.grad = None
        y.sum().backward()
        np.testing.assert_array_equal(x.grad, np.zeros(7))


def test_prelu_learns_a_slope_for_each_channel(gradcheck):
    for shape, size in [((5, 3), 3), ((2, 3, 4), 3), ((2, 3, 2, 2), 1), ((4,), 1), ((), 1)]:
        x = RNG.standard_normal(shape)
        gradcheck(F.prelu, np.asarray(x + np.sign(x)), RNG.uniform(0.1, 0.5, size))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: F.prelu(x, nnative.ones(3)), ValueError, r"\[prelu\] expected weight of shape \(1,\) or \(4,\)"),
        (
            lambda x: F.prelu(x, nnative.ones(4, dtype="float64")),
            TypeError,
            r"\[prelu\] expected operands of one dtype",
        ),
        (lambda x: F.prelu(x, 0.25), TypeError, r"\[prelu\] expected a Tensor, got float"),
        (lambda x: F.rrelu(x, 0.5, 0.1), ValueError, r"\[rrelu\] expected finite lower <= upper, got 0.5 and 0.1"),
        (lambda x: F.celu(x, 0.0), ValueError, r"\[celu\] expected alpha to be above 0, got 0.0"),
        (lambda x: F.hardtanh(x, 1.0, -1.0), ValueError, r"\[hardtanh\] expected min_val <= max_val, got 1.0 and -1.0"),
        (lambda x: F.softshrink(x, -0.1), ValueError, r"\[softshrink\] expected lambd to be at least 0, got -0.1"),
        (lambda x: F.gelu(x, "erf"), ValueError, r"\[gelu\] expected approximate to be 'none' or 'tanh', got 'erf'"),
        (lambda x: F.glu(x, 0), ValueError, r"\[glu\] expected an even size along dimension 0, got shape \(3, 4\)"),
        (lambda x: F.glu(x, 2), ValueError, r"\[glu\] expected dim in \[-2, 2\)"),
        (lambda x: F.softmin(x, 2), ValueError, r"\[softmin\] expected dim from -2 to 1, got 2"),
        (lambda x: F.mish(x.numpy()), TypeError, r"\[mish\] expected a Tensor, got ndarray"),
        (lambda x: F.silu(nnative.Tensor(np.arange(3))), TypeError, r"\[silu\].*int64"),
        (lambda x: nn.Hardtanh(1.0, 1.0), ValueError, r"\[Hardtanh\] expected min_val < max_val"),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(nnative.ones(3, 4))
