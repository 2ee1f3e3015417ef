"""Hooks on modules: when they run, what they may change, and that recorded steps notice them."""

import copy

import numpy as np
import pytest

import nnative
from nnative import nn

RNG = np.random.default_rng(3)
X = RNG.standard_normal((5, 4))


class Two(nn.Module):
    """Two inputs, a number and an option, two outputs."""

    def forward(self, a, b, factor=1.0):
        return a * b * factor, a + b


def test_forward_hooks_run_in_order_and_change_what_passes():
    layer, calls = nn.Identity(), []
    layer.register_forward_pre_hook(lambda m, args: calls.append("second"))
    layer.register_forward_pre_hook(lambda m, args: calls.append("first") or args[0] * 2, prepend=True)
    layer.register_forward_hook(lambda m, args, output: calls.append("third") or output + args[0])
    layer.register_forward_hook(lambda m, args, output: calls.append((m is layer, output.shape)))
    np.testing.assert_array_equal(layer(nnative.Tensor(X)), 4 * X)
    assert calls == ["first", "second", "third", (True, (5, 4))]


def test_keywords_are_seen_where_asked_for():
    module, seen = Two(), []
    module.register_forward_pre_hook(lambda m, args, kwargs: (args, {**kwargs, "factor": 3.0}), with_kwargs=True)
    module.register_forward_hook(lambda m, args, kwargs, output: seen.append(kwargs), with_kwargs=True)
    module.register_forward_hook(lambda m, args, output: seen.append(len(args)))
    product, _ = module(nnative.ones(2), nnative.ones(2), factor=2.0)
    np.testing.assert_array_equal(product, [3.0, 3.0])
    assert seen == [{"factor": 3.0}, 2]
    module.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    module.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="returns None or a tuple of args and kwargs, got 3"):
        module(nnative.ones(2), nnative.ones(2))


def test_handles_remove_hooks_once():
    layer, calls = nn.Identity(), []
    handle = layer.register_forward_hook(lambda *_: calls.append(1))
    with layer.register_forward_hook(lambda *_: calls.append(2)):
        layer(nnative.ones(1))
    handle.remove()
    handle.remove()
    layer(nnative.ones(1))
    assert calls == [1, 2]
    assert layer._hooks is None
    with pytest.raises(TypeError, match="expected a function as hook, got int"):
        layer.register_forward_hook(3)


def test_hooks_that_are_always_called():
    layer, calls = nn.Linear(4, 2), []
    layer.register_forward_hook(lambda m, args, output: calls.append(output), always_call=True)
    layer.register_forward_hook(lambda m, args, output: calls.append("never"))
    with pytest.raises(ValueError, match="expected input of 4 features"):
        layer(nnative.ones(2, 3))
    assert calls == [None]


def test_a_copy_has_the_hooks_too():
    layer, calls = nn.Identity(), []
    layer.register_forward_hook(lambda *_: calls.append(1))
    copy.deepcopy(layer)(nnative.ones(1))
    assert calls == [1]


def test_backward_hooks_that_make_no_sense():
    x = nnative.ones(3, requires_grad=True)
    layer = nn.Tanh()
    with layer.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0])):
        loss = layer(x).sum()
        with pytest.raises(RuntimeError, match="returned 2 gradients as grad_input, expected 1"):
            loss.backward()
    with layer.register_full_backward_pre_hook(lambda m, go: (go[0], go[0])):
        loss = layer(x).sum()
        with pytest.raises(RuntimeError, match="returned 2 gradients as grad_output, expected 1"):
            loss.backward()
    linear = nn.Linear(3, 2)
    with linear.register_full_backward_hook(lambda m, gi, go: (nnative.ones(3),)):
        loss = linear(nnative.ones(3)).sum()
        with pytest.raises(RuntimeError, match="no input requires a gradient"):
            loss.backward()


