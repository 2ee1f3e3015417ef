"""Every differentiable operation against central differences in float64, and its values against NumPy."""

import numpy as np
import pytest

import nnative
from nnative import ops

rng = np.random.default_rng(3)
A = rng.standard_normal((3, 4))
B = rng.standard_normal((3, 4))
P = rng.uniform(0.5, 2.0, (3, 4))
ROW, COLUMN, SCALAR = rng.uniform(0.5, 2, 4), rng.uniform(0.5, 2, (3, 1)), np.array(1.5)
MASK = A > 0

BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(
    ("a", "b"), [(P, P[::-1]), (P, ROW), (COLUMN, ROW), (SCALAR, P), (P[:0], ROW), (SCALAR, SCALAR + 1)]
)
def test_binary_operations_broadcast(name, a, b, gradcheck):
    function = getattr(ops, name)
    gradcheck(function, a, b)
    ulps = 2 if name == "pow" else 0
    np.testing.assert_array_max_ulp(function(nnative.Tensor(a), nnative.Tensor(b)).numpy(), BINARY[name](a, b), ulps)


UNARY = {
    "neg": (ops.neg, np.negative, A),
    "exp": (ops.exp, np.exp, A),
    "log": (ops.log, np.log, P),
    "sqrt": (ops.sqrt, np.sqrt, P),
    "abs": (ops.abs, np.abs, A),
    "clip": (lambda x: ops.clip(x, -0.5, 0.7), lambda x: np.clip(x, -0.5, 0.7), A),
    "clip below": (lambda x: ops.clip(x, min=0), lambda x: np.clip(x, 0, None), A),
    "square": (lambda x: x**2, np.square, A),
    "cube root": (lambda x: x ** (1 / 3), lambda x: x ** (1 / 3), P),
    "power of two": (lambda x: 2**x, lambda x: 2**x, A),
    "reciprocal": (lambda x: 1 / x, lambda x: 1 / x, P),
    "one minus": (lambda x: 1 - x, lambda x: 1 - x, A),
    "clone": (ops.clone, np.copy, A),
    "where": (lambda x: ops.where(MASK, x, x * 3), lambda x: np.where(MASK, x, x * 3), A),
    "where broadcast": (lambda x: ops.where(MASK, x[0], 2.0), lambda x: np.where(MASK, x[0], 2.0), A),
    "sum": (ops.sum, np.sum, A),
    "sum rows": (lambda x: ops.sum(x, 0), lambda x: x.sum(0), A),
    "sum keepdim": (lambda x: ops.sum(x, dim=-1, keepdim=True), lambda x: x.sum(-1, keepdims=True), A),
    "sum axis": (lambda x: ops.sum(x, axis=(0, 1)), np.sum, A),
    "mean": (ops.mean, np.mean, A),
    "mean columns": (lambda x: ops.mean(x, (-1,)), lambda x: x.mean(-1), A),
    "max": (ops.max, np.max, A),
    "min": (ops.min, np.min, A),
    "max dim": (lambda x: ops.max(x, 1)[0], lambda x: x.max(1), A),
    "min keepdim": (lambda x: ops.min(x, 0, True)[0], lambda x: x.min(0, keepdims=True), A),
    "reshape": (lambda x: x.reshape(2, -1), lambda x: x.reshape(2, -1), A),
    "reshape list": (lambda x: x.reshape([12]), lambda x: x.reshape(12), A),
    "flatten": (lambda x: x.flatten(), np.ravel, A),
    "transpose": (lambda x: x.transpose(0, 1), np.transpose, A),
    "T": (lambda x: x.T, np.transpose, A),
    "permute": (lambda x: x.reshape(3, 2, 2).permute(2, 0, 1), lambda x: x.reshape(3, 2, 2).transpose(2, 0, 1), A),
    "squeeze": (lambda x: x.unsqueeze(1).squeeze(), lambda x: x, A),
    "unsqueeze": (lambda x: x.unsqueeze(-1), lambda x: x[..., None], A),
    "broadcast": (lambda x: x.broadcast_to((2, 3, 4)), lambda x: np.broadcast_to(x, (2, 3, 4)), A),
    "one row": (lambda x: x[1], lambda x: x[1], A),
    "one element": (lambda x: x[1, -1], lambda x: x[1, -1], A),
    "slice": (lambda x: x[1:, ::-2], lambda x: x[1:, ::-2], A),
    "ellipsis": (lambda x: x[..., None, 0], lambda x: x[..., None, 0], A),
    "repeated rows": (lambda x: x[[0, 2, 0]], lambda x: x[[0, 2, 0]], A),
    "index arrays": (
        lambda x: x[np.array([0, 0, 2]), nnative.tensor([1, 1, 3])],
        lambda x: x[[0, 0, 2], [1, 1, 3]],
        A,
    ),
    "mask": (lambda x: x[MASK], lambda x: x[MASK], A),
    "tensor mask": (lambda x: x[x > 0.1], lambda x: x[x > 0.1], A),
    "concatenate": (lambda x: ops.concatenate([x, x * 2, x[:1]]), lambda x: np.concatenate([x, x * 2, x[:1]]), A),
    "concatenate columns": (lambda x: ops.concatenate([x, x[:, :2]], dim=-1), lambda x: np.c_[x, x[:, :2]], A),
    "stack": (lambda x: ops.stack([x, x * 2], 1), lambda x: np.stack([x, x * 2], 1), A),
    "iterate": (lambda x: sum(row * row[0] for row in x), lambda x: sum(row * row[0] for row in x), A),
}


