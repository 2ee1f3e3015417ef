"""Bad input, one by one, against a small training step: a clear error that names the operation, or a defined result.

The checklist; what single operations refuse in detail is in the tests beside them.
"""

import re

import numpy as np
import pytest

import nnative
from nnative import nn, optim
from nnative.nn import functional as F

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 4)).astype("float32")
Y = np.array([0, 1, 2, 2, 1, 0])
NAN, INF = float("nan"), float("inf")


def network():
    nnative.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))


def gradients(x, y=Y):
    """Run forward and backward; return the loss and the gradients."""
    model = network()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    return loss.item(), [p.grad for p in model.parameters()]


def misaligned(array):
    buffer = np.zeros(array.nbytes + 1, np.uint8)
    result = buffer[1:].view(array.dtype).reshape(array.shape)
    result[...] = array
    return result


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


LAYOUTS = {
    "strided": lambda a: np.repeat(a, 2, axis=0)[::2],
    "reversed": lambda a: a[::-1].copy()[::-1],
    "Fortran-ordered": np.asfortranarray,
    "read-only": read_only,
    "misaligned": misaligned,
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
}


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((6, 5), "float32"), ValueError, "[linear] expected input of 4 features, got shape (6, 5)"),
        (np.ones((6, 0), "float32"), ValueError, "[linear] expected input of 4 features, got shape (6, 0)"),
        (np.float32(1), ValueError, "[linear] expected input of 4 features, got shape ()"),
        (np.ones((6, 4), int), TypeError, "[linear] expected a float32 or float64 tensor, got int64"),
        (np.ones((6, 4)), TypeError, "[linear] expected operands of one dtype, got float64 and float32"),
        (np.ones((6, 4), object), TypeError, "expected float32, float64, integers or bool, got object"),
        (np.ones((6, 4), complex), TypeError, "expected float32, float64, integers or bool, got complex128"),
    ],
)
@pytest.mark.parametrize("wrap", [nnative.Tensor, lambda x: x], ids=["tensor", "ndarray"])
def test_features_and_dtypes(wrap, x, error, message):
    with pytest.raises(error, match=re.escape(message)):
        network()(wrap(x))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_of_inputs_and_labels_gives_the_same_bits(layout):
    arrange = LAYOUTS[layout]
    want, want_gradients = gradients(nnative.Tensor(X))
    y = Y if layout == "big-endian" else arrange(Y)
    got, got_gradients = gradients(nnative.Tensor(arrange(X)), y)
    assert got == want
    for g, w in zip(got_gradients, want_gradients, strict=True):
        np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_of_a_bare_array_is_right_or_named(layout):
    x = LAYOUTS[layout](X)
    if layout in ("misaligned", "big-endian"):
        expected = "unsuitable array for .*, misaligned" if layout == "misaligned" else "got >f4 and float32"
        with pytest.raises(TypeError, match=rf"\[linear\w*\] .*{expected}"):
            network()(x)
    else:
        np.testing.assert_array_equal(network()(x).data, network()(X).data)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "big-endian"])
def test_any_layout_of_gradients_and_data(layout):
    arrange = LAYOUTS[layout]
    w = nn.Parameter(X.copy())
    w.data, w.grad = arrange(X.copy()), arrange(X)
    if layout == "read-only":
        w.data = X.copy()
    optim.SGD([w], lr=0.5).step()
    np.testing.assert_array_equal(w.data, X - np.float32(0.5) * X)
    x = nnative.Tensor(X, requires_grad=True)
    (x * 2).backward(arrange(X))
    np.testing.assert_array_equal(x.grad, 2 * X)


def test_read_only_parameters_are_named():
    w = nn.Parameter(read_only(X))
    w.grad = X
    for optimizer in (optim.SGD([w], lr=0.1), optim.Adam([w]), optim.AdamW([w])):
        with pytest.raises(TypeError, match=r"_step\] unsuitable array for params\[0\].*read-only"):
            optimizer.step()
    for fill in (nn.init.uniform_, nn.init.zeros_, nn.init.xavier_normal_):
        with pytest.raises(ValueError, match=r"_\] expected a tensor that can be written, got a read-only array of"):
            fill(w)
    np.testing.assert_array_equal(w.data, X)


def test_empty_batches():
    with pytest.raises(ValueError, match=re.escape("[cross_entropy] expected target with shape (0,)")):
        F.cross_entropy(network()(nnative.zeros(0, 4)), Y)
    model = network()
    loss = F.cross_entropy(model(nnative.zeros(0, 4)), Y[:0], reduction="sum")
    loss.backward()
    assert loss.item() == 0
    assert not any(p.grad.any() for p in model.parameters())
    assert np.isnan(F.cross_entropy(model(nnative.zeros(0, 4)), Y[:0]).item())
    assert np.isnan(F.mse_loss(nnative.zeros(0, 3), nnative.zeros(0, 3)).item())
    for function in (F.softmax, F.log_softmax):
        assert function(nnative.zeros(0, 3), dim=1).shape == (0, 3)
        assert function(nnative.zeros(3, 0), dim=1).shape == (3, 0)


