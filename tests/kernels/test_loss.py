"""Losses: values, gradients, extreme logits, bad targets, and bits that depend on nothing but the input."""

import numpy as np
import pytest

import nnative
from nnative import _native, reference
from nnative.check import Maker
from nnative.nn.functional import cross_entropy, mse_loss
from nnative.ops.regression import SquaredError
from nnative.reference import loss as examples

REDUCTIONS = ("mean", "sum", "none")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def tensor(values, dtype="float64", grad=False):
    return nnative.Tensor(np.array(values, dtype), requires_grad=grad)


def reduced(losses, reduction):
    return {"mean": losses.mean, "sum": losses.sum, "none": lambda: losses}[reduction]()


def central_difference(function, x, h=1e-6):
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * h
            gradient[i] += sign * function(moved) / (2 * h)
    return gradient


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("classes", [1, 2, 10, 16, 17, 32, 33, 45])
def test_cross_entropy_and_its_gradient(reduction, classes, isa):
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((7, classes)), rng.integers(0, classes, 7)
    expected = reduced(-np.log(np.exp(x)[range(7), target] / np.exp(x).sum(axis=1)), reduction)
    logits = tensor(x, grad=True)
    loss = cross_entropy(logits, target, reduction=reduction)
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-13, atol=1e-14)
    assert loss.data.shape == np.shape(expected)
    weight = np.asarray(rng.standard_normal(loss.data.shape))
    loss.backward(weight)
    numeric = central_difference(
        lambda m: (cross_entropy(tensor(m), target, reduction=reduction).numpy() * weight).sum(), x
    )
    np.testing.assert_allclose(logits.grad, numeric, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
def test_mse_and_both_gradients(reduction, isa):
    rng = np.random.default_rng(1)
    x, t = rng.standard_normal((5, 7)), rng.standard_normal((5, 7))
    losses = (x - t) ** 2
    expected = losses.sum() / 5 if reduction == "batchmean" else reduced(losses, reduction)
    a, b = tensor(x, grad=True), tensor(t, grad=True)
    loss = mse_loss(a, b, reduction=reduction)
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-14)
    weight = np.asarray(rng.standard_normal(loss.data.shape))
    loss.backward(weight)
    numeric = central_difference(
        lambda m: (mse_loss(tensor(m), tensor(t), reduction=reduction).numpy() * weight).sum(), x
    )
    np.testing.assert_allclose(a.grad, numeric, rtol=1e-7, atol=1e-8)
    np.testing.assert_array_equal(b.grad, -a.grad)


def test_a_gradient_that_is_not_needed_is_not_computed(monkeypatch):
    forward, total, *gradients = SquaredError.kernels
    calls = []
    counted = [lambda *a, k=kernel: calls.append(k) or k(*a) for kernel in gradients]
    monkeypatch.setattr(SquaredError, "kernels", (forward, total, *counted))
    mse_loss(tensor([1.0], grad=True), np.zeros(1)).backward()
    assert calls == [_native.squared_error_backward]
    mse_loss(tensor([1.0]), tensor([0.0], grad=True)).backward()
    assert calls == [_native.squared_error_backward, _native.squared_error_backward_target]


@pytest.mark.parametrize("classes", [4, 16, 30])
def test_extreme_logits(classes, isa, dtype):
    x = np.zeros((4, classes), dtype)
    x[0, 0], x[1, 0], x[2], x[3, 1] = 1e4, -1e4, 1e4, -np.inf
    logits = nnative.Tensor(x, requires_grad=True)
    loss = cross_entropy(logits, np.array([1, 1, 2, 1]), reduction="none")
    others = classes - 1
    np.testing.assert_allclose(loss.numpy(), [1e4, np.log(others), np.log(classes), np.inf], rtol=1e-6)
    loss.backward(np.ones(4, dtype))
    assert np.isfinite(logits.grad).all()
    np.testing.assert_array_equal(logits.grad[0, :2], [1, -1])
    np.testing.assert_allclose(logits.grad.sum(axis=1), 0, atol=1e-6)
    assert cross_entropy(nnative.Tensor(x), np.array([0, 1, 2, 0]), reduction="none").numpy()[0] == 0


