"""The tape: accumulation, shared use, depth, freeing, switches."""

import gc
import threading
import weakref

import numpy as np
import pytest

import nnative
from nnative import Function, Tensor


def leaf(*values, dtype="float64"):
    return Tensor(np.array(values, dtype), requires_grad=True)


def test_gradients_add_up_over_calls():
    x = leaf(1.0, 2.0)
    (x * 3).sum().backward()
    first = x.grad
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad, [5, 7])
    assert x.grad is first  # in place, as in PyTorch
    x.grad = None
    (x * 3).sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 3])


def test_a_tensor_used_several_times():
    x = leaf(2.0)
    (x * x * x + x).backward()
    np.testing.assert_array_equal(x.grad, [13])


def test_diamonds_are_walked_once(gradcheck):
    def function(x):
        a = x * 2
        b, c = a.exp(), a * a
        return b * c + b - a

    gradcheck(function, np.array([0.3, -0.7]))
    calls = []

    class Count(Function):
        @staticmethod
        def forward(ctx, x):
            return x.copy()

        @staticmethod
        def backward(ctx, grad):
            calls.append(1)
            return grad

    x = leaf(1.0)
    for _ in range(20):
        y = Count.apply(x)
        x2 = y + y
        x = x2
    x.backward()
    assert len(calls) == 20


def test_ten_thousand_operations_deep():
    x = leaf(1.0)
    y = x
    for _ in range(10_000):
        y = y + 1e-3
    y.backward()
    np.testing.assert_array_equal(x.grad, [1])
    for _ in range(10_000):
        y = y * 1.0
    del y


def test_backward_twice_is_an_error_that_changes_nothing():
    x, head = leaf(1.0), leaf(1.0)
    trunk = x * 2
    (trunk * 3).backward()
    with pytest.raises(RuntimeError, match="through Mul was already walked and freed"):
        (trunk * head).backward()
    assert head.grad is None
    loss = x * 2
    loss.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        loss.backward()
    np.testing.assert_array_equal(x.grad, [8])


def test_a_retained_graph_is_walked_again():
    x = leaf(1.0)
    loss = (x * x).exp()
    loss.backward(retain_graph=True)
    first = x.grad.copy()
    loss.backward()
    np.testing.assert_array_equal(x.grad, first * 2)


def test_backward_of_a_leaf():
    x = leaf(3.0)
    x.backward()
    np.testing.assert_array_equal(x.grad, [1])


@pytest.mark.parametrize("wrap", [np.asarray, Tensor])
def test_backward_with_a_gradient(wrap):
    x = leaf(1.0, 2.0)
    (x * 2).backward(wrap(np.array([1.0, 10.0])))
    np.testing.assert_array_equal(x.grad, [2, 20])


def test_backward_of_a_zero_dimensional_tensor_keeps_its_shape():
    x = Tensor(np.array(2.0), requires_grad=True)
    (x * x).backward(np.array(1.0))
    assert x.grad.shape == ()
    assert isinstance(x.grad, np.ndarray)
    x.grad = np.array(3.0)
    (x * x).backward()
    assert x.grad.shape == ()
    assert x.grad == 7
    assert isinstance(x.grad, np.ndarray)


def test_wrong_gradients_are_errors():
    x = leaf(1.0, 2.0)
    y = x * 2
    with pytest.raises(RuntimeError, match=r"\[backward\] a gradient is needed for a tensor of shape \(2,\)"):
        y.backward()
    with pytest.raises(ValueError, match=r"\[backward\] expected a gradient of float64 and shape \(2,\), got .*\(3,\)"):
        y.backward(np.ones(3))
    with pytest.raises(ValueError, match="got float32"):
        y.backward(np.ones(2, np.float32))
    with pytest.raises(TypeError, match="got list"):
        y.backward([1.0, 1.0])
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        nnative.ones(1).backward()
    for bad in (np.ones(3), np.ones(2, np.float32)):
        with pytest.raises(ValueError, match=r"\[grad\] expected float64 and shape \(2,\)"):
            x.grad = bad
    with pytest.raises(TypeError, match=r"\[grad\] .* got list"):
        x.grad = [1.0, 2.0]


def test_a_gradient_never_aliases_another():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = np.ones(2)
    (a + b).backward(seed)
    assert not np.shares_memory(a.grad, b.grad)
    assert not np.shares_memory(a.grad, seed)
    a.grad = None
    a.reshape(2, 1).backward(seed.reshape(2, 1))
    assert not np.shares_memory(a.grad, seed)


def test_branches_without_gradient_are_left_alone():
    x, constant = leaf(1.0), Tensor(np.array([2.0]))
    (x * constant).backward()
    assert constant.grad is None


def test_the_result_of_an_operation_cannot_be_switched_off():
    y = leaf(1.0) * 2
    assert not y.is_leaf
    with pytest.raises(RuntimeError, match=r"use detach\(\)"):
        y.requires_grad = False


def test_the_graph_is_freed_with_the_walk():
    x = leaf(1.0)
    middle = x * 2
    saved = weakref.ref(middle.data)
    loss = middle * middle
    del middle
    gc.collect()
    assert saved() is not None
    loss.backward()
    assert saved() is None


def test_no_grad_as_context_and_decorator():
    x = leaf(1.0)

    @nnative.no_grad()
    def with_parentheses():
        return x * 2

    @nnative.no_grad
    def without(depth=2):
        return without(depth - 1) if depth else x * 2

    assert not with_parentheses().requires_grad
    assert not without().requires_grad
    assert without.__name__ == "without"
    with nnative.no_grad():
        assert not nnative.is_grad_enabled()
        with nnative.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), nnative.no_grad():
        1 / 0  # noqa: B018
    assert nnative.is_grad_enabled()
    with nnative.set_grad_enabled(False):
        assert not nnative.is_grad_enabled()


