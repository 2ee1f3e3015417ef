"""What all optimizers share: groups, state, saving, errors, and what happens when things change between steps."""

import copy
import threading

import numpy as np
import pytest

import nnative
from nnative import optim

ALL = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"lr": 0.1}),
    ("AdamW", {"lr": 0.1, "amsgrad": True}),
    ("NAdam", {"lr": 0.1}),
    ("RAdam", {"lr": 0.1}),
    ("Adamax", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1}),
    ("Adadelta", {"lr": 0.1}),
    ("RMSprop", {"lr": 0.1, "centered": True, "momentum": 0.9}),
    ("Rprop", {"lr": 0.1}),
    ("ASGD", {"lr": 0.1, "t0": 2}),
    ("Lion", {"lr": 0.1}),
    ("FTRL", {"lr": 0.1, "l1": 0.1}),
]
every = pytest.mark.parametrize(("name", "options"), ALL)


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


@every
def test_a_resumed_run_equals_an_uninterrupted_one(name, options, dtype):
    a = _tensors(dtype)
    uninterrupted = getattr(optim, name)(a, **options)
    _run(uninterrupted, a, 3)
    saved, data = copy.deepcopy(uninterrupted.state_dict()), [t.data.copy() for t in a]
    _run(uninterrupted, a, 4, first=3)
    b = [nnative.Tensor(d, requires_grad=True) for d in data]
    resumed = getattr(optim, name)(b, lr=0.5)
    resumed.load_state_dict(saved)
    _run(resumed, b, 4, first=3)
    assert _bytes(a) == _bytes(b)


@every
def test_load_copies_and_casts(name, options):
    a = _tensors()
    first = getattr(optim, name)(a, **options)
    _run(first, a, 2)
    saved = first.state_dict()
    b = _tensors("float64")
    second = getattr(optim, name)(b)
    second.load_state_dict(saved)
    before = copy.deepcopy(saved)
    _run(second, b, 2)
    for i, state in saved["state"].items():
        for key, value in state.items():
            assert (value == before["state"][i][key]).all()
            assert second.state[b[i]][key].dtype == np.float64
    assert second.param_groups[0]["lr"] == 0.1


@every
def test_mixed_dtypes_in_one_group(name, options):
    mixed = _tensors()
    mixed[1].data = mixed[1].data.astype(np.float64)
    single, double = [mixed[0].data.copy(), mixed[2].data.copy()], [mixed[1].data.copy()]
    _run(getattr(optim, name)(mixed, **options), mixed, 3)
    for arrays, places in ((single, (0, 2)), (double, (1,))):
        alone = [nnative.Tensor(a, requires_grad=True) for a in arrays]
        optimizer = getattr(optim, name)(alone, **options)
        for step in range(3):
            everything = [nnative.Tensor(m.data, requires_grad=True) for m in mixed]
            _set_gradients(everything, step)
            for t, place in zip(alone, places, strict=True):
                t.grad = everything[place].grad
            optimizer.step()
        assert _bytes(alone) == [mixed[place].data.tobytes() for place in places]


@every
def test_storage_replaced_and_dtype_changed_between_steps(name, options):
    tensors = _tensors(shapes=((4, 3), ()))
    optimizer = getattr(optim, name)(tensors, **options)
    _run(optimizer, tensors, 2)
    for t in tensors:
        t.data = t.data.copy()
    _run(optimizer, tensors, 1)
    for t in tensors:
        t.data, t.grad = t.data.astype(np.float64), None
    before = [t.data.copy() for t in tensors]
    _run(optimizer, tensors, 3)
    for t, b in zip(tensors, before, strict=True):
        assert t.data.dtype == np.float64
        assert (t.data != b).all()
        for key, value in optimizer.state[t].items():
            assert value.dtype == np.float64, key


def test_a_cast_keeps_the_momentum():
    (t,) = _tensors(shapes=((4,),))
    optimizer = optim.SGD([t], lr=0.0, momentum=0.5)
    t.grad = np.full(4, 2, np.float32)
    optimizer.step()
    t.grad = None
    t.data = t.data.astype(np.float64)
    t.grad = np.zeros(4)
    optimizer.step()
    assert (optimizer.state[t]["momentum_buffer"] == 1).all()


def test_stale_gradient_and_changed_shape_are_named():
    (t,) = _tensors(shapes=((4,),))
    optimizer = optim.Adam([t])
    _run(optimizer, [t], 1)
    t.data = t.data.astype(np.float64)
    with pytest.raises(ValueError, match=r"\[Adam\] the gradient of parameter 0 .* is float32"):
        optimizer.step()
    t.grad = None
    t.data = np.zeros((2, 3))
    t.grad = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"\[Adam\] exp_avg of parameter 0 .* has shape \(4,\)"):
        optimizer.step()
    optimizer.state.clear()
    optimizer.step()


@every
def test_parameters_without_gradient_are_left_alone(name, options):
    tensors = _tensors()
    optimizer = getattr(optim, name)(tensors, **options)
    _set_gradients(tensors)
    tensors[1].grad = None
    before, state = tensors[1].data.copy(), copy.deepcopy(optimizer.state.get(tensors[1], {}))
    optimizer.step()
    assert (tensors[1].data == before).all()
    assert str(optimizer.state.get(tensors[1], {})) == str(state)
    optimizer.zero_grad()
    optimizer.step()
    assert all(t.grad is None for t in tensors)