@pytest.mark.parametrize("special", [np.inf, np.nan])
def test_infinite_and_nan_logits_give_nan_in_their_row_only(special, isa, dtype):
    x = np.zeros((3, 5), dtype)
    x[1, 2] = special
    target = np.array([0, 1, 4])
    loss = _native.cross_entropy_forward(x, target)
    np.testing.assert_array_equal(np.isnan(loss), [False, True, False])
    gradient = _native.cross_entropy_backward(np.ones(3, dtype), x, target, False)
    assert np.isnan(gradient[1, 2])
    assert np.isfinite(gradient[[0, 2]]).all()


@pytest.mark.parametrize("integer", INTEGERS)
def test_targets_of_every_integer_type(integer, isa):
    rng = np.random.default_rng(2)
    x, target = rng.standard_normal((33, 12)), rng.integers(0, 12, 33)
    loss = _native.cross_entropy_forward(x, target)
    typed = target.astype(integer)
    np.testing.assert_array_equal(_native.cross_entropy_forward(x, typed), loss)
    np.testing.assert_array_equal(
        _native.cross_entropy_backward(loss, x, typed, True), _native.cross_entropy_backward(loss, x, target, True)
    )
    assert cross_entropy(tensor(x), nnative.Tensor(typed)).data == cross_entropy(tensor(x), target).data


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.array([0, 3, -1]), r"target\[1\] = 3"),
        (np.array([0, -1, 9]), r"target\[1\] = -1"),
        (np.array([0, 1, 200], np.uint8), r"target\[2\] = 200"),
        (np.array([0, -7, 0], np.int8), r"target\[1\] = -7"),
        (np.array([2**64 - 1, 0, 0], np.uint64), r"target\[0\] = 18446744073709551615"),
    ],
)
def test_targets_out_of_range_are_named(target, message):
    with pytest.raises(ValueError, match=r"\[cross_entropy\] expected class indices below 3 .*" + message):
        cross_entropy(tensor(np.zeros((3, 3))), target)
    with pytest.raises(ValueError, match=message):
        _native.cross_entropy_backward(np.ones(3), np.zeros((3, 3)), target, False)


@pytest.mark.parametrize("target", [np.zeros(3), np.zeros(3, bool), np.zeros(3, complex), np.zeros(3, object)])
def test_targets_that_are_no_integers(target):
    with pytest.raises(TypeError, match=rf"\[cross_entropy\] expected target of an integer dtype.*{target.dtype}"):
        cross_entropy(tensor(np.zeros((3, 3))), target)


def test_wrong_arguments_are_named():
    x = tensor(np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"\[cross_entropy\] expected target with shape \(3,\).*got shape \(2,\)"):
        cross_entropy(x, np.zeros(2, int))
    with pytest.raises(ValueError, match=r"got shape \(3, 1\)"):
        cross_entropy(x, np.zeros((3, 1), int))
    with pytest.raises(
        ValueError, match=r"expected target with shape \(\), .* got shape \(4,\) for input of shape \(4,\)"
    ):
        cross_entropy(tensor(np.zeros(4)), np.zeros(4, int))
    with pytest.raises(TypeError, match=r"\[cross_entropy\] expected a Tensor as input, got ndarray"):
        cross_entropy(np.zeros((3, 4)), np.zeros(3, int))
    with pytest.raises(TypeError, match=r"\[cross_entropy\] expected a Tensor or ndarray as target, got list"):
        cross_entropy(x, [0, 1, 2])
    with pytest.raises(TypeError, match="int64"):
        cross_entropy(nnative.Tensor(np.zeros((3, 4), np.int64)), np.zeros(3, int))
    with pytest.raises(ValueError, match=r"reduction to be one of 'mean', 'sum', 'none', got 'max'"):
        cross_entropy(x, np.zeros(3, int), reduction="max")
    with pytest.raises(
        ValueError, match=r"\[mse_loss\] expected target with the input's shape \(3, 4\), got shape \(4,\)"
    ):
        mse_loss(x, np.zeros(4))
    with pytest.raises(TypeError, match=r"\[mse_loss\].*target: dtype float32"):
        mse_loss(x, np.zeros((3, 4), np.float32))
    with pytest.raises(ValueError, match=r"\[squared_error\] expected the gradient with 12 elements"):
        _native.squared_error_backward(np.ones(3), x.data, x.data, 1.0)