def test_switches_belong_to_their_thread():
    inside, outside = [], []
    off, checked = threading.Event(), threading.Event()

    @nnative.no_grad()
    def other():
        off.set()
        checked.wait(10)
        inside.append((leaf(1.0) * 2).requires_grad)

    thread = threading.Thread(target=other)
    thread.start()
    assert off.wait(10)
    outside.append((leaf(1.0) * 2).requires_grad)
    checked.set()
    thread.join()
    assert (inside, outside) == ([False], [True])


def test_threads_walk_their_own_graphs():
    results = {}

    def work(k):
        for _ in range(50):
            x = leaf(float(k), 1.0)
            (x * x * k).sum().backward()
            results.setdefault(k, []).append(x.grad.tolist())

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == {k: [[2.0 * k * k, 2.0 * k]] * 50 for k in range(4)}


def alone(x, *others):
    """Assert that the gradient of x is an array of its own."""
    assert not any(np.shares_memory(x.grad, other) for other in others)


def test_leaves_keep_gradients_that_are_passed_on_but_never_those_of_others():
    a, b = (Tensor(np.ones((3, 4), np.float32), requires_grad=True) for _ in range(2))
    seed = np.full((3, 4), 2.0, np.float32)
    (a + 1.0).backward(seed)  # passed on from the caller
    alone(a, seed)
    np.testing.assert_array_equal(a.grad, seed)
    a.grad = None
    nnative.nn.functional.relu(a + b).backward(seed)  # passed on to two
    alone(a, b.grad, seed)
    a.grad = None
    nnative.nn.functional.relu(a + a).backward(seed)  # twice to one
    np.testing.assert_array_equal(a.grad, 2 * seed)
    a.grad = b.grad = None
    middle = a - 0.5
    (nnative.nn.functional.relu(middle) + middle).backward(seed)  # a sum of two paths, of which one is the caller's
    alone(a, seed)
    np.testing.assert_array_equal(a.grad, 2 * seed)
    np.testing.assert_array_equal(seed, 2)


class Doubles(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * 2


def test_a_gradient_that_an_operation_kept_is_not_a_leafs():
    kept = np.full(3, 7.0, np.float32)

    class Keeps(Doubles):
        @staticmethod
        def backward(ctx, grad):
            return kept

    a = Tensor(np.ones(3, np.float32), requires_grad=True)
    Keeps.apply(a).backward(np.ones(3, np.float32))
    alone(a, kept)
    a.grad = None
    Keeps.apply(a + 1.0).backward(np.ones(3, np.float32))  # by way of an operation that passes it on
    alone(a, kept)
    np.testing.assert_array_equal(a.grad, kept)


def test_a_gradient_that_a_hook_kept_is_not_a_leafs():
    a = Tensor(np.ones(3, np.float32), requires_grad=True)
    kept = []
    middle = a + 1.0
    middle.register_hook(kept.append)
    nnative.nn.functional.relu(middle).backward(np.ones(3, np.float32))
    alone(a, *kept)
    a.grad[:] = 5
    np.testing.assert_array_equal(kept[0], 1)


def test_a_gradient_passed_on_to_one_leaf_is_not_copied(monkeypatch):
    a = Tensor(np.ones((3, 4), np.float32), requires_grad=True)
    bias = Tensor(np.zeros(4, np.float32), requires_grad=True)
    copied = []
    monkeypatch.setattr(nnative.autograd._native, "copy", copied.append)
    nnative.nn.functional.relu((a + bias) - 0.5).backward(np.ones((3, 4), np.float32))
    assert not copied
    np.testing.assert_array_equal(a.grad, 1)
    np.testing.assert_array_equal(bias.grad, 3)


def test_a_tensor_that_was_never_initialised():
    with pytest.raises(AttributeError, match="never initialised"):
        Function.apply(Tensor.__new__(Tensor))


def test_a_graph_that_is_freed_while_it_is_walked():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    first = x * 2.0
    second = first * 3.0
    second.register_hook(lambda grad: (first * 1.0).sum().backward())
    with pytest.raises(RuntimeError, match="already walked and freed"):
        second.sum().backward()


def test_a_graph_that_is_freed_while_its_nodes_are_put_in_order():
    class Meddles(Doubles):
        def __getattribute__(self, name):
            if name == "number" and others:
                others.pop().backward()
            return super().__getattribute__(name)

    others = []
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    result = Meddles.apply((x * 2.0 * 3.0).sum())
    others.append(result * 1.0)
    with pytest.raises(RuntimeError, match="already walked and freed"):
        result.backward()


def test_arguments_that_an_operation_replaced():
    class Replaces(Doubles):
        @staticmethod
        def forward(ctx, x):
            ctx.inputs = [x]
            return x * 2

    with pytest.raises(TypeError, match=r"ctx.inputs"):
        Replaces.apply(Tensor(np.ones(2, np.float32), requires_grad=True)).sum().backward()


def test_a_proxy_stands_for_its_tensor():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    proxy = weakref.proxy(x)
    (Tensor(np.full(2, 3, np.float32)) * proxy).sum().backward()
    np.testing.assert_array_equal(x.grad, 3)
    del x
    with pytest.raises(ReferenceError):
        Function.apply(proxy)
