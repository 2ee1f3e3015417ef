"""Lion and FTRL, which PyTorch does not have, by their papers' definitions; the perceptron's rule."""

import numpy as np
import pytest

import nnative
from nnative import nn, optim

SHAPES = [(17, 5), (33,), ()]


def _run(make, update, dtype, steps=20, start=1.0):
    rng = np.random.default_rng(0)
    tensors = [nnative.Tensor(np.asarray(start * rng.standard_normal(s), dtype), requires_grad=True) for s in SHAPES]
    expected = [t.data.astype(np.float64) for t in tensors]
    states = [{} for _ in tensors]
    optimizer = make(tensors)
    for _ in range(steps):
        for i, t in enumerate(tensors):
            t.grad = np.asarray(rng.standard_normal(t.shape), dtype)
            expected[i] = update(expected[i], t.grad.astype(np.float64), states[i])
        optimizer.step()
    tolerance = 50 * steps * np.finfo(dtype).eps
    for t, e in zip(tensors, expected, strict=True):
        np.testing.assert_allclose(t.data, e, rtol=tolerance, atol=tolerance)
    return tensors


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("weight_decay", [0, 0.1])
def test_lion(weight_decay, maximize, dtype):
    def update(p, g, state):
        m = state.get("m", 0 * p)
        g = -g if maximize else g
        state["m"] = 0.98 * m + 0.02 * g
        return p - 0.01 * (np.sign(0.8 * m + 0.2 * g) + weight_decay * p)

    def make(p):
        return optim.Lion(p, lr=0.01, betas=(0.8, 0.98), weight_decay=weight_decay, maximize=maximize)

    _run(make, update, dtype)


@pytest.mark.parametrize("l1", [0, 0.5])
@pytest.mark.parametrize("l2", [0, 0.3])
def test_ftrl_from_zero_is_the_papers(l1, l2, dtype):
    lr, beta = 0.1, 1.0

    def update(p, g, state):
        z, n = state.get("z", 0 * p), state.get("n", 0 * p)
        sigma = (np.sqrt(n + g * g) - np.sqrt(n)) / lr
        state["z"], state["n"] = z, n = z + g - sigma * p, n + g * g
        return np.where(abs(z) <= l1, 0, -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / lr + l2))

    tensors = _run(lambda p: optim.FTRL(p, lr=lr, beta=beta, l1=l1, l2=l2), update, dtype, start=0.0)
    share = np.mean([np.mean(t.data == 0) for t in tensors[:2]])
    assert (share > 0.02) == (l1 > 0)


def test_ftrl_keeps_parameters_without_gradient():
    t = nnative.Tensor(np.array([1.0, -2.0, 0.0, 3.0]), requires_grad=True)
    before = t.data.copy()
    optimizer = optim.FTRL([t], lr=0.1, l1=0.2, l2=0.3, initial_accumulator_value=0.1)
    t.grad = np.array([0.0, 0.0, 0.0, 1.0])
    optimizer.step()
    np.testing.assert_allclose(t.data[:3], before[:3], rtol=1e-14)
    assert t.data[3] < 3


X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
GATES = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "nand": [1, 1, 1, 0]}


@pytest.mark.parametrize("batch", [1, 2, 4])
@pytest.mark.parametrize("outputs", [(0, 1), (-1, 1)])
@pytest.mark.parametrize("gate", GATES)
def test_the_perceptron_learns_what_a_line_separates(gate, outputs, batch, dtype):
    nnative.manual_seed(3)
    rule = optim.Perceptron(nn.Linear(2, 1, dtype=dtype), lr=0.3, outputs=outputs)
    y = np.where(np.array(GATES[gate]) > 0, outputs[1], outputs[0])
    rng = np.random.default_rng(0)
    for _ in range(100):
        order = rng.permutation(4)
        for start in range(0, 4, batch):
            rows = order[start : start + batch]
            rule.learn(X.astype(dtype).T.copy().T[rows], y[rows])
    np.testing.assert_array_equal(rule.predict(X.astype(dtype)).numpy().ravel(), y)


def test_the_perceptron_does_not_learn_xor():
    rule = optim.Perceptron(nn.Linear(2, 1), lr=0.1)
    errors = [rule.learn(X, np.array([0, 1, 1, 0])).item() for _ in range(300)]
    assert min(errors) >= 0.25


def test_xor_by_two_perceptrons_and_a_combiner():
    hidden, out = nn.Linear(2, 2), nn.Linear(2, 1)
    hidden.weight.data[...], hidden.bias.data[...] = [[1, 1], [-1, -1]], [-0.5, 1.5]  # OR, NAND
    out.weight.data[...], out.bias.data[...] = [[1, 1]], [-1.5]  # AND
    h = optim.Perceptron(hidden).predict(X)
    np.testing.assert_array_equal(optim.Perceptron(out).predict(h).numpy().ravel(), [0, 1, 1, 0])


def test_the_perceptrons_step_is_the_rule():
    layer = nn.Linear(3, 2, dtype=np.float64)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 3)), rng.integers(0, 2, (5, 2)).astype(np.float64)
    w, b = layer.weight.data.copy(), layer.bias.data.copy()
    error = y - (x @ w.T + b > 0)
    loss = optim.Perceptron(layer, lr=0.7).learn(x, y)
    np.testing.assert_allclose(layer.weight.data, w + 0.7 / 5 * error.T @ x, rtol=1e-12)
    np.testing.assert_allclose(layer.bias.data, b + 0.7 / 5 * error.sum(0), rtol=1e-12)
    assert loss.item() == pytest.approx(abs(error).sum() / 5)


def test_the_perceptron_names_what_does_not_fit():
    with pytest.raises(TypeError, match=r"\[Perceptron\] expected a Linear layer, got ReLU"):
        optim.Perceptron(nn.ReLU())
    with pytest.raises(ValueError, match=r"\[Perceptron\] expected targets of shape \(4, 1\), got \(3,\)"):
        optim.Perceptron(nn.Linear(2, 1)).learn(X, np.zeros(3))
