"""Optimizers beside PyTorch's: the same parameters, gradients and options give the same path and state_dict."""

import inspect
import itertools

import numpy as np
import pytest

import nnative
from nnative import optim

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")

SHAPES = [(17, 5), (33,), (), (2, 3, 4)]
STEPS = 25


def _product(name, common=None, **axes):
    return [
        (name, (common or {}) | dict(zip(axes, values, strict=True))) for values in itertools.product(*axes.values())
    ]


SHORT = {"weight_decay": (0, 0.1), "maximize": (False, True)}
ADAM = {"betas": ((0.9, 0.999), (0.0, 0.9)), "eps": (1e-8, 1e-2)} | SHORT
CASES = [
    *(
        (name, options)
        for name, options in _product(
            "SGD",
            {"lr": 0.05},
            momentum=(0, 0.9),
            dampening=(0, 0.3),
            nesterov=(False, True),
            **SHORT,
        )
        if not (options["nesterov"] and (options["momentum"] == 0 or options["dampening"] != 0))
    ),
    *_product("Adam", {"lr": 0.05}, amsgrad=(False, True), **ADAM),
    *_product("AdamW", {"lr": 0.05}, amsgrad=(False, True), **ADAM),
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.2}),
    *_product("NAdam", {"lr": 0.05}, momentum_decay=(4e-3, 0.5), decoupled_weight_decay=(False, True), **ADAM),
    *_product("RAdam", {"lr": 0.05}, decoupled_weight_decay=(False, True), **ADAM),
    *_product("Adamax", {"lr": 0.05}, **ADAM),
    *_product(
        "Adagrad", {"lr": 0.05}, lr_decay=(0, 0.1), initial_accumulator_value=(0, 0.5), eps=(1e-10, 0.1), **SHORT
    ),
    *_product("Adadelta", rho=(0.9, 0.5), eps=(1e-6, 1e-2), **SHORT),
    *_product("RMSprop", alpha=(0.99, 0.5), eps=(1e-8, 1e-2), momentum=(0, 0.9), centered=(False, True), **SHORT),
    *_product("Rprop", etas=((0.5, 1.2), (0.1, 2.0)), step_sizes=((1e-6, 50), (0.005, 0.02)), maximize=(False, True)),
    *_product("ASGD", {"lr": 0.05}, lambd=(1e-4, 0.1), alpha=(0.75, 2.0), t0=(1e6, 5), **SHORT),
    *((name, {}) for name in ("SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop")),
    *((name, {}) for name in ("Rprop", "ASGD")),
]
NAMES = sorted({name for name, _ in CASES})


@pytest.fixture(autouse=True)
def _numbers_in_the_dtype(request):
    """Let PyTorch keep the numbers of its state (eta, mu_product) in float64 where parameters are."""
    before = torch.get_default_dtype()
    if "dtype" in request.fixturenames:
        torch.set_default_dtype(getattr(torch, request.getfixturevalue("dtype")))
    yield
    torch.set_default_dtype(before)


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
    tolerance = STEPS * 20 * np.finfo(dtype).eps
    mine = a.state_dict()["state"]
    for i, state in b.state_dict()["state"].items():
        for key, value in state.items():
            if value is not None:
                np.testing.assert_allclose(mine[i][key], value.numpy(), rtol=tolerance, atol=tolerance, err_msg=key)


CHANGES = {
    "SGD": {"momentum": 0.8},
    "Adagrad": {"lr_decay": 0.3},
    "Adadelta": {"rho": 0.5},
    "RMSprop": {"alpha": 0.7},
    "Rprop": {"etas": (0.3, 1.5)},
    "ASGD": {"lambd": 0.3},
}


@pytest.mark.parametrize("name", NAMES)
def test_groups_and_options_that_change(name, dtype):
    ours, theirs = _pair(dtype)
    groups = [{"lr": 0.1}, {"weight_decay": 0.2} if name != "Rprop" else {"step_sizes": (1e-3, 0.1)}]
    a, b = (
        getattr(library, name)([{"params": p[:2]} | groups[0], {"params": p[2:]} | groups[1]], lr=0.02)
        for library, p in ((optim, ours), (torch.optim, theirs))
    )
    rng = np.random.default_rng(2)
    for step in range(STEPS):
        _give_gradients(ours, theirs, rng)
        if step == 5:
            for optimizer in (a, b):
                optimizer.param_groups[0].update(CHANGES.get(name, {"betas": (0.7, 0.95)}))
        a.step()
        b.step()
    _assert_close(ours, theirs, dtype)


def test_momentum_that_comes_and_goes(dtype):
    ours, theirs = _pair(dtype)
    a, b = optim.SGD(ours, lr=0.05), torch.optim.SGD(theirs, lr=0.05)
    rng = np.random.default_rng(4)
    for momentum in (0, 0, 0.9, 0.8, 0, 0, 0.5, 0.5):
        _give_gradients(ours, theirs, rng)
        for optimizer in (a, b):
            optimizer.param_groups[0]["momentum"] = momentum
            optimizer.step()
    _assert_close(ours, theirs, dtype)


@pytest.mark.parametrize(
    ("name", "options"),
    [(name, {}) for name in NAMES]
    + [
        ("SGD", {"momentum": 0.9, "dampening": 0.5}),
        ("Adam", {"amsgrad": True}),
        ("RMSprop", {"centered": True, "momentum": 0.9}),
        ("ASGD", {"t0": 2}),
    ],
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


@pytest.mark.parametrize("name", NAMES)
def test_nan_and_infinity_move_too(name):
    (ours,), (theirs,) = ([p[0]] for p in _pair("float64"))
    a, b = getattr(optim, name)([ours]), getattr(torch.optim, name)([theirs])
    gradient = np.ones((17, 5))
    gradient[0, 0], gradient[1, 1] = np.nan, np.inf
    for _ in range(2):
        ours.grad, theirs.grad = gradient, torch.tensor(gradient)
        a.step()
        b.step()
    a.load_state_dict(b.state_dict())
    for key, value in b.state_dict()["state"][0].items() if b.state_dict()["state"] else ():
        np.testing.assert_array_equal(a.state[ours][key], value.numpy())
    assert np.isnan(ours.data[0, 0]) == np.isnan(theirs[0, 0].item())
    assert np.isfinite(ours.data[2:]).all()
    a.step()


@pytest.mark.parametrize("name", NAMES)
def test_how_pytorch_would_run_it_is_ignored(name):
    results = []
    for value in (None, True):
        ours, theirs = _pair("float32")
        b = getattr(torch.optim, name)(theirs)
        flags = ("foreach", "fused", "capturable", "differentiable")
        accepted = [flag for flag in flags if flag in b.param_groups[0]]
        a = getattr(optim, name)(ours, **({} if value is None else dict.fromkeys(accepted, value)))
        for _ in range(3):
            _give_gradients(ours, theirs, np.random.default_rng(3))
            a.step()
        assert set(a.param_groups[0]) == set(b.param_groups[0])
        results.append([t.data.tobytes() for t in ours])
    assert results[0] == results[1]


@pytest.mark.parametrize("name", NAMES)
def test_signature(name):
    ours, theirs = (inspect.signature(getattr(library, name)) for library in (optim, torch.optim))
    assert [(p.name, p.default, p.kind) for p in ours.parameters.values()] == [
        (p.name, p.default, p.kind) for p in theirs.parameters.values()
    ]