def test_zero_grad_in_place():
    tensors = _tensors()
    optimizer = optim.SGD(tensors)
    _set_gradients(tensors[:2])
    gradient = tensors[0].grad
    optimizer.zero_grad(set_to_none=False)
    assert tensors[0].grad is gradient
    assert (gradient == 0).all()
    assert tensors[2].grad is None


def test_step_returns_what_the_closure_returns():
    (t,) = _tensors(shapes=((2,),))
    optimizer = optim.SGD([t], lr=1.0)

    def closure():
        assert nnative.is_grad_enabled()
        t.grad = np.ones(2, np.float32)
        return "loss"

    before = t.data.copy()
    with nnative.no_grad():
        assert optimizer.step(closure) == "loss"
    assert (t.data == before - 1).all()


def test_one_parameter_in_two_optimizers_is_updated_in_the_order_of_the_calls():
    (t,) = _tensors(shapes=((3,),))
    a, b = optim.SGD([t], lr=0.5, momentum=0.9), optim.SGD([t], lr=0.25)
    expected, buffer = t.data.copy(), np.zeros(3, np.float32)
    for step in range(3):
        _set_gradients([t], step)
        a.step()
        b.step()
        buffer = t.grad if step == 0 else np.float32(0.9) * buffer + t.grad
        expected = expected - np.float32(0.5) * buffer
        expected = expected - np.float32(0.25) * t.grad
    assert (t.data == expected).all()
    assert set(a.state[t]) != set(b.state[t])


def test_cells_stay_in_place():
    tensors = _tensors()
    optimizer = optim.Adam(tensors, lr=0.1)
    group = optimizer.param_groups[0]
    cell = optimizer.hyper_cell(group)
    group["lr"] = 0.2
    group["betas"] = [0.5, 0.6]
    assert optimizer.hyper_cell(group) is cell
    group["betas"][0] = 0.7
    optimizer.hyper_cell(group)
    assert cell["lr"] == 0.2
    assert cell["betas"].tolist() == [0.7, 0.6]
    optimizer.load_state_dict(optim.Adam(tensors, lr=0.3).state_dict())
    assert optimizer.hyper_cell(optimizer.param_groups[0]) is cell
    assert cell["lr"] == 0.3


def test_groups_can_be_added_and_options_default():
    a, b, c = _tensors()
    optimizer = optim.SGD([{"params": a}, {"params": [b], "lr": 0.5}], lr=0.1, momentum=0.9)
    given = {"params": iter([c]), "momentum": 0}
    optimizer.add_param_group(given)
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.5, 0.1]
    assert [g["momentum"] for g in optimizer.param_groups] == [0.9, 0.9, 0]
    assert [g["params"] for g in optimizer.state_dict()["param_groups"]] == [[0], [1], [2]]
    assert "lr: 0.5" in repr(optimizer)


def test_deepcopy_is_independent():
    tensors = _tensors()
    optimizer = optim.Adam(tensors)
    _run(optimizer, tensors, 1)
    other = copy.deepcopy(optimizer)
    before = _bytes(tensors)
    _run(other, other.param_groups[0]["params"], 1)
    assert _bytes(tensors) == before
    assert optimizer.state[tensors[0]]["step"] == 1


def test_threads_train_side_by_side():
    def train(results, i):
        tensors = _tensors(shapes=((300, 300), (7,)))
        _run(optim.Adam(tensors), tensors, 10)
        results[i] = _bytes(tensors)

    results = [None] * 4
    threads = [threading.Thread(target=train, args=(results, i)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] is not None
    assert all(r == results[0] for r in results)


def test_a_numpy_optimizer_needs_two_methods():
    class Average(optim.Optimizer):
        def init_state(self, group, param):
            return {"mean": np.zeros_like(param)}

        def update(self, group, params, grads, states):
            for param, grad, state in zip(params, grads, states, strict=True):
                state["mean"] += (grad - state["mean"]) / 2
                param -= group["lr"] * state["mean"]

    (t,) = _tensors(shapes=((2,),))
    before = t.data.copy()
    optimizer = Average([t], {"lr": 1.0})
    t.grad = np.ones(2, np.float32)
    optimizer.step()
    assert (t.data == before - np.float32(0.5)).all()
    other = Average([t], {"lr": 1.0})
    other.load_state_dict(optimizer.state_dict())
    assert (other.state[t]["mean"] == 0.5).all()


def test_nan_in_state_survives():
    tensors = _tensors()
    optimizer = optim.Adam(tensors)
    _run(optimizer, tensors, 1)
    optimizer.state[tensors[0]]["exp_avg"][0, 0] = np.nan
    optimizer.load_state_dict(optimizer.state_dict())
    assert np.isnan(optimizer.state[tensors[0]]["exp_avg"][0, 0])
    assert optimizer.state[tensors[0]]["step"].shape == ()
