"""Paths that lectures show: f(x, y) = x²/20 + y² from (−7, 2), 30 steps."""

import numpy as np
import pytest

import nnative
from nnative import optim

CURVATURE = np.array([0.1, 2.0])


def _path(make, steps=30, gradient=lambda p: CURVATURE * p, start=(-7.0, 2.0)):
    t = nnative.Tensor(np.array(start), requires_grad=True)
    optimizer = make([t])
    for _ in range(steps):
        t.grad = gradient(t.data)
        optimizer.step()
    return t.data


def test_sgd_zigzags_to_its_end_point():
    assert _path(lambda p: optim.SGD(p, lr=0.95)) == pytest.approx((-0.350, 0.085), abs=5e-4)


def test_momentum_overshoots_to_its_end_point():
    assert _path(lambda p: optim.SGD(p, lr=0.1, momentum=0.9)) == pytest.approx((0.896, 0.088), abs=5e-4)


def test_adagrad_turns_to_its_end_point():
    assert _path(lambda p: optim.Adagrad(p, lr=1.5)) == pytest.approx((-0.120, 0.000), abs=5e-4)


def test_adam_reaches_its_end_point():
    assert _path(lambda p: optim.Adam(p, lr=0.3)) == pytest.approx((0.136, 0.318), abs=5e-4)


def test_momentum_of_the_lectures_is_pytorchs_while_the_learning_rate_is_constant():
    position, velocity = np.array([-7.0, 2.0]), np.zeros(2)
    for _ in range(30):
        velocity = 0.9 * velocity - 0.1 * CURVATURE * position
        position = position + velocity
    ours = _path(lambda p: optim.SGD(p, lr=0.1, momentum=0.9))
    np.testing.assert_allclose(ours, position, rtol=1e-12)


@pytest.mark.parametrize("mu", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("lr", [0.01, 0.1])
def test_nesterov_is_the_gradient_at_the_look_ahead_point(lr, mu):
    """PyTorch's form follows θ = φ + μ·v of the original, where φ is the position and the gradient is taken at θ."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        curvature = rng.uniform(0.01, 2, 6)
        position, velocity = rng.standard_normal(6), np.zeros(6)
        t = nnative.Tensor(position.copy(), requires_grad=True)
        optimizer = optim.SGD([t], lr=lr, momentum=mu, nesterov=True)
        for _ in range(30):
            velocity = mu * velocity - lr * curvature * (position + mu * velocity)
            position = position + velocity
            t.grad = curvature * t.data
            optimizer.step()
            np.testing.assert_allclose(t.data, position + mu * velocity, rtol=1e-11, atol=1e-11)


ADAPTIVE = {
    "Adagrad": {"lr": 0.5},
    "Adadelta": {"lr": 20.0},
    "RMSprop": {"lr": 0.05},
    "Adam": {"lr": 0.1},
    "NAdam": {"lr": 0.1},
    "Adamax": {"lr": 0.1},
    "Rprop": {"lr": 0.05},
    "Lion": {"lr": 0.05},
}


@pytest.mark.parametrize("name", ADAPTIVE)
def test_adaptive_steps_leave_a_saddle_that_holds_gradient_descent(name):
    """f = x² − y² from beside the ridge: the gradient across is 10⁻⁶ of that along."""

    def run(make):
        return _path(make, 60, lambda p: np.array([2 * p[0], -2 * p[1]]), (1.0, 1e-6))

    assert abs(run(lambda p: optim.SGD(p, lr=0.05))[1]) < 1e-3
    assert abs(run(lambda p: getattr(optim, name)(p, **ADAPTIVE[name]))[1]) > 0.1