def test_recorded_steps_notice_hooks_and_record_what_they_compute():
    layer = nn.Linear(4, 2)
    step = nnative.compile(lambda x: layer(x))
    x = X.astype("float32")
    plain = step(x).numpy()
    other = nn.Tanh()
    for _ in range(2):
        with layer.register_forward_hook(lambda m, args, output: output * 2):
            for _ in range(3):
                np.testing.assert_array_equal(step(x), 2 * plain)
        np.testing.assert_array_equal(step(x), plain)
    assert len(step._recordings) == 3  # without hooks, and for each time with one
    with other.register_forward_hook(lambda m, args, output: output.numpy()):
        np.testing.assert_array_equal(step(x), plain)
    with (
        layer.register_forward_hook(lambda m, args, output: output.numpy()),
        pytest.raises(RuntimeError, match=r"numpy\(\) reads a value"),
    ):
        step(x)


def test_backward_hooks_are_recorded():
    def train(compiled):
        nnative.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
        model[1].register_full_backward_hook(lambda m, gi, go: (gi[0] * 0.5 + go[0],))
        model[2].register_full_backward_pre_hook(lambda m, go: (go[0] * 3,))
        optimizer = nnative.optim.SGD(model.parameters(), lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = (model(x) ** 2).sum()
            loss.backward()
            optimizer.step()
            return loss

        run = nnative.compile(step) if compiled else step
        losses = [run(nnative.Tensor(X.astype("float32"))).item() for _ in range(5)]
        return losses, [p.data.tobytes() for p in model.parameters()]

    assert train(True) == train(False)


# Beside PyTorch


def two_inputs(lib):
    class Module(lib.nn.Module):
        def forward(self, a, number, b):
            return a * b, (a - b) * number

    return Module()


@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("needs", [(True, True), (True, False), (False, True)])
def test_backward_hooks_are_pytorchs(change, needs):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    a, b = RNG.standard_normal((2, 3, 4))
    results = []
    for lib in (nnative, torch):
        x, y = (lib.tensor(v, requires_grad=n) for v, n in zip((a, b), needs, strict=True))
        module, seen = two_inputs(lib), []

        def before(m, grad_output, seen=seen):
            seen.append([None if g is None else np.asarray(g).copy() for g in grad_output])
            return tuple(None if g is None else g * 2 for g in grad_output) if change else None

        def after(m, grad_input, grad_output, seen=seen):
            seen.append([None if g is None else np.asarray(g).copy() for g in (*grad_input, *grad_output)])
            return tuple(None if g is None else g + 1 for g in grad_input) if change else None

        module.register_full_backward_hook(after)
        module.register_full_backward_hook(
            lambda m, gi, go, seen=seen: seen.append([np.asarray(go[0]).copy()]), prepend=True
        )
        module.register_full_backward_pre_hook(before)
        p, q = module(x * 1, 3.0, y)
        (p * q).sum().backward(retain_graph=True)
        (p * p).sum().backward()  # the second output gets no gradient
        results.append((seen, [None if t.grad is None else np.asarray(t.grad) for t in (x, y)]))
    for ours, theirs in zip(*([*seen, grads] for seen, grads in results), strict=True):
        for g, h in zip(ours, theirs, strict=True):
            if g is None:  # PyTorch hands zeros over for an input that requires no gradient
                assert h is None or not h.any()
            else:
                np.testing.assert_allclose(g, h, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:Full backward hook:UserWarning")  # PyTorch's
def test_a_backward_hook_without_gradients_of_inputs_is_pytorchs():
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    weight = RNG.standard_normal((2, 4))
    results = []
    for lib in (nnative, torch):
        layer, seen = lib.nn.Linear(4, 2, bias=False).double(), []
        layer.load_state_dict({"weight": lib.tensor(weight)})
        layer.register_full_backward_hook(lambda m, gi, go, seen=seen: seen.append((gi, np.asarray(go[0]).copy())))
        (layer(lib.tensor(X)) ** 2).sum().backward()
        results.append((seen, np.asarray(layer.weight.grad)))
    (ours, dw), (theirs, dv) = results
    assert ours[0][0] == theirs[0][0] == (None,)
    np.testing.assert_allclose(ours[0][1], theirs[0][1], rtol=1e-12)
    np.testing.assert_allclose(dw, dv, rtol=1e-12)
