"""The bound of a weight row's norm that updates keep: ``max_norm`` of a parameter group."""

import numpy as np
import pytest

import nnative
from nnative import nn, optim
from nnative.nn import utils
from nnative.optim.native import NativeOptimizer

OPTIMIZERS = [c for c in vars(optim).values() if isinstance(c, type) and issubclass(c, NativeOptimizer)]
CLASSES = [c for c in OPTIMIZERS if c is not optim.Perceptron]  # which takes a layer
SHAPES = [(300, 37), (7, 5, 3), (2, 1030), (33,), (0, 4), (1, 1)]


def _tensors(dtype):
    rng = np.random.default_rng(0)
    return [nnative.Tensor(rng.standard_normal(s).astype(dtype), requires_grad=True) for s in SHAPES]


def _set_gradients(tensors, step):
    rng = np.random.default_rng(step)
    for t in tensors:
        t.grad = rng.standard_normal(t.shape).astype(t.dtype)


def test_all_native_optimizers_are_here():
    assert len(CLASSES) >= 13


@pytest.mark.parametrize("cls", CLASSES)
def test_equals_an_update_and_max_norm_behind_it(cls, dtype, threads):
    bounded, plain = _tensors(dtype), _tensors(dtype)
    optimizer, other = cls([{"params": bounded, "max_norm": 1.5}]), cls(plain)
    for step in range(3):
        _set_gradients(bounded, step)
        _set_gradients(plain, step)
        optimizer.step()
        other.step()
        utils.max_norm_(plain, 1.5)
        for a, b in zip(bounded, plain, strict=True):
            assert a.data.tobytes() == b.data.tobytes()
    norms = np.linalg.norm(bounded[0].data, axis=1)
    assert norms.max() <= 1.5 * (1 + 1e-6)
    assert np.median(norms) > 1.2  # from about 6


def _training(dtype, **group):
    nnative.manual_seed(3)
    model = nn.Sequential(nn.Linear(12, 33), nn.ReLU(), nn.Linear(33, 5)).to(dtype)
    optimizer = optim.Adam([{"params": model.parameters(), **group}], lr=0.1)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, optimizer, step


def test_a_recorded_step_follows_a_changed_bound(dtype, threads):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((16, 12)).astype(dtype), rng.integers(0, 5, 16)
    (eager, optimizer, step), (recorded, twin, same) = _training(dtype, max_norm=0.5), _training(dtype, max_norm=0.5)
    replay = nnative.compile(same)
    for bound in (0.5, 0.5, 0.25, 2.0, None, 0.5):
        optimizer.param_groups[0]["max_norm"] = twin.param_groups[0]["max_norm"] = bound
        for _ in range(2):
            step(nnative.Tensor(x), y)
            replay(x, y)
            for a, b in zip(eager.parameters(), recorded.parameters(), strict=True):
                assert a.data.tobytes() == b.data.tobytes()
        if bound is not None:
            assert np.linalg.norm(recorded[0].weight.data, axis=1).max() <= bound * (1 + 1e-6)
    assert len(replay._recordings) == 3  # once more at each switch between a bound and none


def test_it_is_saved_with_the_other_options():
    _, optimizer, _ = _training(np.float32, max_norm=0.5)
    _, other, _ = _training(np.float32)
    assert "max_norm" not in other.state_dict()["param_groups"][0]  # as PyTorch has no such option
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["max_norm"] == 0.5


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_a_bound_that_makes_no_sense(value):
    with pytest.raises(ValueError, match=r"Invalid max_norm value"):
        optim.SGD([{"params": _tensors(np.float32), "max_norm": value}])


def test_a_bound_that_is_no_number():
    with pytest.raises(TypeError, match=r"expected max_norm to be a number, got str"):
        optim.SGD([{"params": _tensors(np.float32), "max_norm": "3"}])


def test_lbfgs_says_that_it_has_none():
    with pytest.raises(ValueError, match=r"LBFGS has no max_norm"):
        optim.LBFGS([{"params": _tensors(np.float32), "max_norm": 1.0}])


def test_nan_and_infinity_stay_in_their_rows():
    weight = nnative.Tensor(np.ones((4, 6), np.float32), requires_grad=True)
    weight.grad = np.zeros((4, 6), np.float32)
    weight.grad[1, 2], weight.grad[2, 3] = np.nan, np.inf
    optim.SGD([{"params": [weight], "max_norm": 1.0}], lr=0.1).step()
    assert np.isnan(weight.data[1]).any()
    np.testing.assert_allclose(np.linalg.norm(weight.data[[0, 3]], axis=1), 1.0, rtol=1e-6)
