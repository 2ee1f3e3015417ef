"""Averaged models beside PyTorch's."""

import copy

import numpy as np
import pytest

import nnative
from nnative import nn
from nnative.optim import swa_utils

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
theirs_utils = torch.optim.swa_utils

FUNCTIONS = {
    "swa": lambda library: {},
    "swa multi": lambda library: {"multi_avg_fn": library.get_swa_multi_avg_fn()},
    "swa single": lambda library: {"avg_fn": library.get_swa_avg_fn()},
    "ema": lambda library: {"multi_avg_fn": library.get_ema_multi_avg_fn(0.8)},
    "ema fast": lambda library: {"multi_avg_fn": library.get_ema_multi_avg_fn(0.2)},
    "ema single": lambda library: {"avg_fn": library.get_ema_avg_fn(0.8)},
}


def pair(dtype):
    ours = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)).to(dtype)
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2))
    return ours, theirs.to(getattr(torch, dtype))


def shake(ours, theirs, rng):
    for (name, t), (other, u) in zip(ours.state_dict().items(), theirs.state_dict().items(), strict=True):
        assert name == other
        value = rng.standard_normal(t.shape) if t.data.dtype.kind == "f" else rng.integers(0, 9)
        t.data[...] = value
        u.copy_(torch.tensor(t.data))


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_averages(name, use_buffers, dtype):
    if use_buffers and name.startswith("swa"):
        pytest.skip("PyTorch cannot take the equal average of a count")
    ours, theirs = pair(dtype)
    a = swa_utils.AveragedModel(ours, **FUNCTIONS[name](swa_utils), use_buffers=use_buffers)
    b = theirs_utils.AveragedModel(theirs, **FUNCTIONS[name](theirs_utils), use_buffers=use_buffers)
    rng = np.random.default_rng(0)
    for _ in range(5):
        shake(ours, theirs, rng)
        a.update_parameters(ours)
        b.update_parameters(theirs)
    mine, others = a.state_dict(), b.state_dict()
    assert set(mine) == set(others)
    for key, value in others.items():
        if key.endswith("num_batches_tracked") and use_buffers:
            continue  # we copy counts, PyTorch averages and truncates them
        np.testing.assert_allclose(mine[key].numpy(), value.numpy(), rtol=1e-5, atol=30 * np.finfo(dtype).eps)
    again = swa_utils.AveragedModel(ours)
    again.load_state_dict({k: v.numpy() for k, v in others.items()})
    assert again.n_averaged.item() == 5


def test_the_average_is_a_copy_that_computes():
    model = nn.Linear(2, 1)
    averaged = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.5))
    for value in (1.0, 3.0):
        model.weight.data[...], model.bias.data[...] = value, 0
        averaged.update_parameters(model)
    assert averaged(nnative.ones(1, 2)).item() == 4
    assert (model.weight.data == 3).all()
    assert copy.deepcopy(averaged).n_averaged.item() == 2


def test_own_functions():
    model = nn.Linear(2, 1)
    largest = swa_utils.AveragedModel(model, avg_fn=lambda mean, value, n: nnative.maximum(mean, value))

    def halve(averaged, current, n):
        for mean, value in zip(averaged, current, strict=True):
            mean.data[...] = (mean.data + value.data) / 2

    halved = swa_utils.AveragedModel(model, multi_avg_fn=halve)
    for value in (1.0, 3.0, 2.0):
        model.weight.data[...] = value
        largest.update_parameters(model)
        halved.update_parameters(model)
    assert (largest.module.weight.data == 3).all()
    assert (halved.module.weight.data == 2).all()


def test_update_bn(dtype):
    ours, theirs = pair(dtype)
    rng = np.random.default_rng(0)
    shake(ours, theirs, rng)
    ours.eval()
    ours[2].train()
    batches = [rng.standard_normal((n, 4)).astype(dtype) for n in (5, 7, 3)]
    swa_utils.update_bn([(x, None) for x in batches], ours)
    theirs_utils.update_bn([(torch.tensor(x), None) for x in batches], theirs)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name].numpy(), value.numpy(), rtol=1e-5)
    assert ours[1].momentum == 0.1
    assert [m.training for m in ours] == [False, False, True]
    swa_utils.update_bn(None, nn.Linear(2, 2))  # nothing to do


def test_what_makes_no_sense_is_named():
    model = nn.Linear(1, 1)
    with pytest.raises(ValueError, match="Only one of avg_fn and multi_avg_fn"):
        swa_utils.AveragedModel(model, avg_fn=swa_utils.get_swa_avg_fn(), multi_avg_fn=swa_utils.get_swa_multi_avg_fn())
    with pytest.raises(ValueError, match="expected device None or 'cpu', got 'cuda'"):
        swa_utils.AveragedModel(model, "cuda")
    for make in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=r"Invalid decay value 1.5 provided"):
            make(1.5)