@pytest.mark.parametrize("name", UNARY)
def test_operations_of_one_tensor(name, gradcheck):
    function, expected, x = UNARY[name]
    gradcheck(function, x)
    got = function(nnative.Tensor(x.copy()))
    assert got.data.flags.c_contiguous
    np.testing.assert_allclose(got, expected(x), rtol=1e-15)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3, 4), (4, 2)),
        ((4,), (4,)),
        ((4,), (4, 2)),
        ((3, 4), (4,)),
        ((2, 3, 4), (4, 2)),
        ((2, 3, 4), (4,)),
        ((3, 4), (2, 4, 2)),
        ((4,), (2, 4, 3)),
        ((2, 1, 3, 4), (5, 4, 2)),
        ((0, 3, 4), (4, 2)),
        ((3, 0), (0, 2)),
        ((0, 3, 4), (0, 4, 2)),
    ],
)
def test_matmul(a, b, gradcheck):
    x, y = rng.standard_normal(a), rng.standard_normal(b)
    gradcheck(ops.matmul, x, y)
    np.testing.assert_allclose(nnative.Tensor(x) @ y, x @ y, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(x @ nnative.Tensor(y), x @ y, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("shape", [(5, 3), (3,), (2, 5, 3), (0, 3), (2, 0, 3)])
def test_linear(shape, gradcheck):
    x, w, b = rng.standard_normal(shape), rng.standard_normal((4, 3)), rng.standard_normal(4)
    gradcheck(ops.linear, x, w, b)
    gradcheck(ops.linear, x, w)
    np.testing.assert_allclose(ops.linear(x, w, b), x @ w.T + b, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 0), (0, 4)])
def test_linear_without_features(inputs, outputs, gradcheck):
    gradcheck(ops.linear, np.ones((2, 5, inputs)), np.ones((outputs, inputs)), np.ones(outputs))


def test_linear_computes_only_the_gradients_that_are_needed():
    w = nnative.ones(4, 3, requires_grad=True)
    x = nnative.ones(2, 3)
    ops.linear(x, w, nnative.zeros(4)).sum().backward()
    assert x.grad is None
    np.testing.assert_array_equal(w.grad, np.full((4, 3), 2.0))


def test_linear_with_a_bias_alone_to_train():
    b = nnative.zeros(4, requires_grad=True)
    ops.linear(nnative.ones(2, 3), nnative.ones(4, 3), b).sum().backward()
    np.testing.assert_array_equal(b.grad, [2, 2, 2, 2])


def test_linear_of_an_array_that_is_not_contiguous():
    x, w = np.asfortranarray(A), rng.standard_normal((2, 4))
    np.testing.assert_allclose(ops.linear(x, w), x @ w.T, rtol=1e-13)


def test_equal_elements_share_the_gradient_of_maximum():
    a, b = (nnative.ones(2, requires_grad=True) for _ in range(2))
    ops.maximum(a, b).sum().backward()
    np.testing.assert_array_equal(a.grad, [0.5, 0.5])
    np.testing.assert_array_equal(b.grad, [0.5, 0.5])


def test_power_zero_has_gradient_zero():
    x = nnative.zeros(2, requires_grad=True)
    (x**0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0])


def test_conversion_carries_the_gradient_back():
    x = nnative.ones(2, requires_grad=True)
    (x.double() * 3).sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_array_equal(x.grad, [3, 3])


def test_division_by_zero_and_bad_logarithms_are_values_not_warnings():
    x = nnative.tensor([0.0, -1.0, 1.0], requires_grad=True)
    np.testing.assert_array_equal((1 / x).data, [np.inf, -1, 1])
    np.testing.assert_array_equal((x / 0).data, [np.nan, -np.inf, np.inf])
    np.testing.assert_array_equal(x.log().data, [-np.inf, np.nan, 0])
    np.testing.assert_array_equal((x * 1e38 * 1e38).data, [0, -np.inf, np.inf])
    assert np.isnan((x / 0 - x / 0).data).all()
    x.sqrt().sum().backward()
    np.testing.assert_array_equal(x.grad, [np.inf, np.nan, 0.5])


def test_nan_and_infinity_pass_through():
    x = nnative.tensor([np.nan, np.inf, 1.0])
    assert np.isnan(x.sum().item())
    assert np.isnan(x.max().item())
    assert np.isnan(ops.maximum(x, 0.0).data[0])


def test_mean_of_nothing_is_nan():
    assert np.isnan(nnative.zeros(0).mean().item())


def test_max_gives_values_and_indices():
    values, indices = nnative.tensor([[1.0, 5.0, 5.0], [7.0, 2.0, 1.0]]).max(dim=1, keepdim=True)
    assert values.tolist() == [[5.0], [7.0]]
    assert indices.tolist() == [[1], [0]]
