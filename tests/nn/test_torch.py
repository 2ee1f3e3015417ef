"""Values, gradients, names and printed forms are PyTorch's."""

import numpy as np
import pytest

import nnative
from nnative import nn

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")

rng = np.random.default_rng(5)
X, Y = rng.standard_normal((2, 6, 4))


def network(lib):
    return lib.nn.Sequential(
        lib.nn.Flatten(),
        lib.nn.Linear(4, 8),
        lib.nn.LeakyReLU(0.1),
        lib.nn.Linear(8, 8, bias=False),
        lib.nn.Sequential(lib.nn.Identity(), lib.nn.ReLU(), lib.nn.Sigmoid(), lib.nn.Tanh()),
        lib.nn.Linear(8, 3),
        lib.nn.LogSoftmax(dim=1),
        lib.nn.Softmax(dim=-1),
    )


def test_printed_forms():
    assert repr(network(nnative)) == repr(network(torch))


def test_state_moves_both_ways():
    ours, theirs = network(nnative), network(torch)
    ours.load_state_dict(theirs.state_dict())
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = X.astype(np.float32)
    np.testing.assert_allclose(ours(x), theirs(torch.from_numpy(x)).detach(), rtol=1e-5)
    theirs.load_state_dict({k: torch.from_numpy(np.asarray(v)) for k, v in network(nnative).state_dict().items()})


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", "MSELoss"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_training_step_has_the_same_gradients(loss, reduction):
    ours, theirs = network(nnative)[:6].double(), network(torch)[:6].double()
    ours.load_state_dict(theirs.state_dict())
    target = rng.integers(0, 3, 6) if loss == "CrossEntropyLoss" else rng.standard_normal((6, 3))
    a = getattr(nn, loss)(reduction=reduction)(ours(nnative.Tensor(X)), target)
    b = getattr(torch.nn, loss)(reduction=reduction)(theirs(torch.from_numpy(X)), torch.from_numpy(target))
    a.backward()
    b.backward()
    np.testing.assert_allclose(a.item(), b.item(), rtol=1e-12)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-9, atol=1e-14)


EXPRESSIONS = {
    "arithmetic": lambda lib, x, y: (x + y * 2 - 1) / (y * y + 1) - -x,
    "powers": lambda lib, x, y: (x * x + 1) ** y + 2**x + x**3,
    "functions": lambda lib, x, y: lib.exp(x) * lib.log(y * y + 1) + lib.sqrt(x * x + 1) + abs(y),
    "maximum": lambda lib, x, y: lib.maximum(x, y) - lib.minimum(x, x.detach()) + x.clamp(-0.5, 0.5),
    "where": lambda lib, x, y: lib.where(x > y, x * y, y),
    "reductions": lambda lib, x, y: x.sum(0) * y.mean(dim=1, keepdim=True) + x.max() - y.min(dim=0)[0],
    "products": lambda lib, x, y: (x @ y.T) @ y[:, 0] + (x.reshape(2, 3, 4) @ y.reshape(2, 4, 3)).sum(),
    "shapes": lambda lib, x, y: lib.stack([x.T, y.transpose(0, 1)], 1).permute(2, 0, 1).reshape(-1)[3:].unsqueeze(0),
    "indexing": lambda lib, x, y: lib.cat([x[[0, 0, 5]], y[1:3], x[:, [1, 2, 1, 0]]]) * x[2, 3] + y[..., -1].sum(),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_expressions(name, dtype):
    rtol = 2e-5 if dtype == "float32" else 1e-12
    a = [nnative.tensor(v, dtype=dtype, requires_grad=True) for v in (X, Y)]
    b = [torch.tensor(v, dtype=getattr(torch, dtype), requires_grad=True) for v in (X, Y)]
    ours, theirs = EXPRESSIONS[name](nnative, *a), EXPRESSIONS[name](torch, *b)
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours.data, theirs.detach(), rtol=rtol, atol=rtol)
    (ours * ours).sum().backward()
    (theirs * theirs).sum().backward()
    for p, q in zip(a, b, strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=rtol * 10, atol=rtol * 10)


@pytest.mark.parametrize(
    "data",
    [
        [1.0, 2.0],
        [[1.5, -2.25], [0.1, 3.0]],
        3.0,
        0.1,
        [1, 2],
        [True, False],
        [],
        [1e-6, 1.0],
        [1e6, 0.5],
    ],
)
def test_tensors_print_alike(data):
    assert repr(nnative.tensor(data)) == repr(torch.tensor(data))


def test_edge_values_are_pytorchs():
    values = [0.0, -1.0, 2.0, np.inf, np.nan]
    for function in (
        lambda lib, x: x**0,
        lambda lib, x: x**2,
        lambda lib, x: 0**x,
        lambda lib, x: 1 / x,
        lambda lib, x: x.sqrt(),
        lambda lib, x: x.log(),
        lambda lib, x: x.exp(),
        lambda lib, x: lib.maximum(x, x * 1),
        lambda lib, x: x.clamp(0.0, 1.0),
    ):
        a, b = nnative.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
        ours, theirs = function(nnative, a), function(torch, b)
        ours.sum().backward()
        theirs.sum().backward()
        np.testing.assert_allclose(ours.data, theirs.detach(), rtol=1e-6)
        np.testing.assert_allclose(a.grad, b.grad, rtol=1e-6)
