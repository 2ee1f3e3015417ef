"""Options, parameters and saved states that make no sense: each is named, and nothing has changed afterwards."""

import copy

import numpy as np
import pytest

import nnative
from nnative import optim


def _tensors(dtype="float32", shapes=((4, 3), (3,), (5,))):
    rng = np.random.default_rng(0)
    return [nnative.Tensor(np.asarray(rng.standard_normal(s), dtype=dtype), requires_grad=True) for s in shapes]


def _set_gradients(tensors, seed=0):
    rng = np.random.default_rng(seed)
    for t in tensors:
        t.grad = np.asarray(rng.standard_normal(t.data.shape), dtype=t.data.dtype)


def _run(optimizer, tensors, steps, first=0):
    for i in range(first, first + steps):
        _set_gradients(tensors, i)
        optimizer.step()


def _bytes(tensors):
    return [t.data.tobytes() for t in tensors]


nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "options", "kind", "match"),
    [
        ("SGD", {"lr": -0.1}, ValueError, r"\[SGD\] Invalid learning rate: -0.1"),
        ("SGD", {"lr": nan}, ValueError, "Invalid learning rate: nan"),
        ("SGD", {"lr": inf}, ValueError, "Invalid learning rate: inf"),
        ("SGD", {"lr": "0.1"}, TypeError, "expected lr to be a number, got str"),
        ("SGD", {"lr": None}, TypeError, "expected lr to be a number, got NoneType"),
        ("SGD", {"momentum": -1.0}, ValueError, "Invalid momentum value: -1.0"),
        ("SGD", {"momentum": nan}, ValueError, "Invalid momentum value"),
        ("SGD", {"dampening": nan}, ValueError, "Invalid dampening value"),
        ("SGD", {"weight_decay": -1.0}, ValueError, "Invalid weight_decay value: -1.0"),
        ("SGD", {"nesterov": True}, ValueError, "Nesterov momentum requires a momentum and zero dampening"),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, ValueError, "Nesterov momentum requires"),
        ("Adam", {"lr": nan}, ValueError, r"\[Adam\] Invalid learning rate: nan"),
        ("Adam", {"eps": -1e-8}, ValueError, "Invalid epsilon value: -1e-08"),
        ("Adam", {"betas": (1.0, 0.9)}, ValueError, "Invalid beta parameter at index 0: 1.0"),
        ("Adam", {"betas": (0.9, nan)}, ValueError, "Invalid beta parameter at index 1: nan"),
        ("Adam", {"betas": 0.9}, TypeError, "expected betas to be a pair"),
        ("Adam", {"betas": (0.9,)}, TypeError, "expected betas to be a pair"),
        ("Adam", {"weight_decay": nan}, ValueError, "Invalid weight_decay value: nan"),
        ("AdamW", {"lr": -1}, ValueError, r"\[AdamW\] Invalid learning rate: -1"),
        ("NAdam", {"momentum_decay": -1.0}, ValueError, r"\[NAdam\] Invalid momentum_decay value: -1.0"),
        ("RAdam", {"betas": (0.9, 1.0)}, ValueError, "Invalid beta parameter at index 1: 1.0"),
        ("Adamax", {"eps": nan}, ValueError, "Invalid epsilon value: nan"),
        ("Adagrad", {"lr_decay": -1.0}, ValueError, "Invalid lr_decay value: -1.0"),
        ("Adagrad", {"initial_accumulator_value": -1.0}, ValueError, "Invalid initial_accumulator_value value: -1.0"),
        ("Adadelta", {"rho": 1.5}, ValueError, "Invalid rho value: 1.5"),
        ("RMSprop", {"alpha": -0.1}, ValueError, "Invalid alpha value: -0.1"),
        ("RMSprop", {"momentum": inf}, ValueError, "Invalid momentum value: inf"),
        ("Rprop", {"etas": (1.5, 1.2)}, ValueError, "Invalid eta values: 1.5, 1.2"),
        ("Rprop", {"step_sizes": 1e-6}, TypeError, "expected step_sizes to be a pair"),
        ("ASGD", {"weight_decay": -1.0}, ValueError, "Invalid weight_decay value: -1.0"),
        ("ASGD", {"t0": "late"}, TypeError, "expected t0 to be a number, got str"),
        ("Lion", {"betas": (-0.1, 0.9)}, ValueError, "Invalid beta parameter at index 0: -0.1"),
        ("FTRL", {"lr": 0.0}, ValueError, "FTRL divides by it"),
        ("FTRL", {"l1": -1.0}, ValueError, "Invalid l1 value: -1.0"),
    ],
)
def test_options_that_make_no_sense(name, options, kind, match):
    with pytest.raises(kind, match=match):
        getattr(optim, name)(_tensors(), **options)


