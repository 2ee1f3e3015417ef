"""Hooks of tensors: when they run, what they may change, and recorded steps with them."""

import gc

import numpy as np
import pytest

import nnative
from nnative import autograd, nn, optim

RNG = np.random.default_rng(3)
X = RNG.standard_normal((4, 3))


def hooked(lib, x, seen):
    """Return the gradient of a leaf with hooks on it, on a value used twice and on the loss."""

    def see(name, factor=None):
        return lambda g: (seen.append((name, np.asarray(g).copy())), None if factor is None else g * factor)[1]

    x.register_hook(see("leaf", 2.0))
    x.register_hook(see("leaf again"))
    y = x * x
    y.register_hook(see("inner"))
    y.register_hook(see("inner again", -3.0))
    z = lib.exp(y * 0.1) + y * x
    loss = z.sum()
    loss.register_hook(see("loss", 0.5))
    loss.backward()
    return np.asarray(x.grad)


def test_hooks_see_and_change_what_torchs_do(dtype):
    torch = pytest.importorskip("torch")
    ours, theirs = [], []
    a = hooked(nnative, nnative.Tensor(X.astype(dtype), requires_grad=True), ours)
    b = hooked(torch, torch.tensor(X.astype(dtype), requires_grad=True), theirs)
    np.testing.assert_allclose(a, b, rtol=1e-6)
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    for (_, g), (_, h) in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(g, h, rtol=1e-6)


def test_a_leaf_adds_what_the_hook_returns_to_the_gradient_it_has():
    x = nnative.ones(2, requires_grad=True)
    x.sum().backward()
    with x.register_hook(lambda g: np.full_like(g.numpy(), 5)):
        x.sum().backward()
    x.sum().backward()
    np.testing.assert_array_equal(x.grad, [7, 7])
    y = nnative.ones(1, requires_grad=True)
    y.register_hook(lambda g: g * 4)
    y.backward()
    np.testing.assert_array_equal(y.grad, [4])


def test_hooks_go_with_their_handle_and_their_tensor():
    x = nnative.ones(2, requires_grad=True)
    handle, other = x.register_hook(lambda g: g * 2), x.register_hook(lambda g: g * 3)
    handle.remove()
    handle.remove()
    x.sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 3])
    other.remove()
    assert not autograd.leaf_hooks
    x.register_hook(lambda g: g * 2)
    assert len(autograd.leaf_hooks) == 1
    del x
    gc.collect()
    assert not autograd.leaf_hooks
    other.remove()


class Training:
    """A step with a clipped gradient of the weights and a scaled one of the hidden layer."""

    def __init__(self):
        nnative.manual_seed(1)
        self.model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
        self.optimizer = optim.SGD(self.model.parameters(), lr=0.5, momentum=0.9)
        self.handle = self.model[0].weight.register_hook(lambda g: g.clip(-0.01, 0.01))

    def step(self, x):
        self.optimizer.zero_grad()
        hidden = self.model[0](x)
        hidden.register_hook(lambda g: g * 2.0)
        loss = (self.model[2](self.model[1](hidden)) - 1.0).abs().sum()
        loss.backward()
        self.optimizer.step()
        return loss

    def values(self):
        return [p.data.tobytes() for p in self.model.parameters()]


def test_recorded_steps_have_the_hooks_and_notice_when_they_change():
    x = nnative.Tensor(X.astype("float32"))
    eager, recorded, plain = Training(), Training(), Training()
    plain.handle.remove()
    step = nnative.compile(recorded.step)
    for i in range(9):
        if i == 4:
            for training in (eager, recorded):
                training.handle.remove()
        if i == 7:
            for training in (eager, recorded):
                training.model[2].bias.register_hook(lambda g: g * 0.0)
        assert eager.step(x).item() == step(x).item()
        plain.step(x)
        assert eager.values() == recorded.values() != plain.values()
    assert len(step._recordings) <= 3


def test_a_recorded_step_without_modules_notices_a_hook():
    x = nnative.ones(3, requires_grad=True)

    @nnative.compile
    def step(y):
        x.grad = None
        (x * y).sum().backward()
        return nnative.Tensor(x.grad)

    y = np.ones(3, np.float32)
    step(y)
    with x.register_hook(lambda g: g * 7.0):
        np.testing.assert_array_equal(step(y).numpy(), [7, 7, 7])
        np.testing.assert_array_equal(step(y + 1).numpy(), [14, 14, 14])
    np.testing.assert_array_equal(step(y).numpy(), [1, 1, 1])


def test_a_hook_that_computes_in_numpy_cannot_be_recorded():
    x = nnative.ones(3, requires_grad=True)

    def step(y):
        z = x * y
        z.register_hook(lambda g: g.data * 2)
        z.sum().backward()

    with pytest.raises(RuntimeError, match="a hook of a tensor computes in NumPy"):
        nnative.compile(step)(np.ones(3, np.float32))


@pytest.mark.parametrize(
    ("hook", "error", "message"),
    [
        (lambda g: nnative.ones(3), ValueError, r"\[register_hook\] expected a gradient of float32 and shape \(2,\)"),
        (lambda g: g.double(), ValueError, "got float64"),
        (lambda g: 3, TypeError, "got int"),
    ],
)
def test_a_gradient_that_does_not_fit_is_named(hook, error, message):
    x = nnative.ones(2, requires_grad=True)
    x.register_hook(hook)
    with pytest.raises(error, match=message):
        x.sum().backward()


def test_what_has_no_gradient_has_no_hooks():
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        nnative.ones(2).register_hook(lambda g: g)
    with pytest.raises(TypeError, match="expected a function as hook, got int"):
        nnative.ones(2, requires_grad=True).register_hook(3)


@pytest.mark.parametrize("last", [True, False], ids=["of the last node", "of an earlier node"])
def test_hooks_of_a_leaf_that_only_the_graph_keeps(last):
    seen = []

    def loss():
        leaf = nnative.Tensor(np.full(3, 2.0, np.float32), requires_grad=True)
        leaf.register_hook(seen.append)
        other = nnative.Tensor(np.ones(3, np.float32), requires_grad=True)
        return ((leaf if last else other * 2.0) * leaf).sum()

    loss().backward()
    np.testing.assert_array_equal(np.asarray(seen[0]), 4.0 if last else 2.0)