def test_targets_in_strides_and_from_another_machine():
    x, pairs = tensor(np.eye(3)), np.array([[0, 9], [1, 9], [2, 9]])
    assert cross_entropy(x, pairs[:, 0]).data == cross_entropy(x, np.arange(3)).data
    assert mse_loss(x, np.asfortranarray(np.ones((3, 3)))).data == 2 / 3
    with pytest.raises(TypeError, match="expected target of an integer dtype"):
        cross_entropy(x, np.arange(3).astype(np.dtype(np.int64).newbyteorder()))


def test_nothing_to_sum(dtype):
    x, target = np.zeros((0, 5), dtype), np.zeros(0, np.int64)
    for loss in (
        lambda r: cross_entropy(nnative.Tensor(x), target, reduction=r),
        lambda r: mse_loss(nnative.Tensor(x), x, reduction=r),
    ):
        assert np.isnan(loss("mean").data)
        assert loss("sum").data == 0
        assert loss("none").data.shape[0] == 0
    leaf = nnative.Tensor(x, requires_grad=True)
    cross_entropy(leaf, target).backward()
    assert leaf.grad.shape == (0, 5)
    with pytest.raises(ValueError, match=r"below 0 .*target\[0\] = 0"):
        cross_entropy(tensor(np.zeros((2, 0))), np.zeros(2, int))


@pytest.mark.parametrize("shape", [(1003, 10), (301, 131), (9, 5003)])
def test_bits_depend_on_neither_instruction_set_nor_threads(shape, dtype, fma_isas, set_threads):
    rng = np.random.default_rng(5)
    rows = 8000 if shape[1] == 10 else shape[0]
    x = 4 * rng.standard_normal((rows, shape[1])).astype(dtype)
    y = rng.standard_normal(x.shape).astype(dtype)
    target, dloss = rng.integers(0, shape[1], rows), rng.standard_normal(rows).astype(dtype)
    weight = rng.uniform(0.5, 2, shape[1]).astype(dtype)
    results = set()
    for isa in fma_isas:
        _native.set_isa(isa)
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            loss = _native.cross_entropy_sum(x, target, True, weight, 3, 0.1)
            arrays = (
                loss,
                _native.cross_entropy_sum(x, target, False),
                _native.cross_entropy_forward(x, target),
                _native.cross_entropy_backward(dloss, x, target, True, weight, 3, 0.1),
                _native.cross_entropy_backward(dloss, x, target, False),
                _native.nll_sum(x, target, True, weight),
                _native.nll_backward(dloss, target, shape[1], True, weight),
                _native.squared_error_forward(x, y),
                _native.squared_error_sum(x, y, 0.1),
                _native.squared_error_backward(loss, x, y, 0.1),
            )
            results.add(tuple(a.tobytes() for a in arrays))
    assert len(results) == 1


@pytest.mark.parametrize("classes", [1, 10, 16, 17, 1000])
def test_a_row_does_not_depend_on_its_batch(classes, isa, dtype):
    rng = np.random.default_rng(6)
    x, target = 5 * rng.standard_normal((37, classes)).astype(dtype), rng.integers(0, classes, 37)
    loss = _native.cross_entropy_forward(x, target)
    gradient = _native.cross_entropy_backward(loss, x, target, False)
    for n in range(37):
        one = _native.cross_entropy_forward(x[n : n + 1], target[n : n + 1])
        assert one.tobytes() == loss[n].tobytes()
        dx = _native.cross_entropy_backward(one, x[n : n + 1], target[n : n + 1], False)
        assert dx.tobytes() == gradient[n].tobytes()


@pytest.mark.parametrize("classes", [1, 10, 16, 17, 32, 33, 100, 128, 129, 1000, 16385])
def test_the_gradient_has_the_bits_of_a_softmax_less_the_targets(classes, isa, dtype, threads):
    rng = np.random.default_rng(classes)
    x, target = (4 * rng.standard_normal((19, classes))).astype(dtype), rng.integers(0, classes, 19)
    dloss, target[7] = rng.standard_normal(19).astype(dtype), -100
    chosen = (np.arange(classes) == target[:, None]).astype(dtype)
    expected = dloss[:, None] * (_native.softmax_forward(x) - chosen)
    expected[7] = 0
    np.testing.assert_array_equal(_native.cross_entropy_backward(dloss, x, target, False), expected)


def test_long_sums_stay_accurate(isa):
    x = np.full(3_000_001, 0.1, np.float32)
    assert abs(_native.squared_error_sum(x, np.zeros_like(x), 1 / x.size) / float(x[0]) ** 2 - 1) < 1e-5


