"""The numbers that the lecture notes give for losses and gradients, each under the name of what it shows."""

import numpy as np
import pytest

import nnative
from nnative.nn import functional as F

TARGET = np.array([2, 1, 0])
ONE_HOT = np.eye(3)[TARGET]
NETWORK_1 = np.array([[0.3, 0.3, 0.4], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7]])
NETWORK_2 = np.array([[0.1, 0.2, 0.7], [0.1, 0.7, 0.2], [0.3, 0.4, 0.3]])
OUTPUT = np.array([[0.1, 0.05, 0.6, 0, 0.05, 0.1, 0, 0.1, 0, 0]])


def leaf(values):
    return nnative.Tensor(np.array(values, np.float64), requires_grad=True)


@pytest.mark.parametrize("network", [NETWORK_1, NETWORK_2])
def test_both_networks_have_the_same_error_rate(network):
    assert (network.argmax(axis=1) != TARGET).mean() == 1 / 3


@pytest.mark.parametrize(("network", "expected"), [(NETWORK_1, 1.3784), (NETWORK_2, 0.6391)])
def test_cross_entropy_tells_apart_networks_of_the_same_error_rate(network, expected):
    log_p = nnative.Tensor(np.log(network))
    for loss in (F.cross_entropy(log_p, TARGET), F.nll_loss(log_p, TARGET), F.cross_entropy(log_p, ONE_HOT)):
        assert round(loss.item(), 4) == expected


@pytest.mark.parametrize(("network", "expected"), [(NETWORK_1, 0.8067), (NETWORK_2, 0.3400)])
def test_squared_error_tells_apart_networks_of_the_same_error_rate(network, expected):
    assert round(F.mse_loss(nnative.Tensor(network), ONE_HOT, reduction="batchmean").item(), 4) == expected


def test_half_the_summed_squared_error_of_ten_classes():
    assert round(0.5 * F.mse_loss(nnative.Tensor(OUTPUT), np.eye(10)[[2]], reduction="sum").item(), 4) == 0.0975


def test_zeros_in_the_output_give_no_nan_in_cross_entropy():
    with np.errstate(divide="ignore"):
        logits = leaf(np.log(OUTPUT))
    loss = F.cross_entropy(logits, np.array([2]))
    loss.backward()
    assert round(loss.item(), 4) == 0.5108
    assert np.isfinite(logits.grad).all()


def test_the_gradients_of_a_sigmoid_neuron_follow_its_graph():
    w, x = leaf([2, -3, -3]), leaf([-1, -2])
    y = F.sigmoid(w[0] * x[0] + w[1] * x[1] + w[2])
    y.backward()
    assert round(y.item(), 4) == 0.7311
    np.testing.assert_array_equal(np.round(w.grad, 4), [-0.1966, -0.3932, 0.1966])
    np.testing.assert_array_equal(np.round(x.grad, 4), [0.3932, -0.5898])


def test_the_gradients_of_a_scaled_exponential():
    w1, w2, x = leaf(0.5), leaf(-1.5), 3.0
    (w2 * (w1 * x).exp()).backward()
    np.testing.assert_allclose(w2.grad, np.exp(0.5 * 3))
    np.testing.assert_allclose(w1.grad, -1.5 * 3 * np.exp(0.5 * 3))


def test_tanh_is_twice_the_sigmoid_of_twice_x_minus_one(dtype):
    x = np.linspace(-20, 20, 100_001, dtype=dtype)
    stretched = 2.0 * F.sigmoid(nnative.Tensor(2 * x)) - 1.0
    np.testing.assert_allclose(F.tanh(nnative.Tensor(x)).numpy(), stretched.numpy(), atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize(("function", "bound"), [(F.sigmoid, 0.25), (F.tanh, 1.0)])
def test_slopes_are_above_zero_and_at_most_a_quarter_for_sigmoid_and_one_for_tanh(function, bound, dtype):
    x = nnative.Tensor(np.linspace(-8, 8, 10_001, dtype=dtype), requires_grad=True)
    function(x).sum().backward()
    assert x.grad.max() == bound
    assert x.grad.min() > 0


def test_the_gradient_vanishes_through_ten_sigmoids():
    x = leaf([0.0])
    y = x
    for _ in range(10):
        y = F.sigmoid(y) - 0.5
    y.backward()
    assert x.grad[0] == pytest.approx(0.25**10)
    assert x.grad[0] == pytest.approx(9.5e-7, rel=1e-2)
