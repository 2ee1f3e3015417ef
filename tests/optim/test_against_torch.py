"""Optimizers beside PyTorch's: the same parameters, gradients and options give the same path and state_dict."""

import itertools

import numpy as np
import pytest

import nnative
from nnative import optim

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")

SHAPES = [(17, 5), (33,), (), (2, 3, 4)]
STEPS = 25

SGD_OPTIONS = [
    dict(zip(("momentum", "dampening", "weight_decay", "nesterov", "maximize"), values, strict=True))
    for values in itertools.product((0, 0.9), (0, 0.3), (0, 0.1), (False, True), (False, True))
    if not (values[3] and (values[0] == 0 or values[1] != 0))
]
ADAM_OPTIONS = [
    dict(zip(("betas", "eps", "weight_decay", "maximize"), values, strict=True))
    for values in itertools.product(((0.9, 0.999), (0.0, 0.9), (0.4, 0.5)), (1e-8, 1e-2), (0, 0.1), (False, True))
]
CASES = (
    [("SGD", {"lr": 0.05} | options) for options in SGD_OPTIONS]
    + [("Adam", {"lr": 0.05} | options) for options in ADAM_OPTIONS]
    + [("AdamW", {"lr": 0.05} | options) for options in ADAM_OPTIONS]
    + [("SGD", {}), ("Adam", {}), ("AdamW", {}), ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.2})]
)


def _pair(dtype, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.standard_normal(shape), dtype=dtype) for shape in SHAPES]
    ours = [nnative.Tensor(a.copy(), requires_grad=True) for a in arrays]
    return ours, [torch.tensor(a, requires_grad=True) for a in arrays]


def _give_gradients(ours, theirs, rng, skip=None):
    for i, (t, u) in enumerate(zip(ours, theirs, strict=True)):
        gradient = np.asarray(rng.standard_normal(t.data.shape), dtype=t.data.dtype)
        t.grad = None if i == skip else gradient
        u.grad = None if i == skip else torch.tensor(gradient)


def _assert_close(ours, theirs, dtype):
    # Some twenty roundings a step; a step can be as large as lr · g / eps where Adam's v has nearly vanished.
    tolerance = STEPS * 20 * np.finfo(dtype).eps
    for t, u in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(t.data, u.detach().numpy(), rtol=tolerance, atol=tolerance)


def _to_torch(value):
    if isinstance(value, dict):
        return {k: _to_torch(v) for k, v in value.items()}
    return torch.tensor(value) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize(("name", "options"), CASES)
def test_same_path(name, options, dtype):
    ours, theirs = _pair(dtype)
    a, b = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    rng = np.random.default_rng(1)
    for step in range(STEPS):
        _give_gradients(ours, theirs, rng, skip=1 if step < 3 or step == 10 else None)
        a.step()
        b.step()
        if step == 12:
            for optimizer in (a, b):
                optimizer.param_groups[0]["lr"] = 0.01
    _assert_close(ours, theirs, dtype)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_groups_and_options_that_change(name, dtype):
    ours, theirs = _pair(dtype)
    a, b = (
        getattr(library, name)([{"params": p[:2], "lr": 0.1}, {"params": p[2:], "weight_decay": 0.2}], lr=0.02)
        for library, p in ((optim, ours), (torch.optim, theirs))
    )
    rng = np.random.default_rng(2)
    for step in range(STEPS):
        _give_gradients(ours, theirs, rng)
        if step == 5:
            for optimizer in (a, b):
                if name == "SGD":
                    optimizer.param_groups[0]["momentum"] = 0.8
                else:
                    optimizer.param_groups[0]["betas"] = (0.7, 0.95)
        a.step()
        b.step()
    _assert_close(ours, theirs, dtype)


@pytest.mark.parametrize(
    ("name", "options"),
    [("SGD", {}), ("SGD", {"momentum": 0.9, "dampening": 0.5}), ("Adam", {}), ("AdamW", {"weight_decay": 0.1})],
)
def test_state_moves_both_ways(name, options, dtype):
    rng = np.random.default_rng(3)
    ours, theirs = _pair(dtype)
    a, b = getattr(optim, name)(ours, lr=0.05, **options), getattr(torch.optim, name)(theirs, lr=0.05, **options)
    for _ in range(5):
        _give_gradients(ours, theirs, rng)
        a.step()
        b.step()
    assert {k: sorted(v) for k, v in a.state_dict()["state"].items()} == {
        k: sorted(v) for k, v in b.state_dict()["state"].items() if v
    }
    for mine, torchs in zip(a.state_dict()["param_groups"], b.state_dict()["param_groups"], strict=True):
        assert mine == torchs
    # Each goes on from the other's state.
    a2, b2 = getattr(optim, name)(ours), getattr(torch.optim, name)(theirs)
    a2.load_state_dict(b.state_dict())
    b2.load_state_dict(_to_torch(a.state_dict()))
    for _ in range(5):
        _give_gradients(ours, theirs, rng)
        a2.step()
        b2.step()
    _assert_close(ours, theirs, dtype)