def test_options_of_a_group_and_later_changes_are_checked():
    tensors = _tensors()
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        optim.Adam([{"params": tensors, "lr": -1}])
    optimizer = optim.Adam(tensors)
    _set_gradients(tensors)
    before = _bytes(tensors)
    for bad, kind in ((nan, ValueError), ("fast", TypeError)):
        optimizer.param_groups[0]["lr"] = bad
        for _ in range(2):
            with pytest.raises(kind):
                optimizer.step()
    assert _bytes(tensors) == before
    optimizer.param_groups[0]["lr"] = 0.1
    optimizer.step()


@pytest.mark.parametrize(
    ("params", "kind", "match"),
    [
        (lambda t: [], ValueError, "empty parameter list"),
        (lambda t: t[0], TypeError, "iterable of Tensors or dicts, but got Tensor"),
        (lambda t: [t[0].data], TypeError, "can only optimize Tensors, but one of the params is ndarray"),
        (lambda t: [t[0], t[1], t[0]], ValueError, "duplicate parameters"),
        (lambda t: [{"params": t}, {"params": t[0]}], ValueError, "more than one parameter group"),
        (lambda t: [{"params": set(t)}], TypeError, "use a list instead of a set"),
        (lambda t: [{"lr": 1.0}], ValueError, "expected 'params'"),
        (lambda t: [{"params": t[0]}, t[1]], TypeError, "param_group must be a dict, but got Tensor"),
        (lambda t: [t[0] * 2], ValueError, "can't optimize a non-leaf Tensor"),
        (lambda t: [nnative.Tensor(np.zeros(3, int))], TypeError, "expected float32 or float64 parameters, got int64"),
    ],
)
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_parameters_that_make_no_sense(name, params, kind, match):
    with pytest.raises(kind, match=rf"\[{name}\].*{match}"):
        getattr(optim, name)(params(_tensors()), lr=0.1)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: s.pop("state"), "expected a dict with 'state' and 'param_groups'"),
        (lambda s: s["param_groups"].append(s["param_groups"][0]), "different number of parameter groups"),
        (lambda s: s["param_groups"][0]["params"].pop(), "expected 3, got 2"),
        (lambda s: s["state"][1].pop("exp_avg_sq"), "the state of parameter 1 has no exp_avg_sq"),
        (lambda s: s["state"][1].update(exp_avg=np.zeros(9)), r"expected exp_avg of parameter 1 with shape \(3,\)"),
        (lambda s: s["param_groups"][0].update(lr=nan), "Invalid learning rate: nan"),
    ],
)
def test_a_state_dict_that_does_not_fit_changes_nothing(change, match):
    tensors = _tensors()
    optimizer = optim.Adam(tensors, lr=0.1)
    _run(optimizer, tensors, 2)
    bad = copy.deepcopy(optimizer.state_dict())
    change(bad)
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match=match):
        optimizer.load_state_dict(bad)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    assert all((after["state"][i][k] == v).all() for i, state in before["state"].items() for k, v in state.items())