@pytest.mark.parametrize("special", [NAN, INF, -INF])
def test_nan_and_infinity_stay_in_their_row(special):
    x = X.copy()
    x[2, 1] = special
    model = network()
    got, want = model(nnative.Tensor(x)).data, model(nnative.Tensor(X)).data
    assert not np.isfinite(got[2]).all()
    np.testing.assert_array_equal(np.delete(got, 2, 0), np.delete(want, 2, 0))
    assert np.isnan(gradients(nnative.Tensor(np.full_like(X, special)))[0])


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (
            np.array([0, 1, 2, 3, 1, 0]),
            ValueError,
            "below 3 (the number of classes) and not negative, got target[3] = 3",
        ),
        (np.array([0, -1, 2, 2, 1, 0]), ValueError, "got target[1] = -1"),
        (np.array([2**63] * 6, np.uint64), ValueError, "got target[0] = 9223372036854775808"),
        (Y[:5], ValueError, "expected target with shape (6,), one class for each row, got shape (5,)"),
        (Y[:, None], ValueError, "got shape (6, 1)"),
        (np.array(0), ValueError, "got shape ()"),
        (Y.astype(float), TypeError, "expected target of an integer dtype (class indices), got float64"),
        (Y.astype(object), TypeError, "got object"),
        (Y.astype(">i8"), TypeError, "got >i8"),
        (Y.tolist(), TypeError, "expected a Tensor or ndarray as target, got list"),
    ],
)
def test_labels(y, error, message):
    with pytest.raises(error, match=r"^\[cross_entropy\] .*" + re.escape(message)):
        gradients(nnative.Tensor(X), y)


def test_one_parameter_in_two_optimizers_is_stepped_by_both():
    w = nn.Parameter(np.zeros(3, "float32"))
    first, second = optim.SGD([w], lr=1.0), optim.SGD([w], lr=0.5)
    w.grad = np.ones(3, "float32")
    first.step()
    second.step()
    assert w.data.tolist() == [-1.5] * 3


def test_backward_twice():
    model = network()
    loss = F.cross_entropy(model(nnative.Tensor(X)), Y)
    loss.backward()
    before = [p.grad.copy() for p in model.parameters()]
    with pytest.raises(
        RuntimeError, match=r"\[backward\] the graph through CrossEntropy\w* was already walked and freed"
    ):
        loss.backward()
    for p, b in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.grad, b)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("0.bias"), "missing: 0.bias"),
        (lambda s: s.update(more=np.ones(1)), "unexpected: more"),
        (lambda s: s.update({3: np.ones(1)}), "unexpected: 3"),
        (lambda s: s.update({"2.bias": np.ones(4, "float32")}), "2.bias: expected shape (3,), got (4,)"),
        (lambda s: s.update({"2.bias": np.float32(1)}), "2.bias: expected shape (3,), got ()"),
        (lambda s: s.update({"2.bias": np.ones(3)}), "2.bias: expected float32, got float64"),
    ],
)
def test_state_dicts_that_do_not_fit_load_nothing(change, message):
    model = network()
    state = {name: np.full_like(np.asarray(value), 7) for name, value in model.state_dict().items()}
    change(state)
    before = [p.data.copy() for p in model.parameters()]
    with pytest.raises(
        ValueError, match=r"\[load_state_dict\] the entries do not fit Sequential[^$]*" + re.escape(message)
    ):
        model.load_state_dict(state)
    for p, b in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, b)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
@pytest.mark.parametrize("lr", [NAN, INF, -0.1])
def test_learning_rates(name, lr):
    w = nn.Parameter(np.ones(3, "float32"))
    with pytest.raises(ValueError, match=rf"\[{name}\] Invalid learning rate: {lr}"):
        getattr(optim, name)([w], lr=lr)
    optimizer = getattr(optim, name)([w], lr=0.1)
    w.grad = np.ones(3, "float32")
    optimizer.param_groups[0]["lr"] = lr
    with pytest.raises(ValueError, match=rf"\[{name}\] Invalid learning rate: {lr}"):
        optimizer.step()
    assert w.data.tolist() == [1.0] * 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nnative.arange(0, 1, 0), ValueError, "[arange] expected finite numbers and a step that is not 0"),
        (lambda: nnative.arange(0, NAN), ValueError, "[arange] expected finite numbers"),
        (lambda: nnative.zeros(6).reshape(-2, 3), ValueError, "[reshape] expected a shape of 6 elements, got (-2, 3)"),
        (lambda: F.softmax(nnative.zeros(2, 3), dim="1"), TypeError, "[softmax] expected dim to be an int, got '1'"),
        (lambda: nnative.tensor([1]) + 2**70, OverflowError, "[add] expected a number that fits into int64"),
        (
            lambda: nn.Linear(True, 3),
            ValueError,
            "[Linear] expected in_features to be an integer of at least 0, got True",
        ),
    ],
)
def test_arguments(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call()
