"""L-BFGS beside PyTorch's: the same path, the same number of evaluations, state that moves both ways."""

import numpy as np
import pytest

import nnative
from nnative import nn, optim

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")

OPTIONS = [
    {"lr": 1e-3},
    {"lr": 1e-3, "history_size": 3, "max_iter": 7},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 3},
    {"line_search_fn": "strong_wolfe", "max_iter": 5, "lr": 0.5},
    {"line_search_fn": "strong_wolfe", "max_eval": 6},
    {"line_search_fn": "strong_wolfe", "max_iter": 1},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-2},
    {"line_search_fn": "strong_wolfe", "tolerance_change": 1e-2},
]


def rosenbrock(w):
    return ((1 - w[:-1]) ** 2 + 100 * (w[1:] - w[:-1] ** 2) ** 2).sum()


def pair(dtype, options):
    start = np.linspace(-1.5, 1.5, 6).astype(dtype)
    ours, theirs = nnative.Tensor(start.copy(), requires_grad=True), torch.tensor(start, requires_grad=True)
    return (ours, optim.LBFGS([ours], **options)), (theirs, torch.optim.LBFGS([theirs], **options))


def run(w, optimizer, steps):
    def closure():
        optimizer.zero_grad()
        loss = rosenbrock(w)
        loss.backward()
        return loss

    return [optimizer.step(closure).item() for _ in range(steps)]


@pytest.mark.parametrize("options", OPTIONS)
def test_same_path(options):
    (w, a), (v, b) = pair("float64", options)
    np.testing.assert_allclose(run(w, a, 4), run(v, b, 4), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(w.data, v.detach().numpy(), rtol=1e-6, atol=1e-6)
    for name in ("func_evals", "n_iter"):
        assert a.state[w][name] == b.state[v][name]


def test_float32_finds_the_minimum():
    (w, a), _ = pair("float32", {"line_search_fn": "strong_wolfe", "max_iter": 200})
    run(w, a, 2)
    np.testing.assert_allclose(w.data, 1, atol=1e-3)


def test_state_moves_both_ways():
    options = {"line_search_fn": "strong_wolfe", "max_iter": 4}
    (w, a), (v, b) = pair("float64", options)
    run(w, a, 3), run(v, b, 3)
    (w2, a2), (v2, b2) = pair("float64", {})
    w2.data, v2.data = w.data.copy(), v.detach().clone()
    a2.load_state_dict(b.state_dict())
    mine = a.state_dict()
    assert set(mine["state"][0]) == set(b.state_dict()["state"][0]) - {"al"}
    assert mine["param_groups"] == b.state_dict()["param_groups"]
    as_tensors = {
        k: [torch.tensor(x) for x in v] if isinstance(v, list) else torch.tensor(v) if isinstance(v, np.ndarray) else v
        for k, v in mine["state"][0].items()
    }
    b2.load_state_dict({"state": {0: as_tensors}, "param_groups": mine["param_groups"]})
    losses = run(w, a, 3)
    for tensor, optimizer in ((w2, a2), (v, b), (v2, b2)):
        np.testing.assert_allclose(run(tensor, optimizer, 3), losses, rtol=1e-6, atol=1e-9)


def test_a_network_and_a_recorded_closure():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 5)).astype("float32"), rng.standard_normal((40, 2)).astype("float32")

    def train(compiled):
        nnative.manual_seed(1)
        model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
        optimizer = optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")

        def evaluate(x, y):
            model.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss

        step = nnative.compile(evaluate) if compiled else evaluate
        losses = [optimizer.step(lambda: step(nnative.Tensor(x), nnative.Tensor(y))).item() for _ in range(4)]
        return losses, [p.data.tobytes() for p in model.parameters()]

    eager = train(False)
    assert eager == train(True)
    assert eager[0][-1] < 0.5 * eager[0][0]


def test_what_makes_no_sense_is_named():
    w = nnative.Tensor(np.zeros(2), requires_grad=True)
    v = nnative.Tensor(np.zeros(2, np.float32), requires_grad=True)
    with pytest.raises(ValueError, match="doesn't support per-parameter options"):
        optim.LBFGS([{"params": [w]}, {"params": [v]}])
    with pytest.raises(TypeError, match="parameters of one dtype"):
        optim.LBFGS([w, v])
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        optim.LBFGS([w], lr=-1)
    with pytest.raises(ValueError, match="only 'strong_wolfe' is supported, got 'armijo'"):
        optim.LBFGS([w], line_search_fn="armijo")
    with pytest.raises(TypeError, match=r"\[LBFGS\] step needs a closure"):
        optim.LBFGS([w]).step()
    with pytest.raises(RuntimeError, match=r"^\[compile\] LBFGS reads a value"):
        nnative.compile(lambda x: optim.LBFGS([w]).step(lambda: x.sum()))(np.zeros(2))
