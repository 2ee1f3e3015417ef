"""Views of what a product writes, views of weights, and constants: a replay is the function, bit for bit."""

import numpy as np
import pytest

import nnative
from nnative import Tensor, nn, optim

F = nn.functional
RNG = np.random.default_rng(0)


def same(function, *args, calls=3, **options):
    """Compare recording and replays with the function itself."""
    with nnative.no_grad():
        want = function(*[Tensor(a) for a in args]).data.copy()
        recorded = nnative.compile(function, **options)
        for _ in range(calls):
            np.testing.assert_array_equal(recorded(*args).data, want)


@pytest.mark.parametrize("rows", [slice(1, None), slice(None, 1)])
def test_relu_of_some_rows_of_a_product_is_not_fused(rows, dtype):
    """So small that what a wrong fusion writes too much stays within the line of the result."""
    weight = nn.Parameter(RNG.standard_normal((3, 4)).astype(dtype))
    same(lambda x: F.relu(F.linear(x, weight)[rows]), RNG.standard_normal((2, 4)).astype(dtype))


def test_frozen_weight_in_two_shapes(dtype):
    weight = nn.Parameter(RNG.standard_normal((24, 40)).astype(dtype))
    same(
        lambda x: F.linear(F.linear(x, weight), weight.reshape(40, 24)),
        RNG.standard_normal((9, 40)).astype(dtype),
        frozen=True,
    )


@pytest.mark.parametrize("first", [True, False])
def test_frozen_weight_and_its_first_rows(first, dtype):
    weight = nn.Parameter(RNG.standard_normal((40, 40)).astype(dtype))

    def function(x):
        if first:
            return F.linear(x, weight[:7]).sum(1, keepdim=True) + F.linear(x, weight)
        return F.linear(x, weight) + F.linear(x, weight[:7]).sum(1, keepdim=True)

    same(function, RNG.standard_normal((9, 40)).astype(dtype), frozen=True)


def test_minus_zero_is_another_constant():
    recorded = nnative.compile(lambda x, factor: x * factor)
    x = np.ones(3, np.float32)
    assert not np.signbit(recorded(x, 0.0).data).any()
    assert np.signbit(recorded(x, -0.0).data).all()


def test_a_list_that_changed_is_another_constant():
    recorded = nnative.compile(lambda x, factors: x * factors[0])
    x, factors = np.ones(3, np.float32), [1.0]
    assert recorded(x, factors).data[0] == 1
    factors[0] = 5.0
    assert recorded(x, factors).data[0] == 5


@pytest.mark.parametrize("threads", [1, 3])
def test_an_argument_may_be_a_parameter_that_the_step_updates(threads, set_threads):
    set_threads(threads)
    start = (RNG.standard_normal((256, 256)) / 16).astype(np.float32)

    def train(compiled):
        weight = nn.Parameter(start.copy())
        optimizer = optim.SGD([weight], lr=0.5)

        def step(x):
            optimizer.zero_grad()
            loss = (F.linear(x, weight) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        function = nnative.compile(step) if compiled else lambda x: step(Tensor(x))
        for _ in range(20):
            function(weight.data)
        return weight.data

    np.testing.assert_array_equal(train(True), train(False))