def test_fused_sum_equals_the_sum_of_losses(dtype):
    x = np.random.default_rng(8).standard_normal((9001, 3)).astype(dtype)
    target = np.arange(9001) % 3
    loss = _native.cross_entropy_forward(x, target)
    assert _native.cross_entropy_sum(x, target, False) == _native.sum(loss, (0,), False, 1.0)
    mean = _native.cross_entropy_sum(x, target, True)
    assert mean == _native.sum(loss, (0,), False, 1.0) * (1 / x.dtype.type(9001))
    assert _native.squared_error_sum(x, -x, 0.25) == _native.sum(
        _native.squared_error_forward(x, -x), (0, 1), False, 0.25
    )
    expected = reference.functions()["cross_entropy_sum"](x.astype(np.float64), target, False)
    np.testing.assert_allclose(loss.sum(dtype=np.float64), expected, rtol=1e-6)


@pytest.mark.parametrize("kernel", [k for k in examples.EXAMPLES if k.rsplit("_", 1)[0] != "cross_entropy"])
def test_bits_of_the_other_losses_depend_on_neither_instruction_set_nor_threads(kernel, dtype, fma_isas, set_threads):
    args = examples.EXAMPLES[kernel](Maker(dtype), 6001)
    results = set()
    for isa in fma_isas:
        _native.set_isa(isa)
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            result = getattr(_native, kernel)(*args)
            results.add(
                tuple(a.tobytes() for a in (result if isinstance(result, tuple) else (result,)) if a is not None)
            )
    assert len(results) == 1


@pytest.mark.parametrize("name", examples.ELEMENTWISE)
def test_nan_gives_nan(name, isa, dtype):
    loss = examples.ELEMENTWISE[name]
    x, one = np.full(17, np.nan, dtype), np.ones(17, dtype)
    for pair in ((x, one), *(() if loss.example.endswith("sign") else ((one / 2, x),))):
        assert np.isnan(getattr(_native, f"{name}_forward")(*pair, *loss.scalars)).all()
        assert np.isnan(getattr(_native, f"{name}_sum")(*pair, 1.0, *loss.scalars))


@pytest.mark.parametrize("classes", range(1, 35))
def test_few_classes_have_the_bits_of_a_softmax_of_each_row(classes, dtype, isa):
    """Rows of at most 32 classes are computed side by side."""
    random = np.random.default_rng(classes)
    x = 4 * random.standard_normal((50, classes)).astype(dtype)
    x[3, 0], x[4, -1], x[5], x[6] = np.nan, np.inf, -np.inf, -200 * np.arange(classes)
    y = random.integers(0, classes, 50)
    chosen = (np.arange(classes) == y[:, None]).astype(dtype)
    whole = _native.cross_entropy_forward(x, y)
    expected = whole[:, None] * (_native.softmax_forward(x) - chosen)
    for rows in range(1, 50):
        loss = _native.cross_entropy_forward(x[:rows], y[:rows])
        assert loss.tobytes() == whole[:rows].tobytes()
        gradient = _native.cross_entropy_backward(loss, x[:rows], y[:rows], False)
        np.testing.assert_array_equal(gradient, expected[:rows])


def test_rows_of_few_classes_have_the_same_bits_alone_together_and_recorded(isa, dtype):
    rng = np.random.default_rng(4)

    for classes in range(1, 33):
        x = (3 * rng.standard_normal((37, classes))).astype(dtype)
        target = rng.integers(0, classes, 37)
        loss = _native.cross_entropy_forward(x, target)
        for n in range(37):
            alone = _native.cross_entropy_forward(x[n : n + 1], target[n : n + 1])
            np.testing.assert_array_equal(alone, loss[n : n + 1])
        # The gradient of a mean, alone and in one pass with the losses.
        scale = np.full(37, 1, dtype) / np.array(37, dtype)
        want = _native.cross_entropy_backward(scale, x, target, False)
        weights = nnative.Tensor(x.copy(), requires_grad=True)

        @nnative.compile
        def recorded(shift, labels, weights=weights):
            weights.grad = None
            value = cross_entropy(weights + shift, labels)
            value.backward()
            return value

        for _ in range(2):
            recorded(np.zeros((37, classes), dtype), target)
            np.testing.assert_array_equal(weights.grad, want, str(classes))
