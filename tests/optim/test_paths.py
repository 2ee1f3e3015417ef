"""Paths that lectures show: f(x, y) = x²/20 + y² from (−7, 2), 30 steps."""

import numpy as np
import pytest

import nnative
from nnative import optim


def _path(make, steps=30):
    t = nnative.Tensor(np.array([-7.0, 2.0]), requires_grad=True)
    optimizer = make([t])
    for _ in range(steps):
        t.grad = np.array([t.data[0] / 10, 2 * t.data[1]])
        optimizer.step()
    return t.data


@pytest.mark.parametrize(
    ("make", "end"),
    [
        (lambda p: optim.SGD(p, lr=0.95), (-0.350, 0.085)),
        (lambda p: optim.SGD(p, lr=0.1, momentum=0.9), (0.896, 0.088)),
        (lambda p: optim.Adam(p, lr=0.3), (0.136, 0.318)),
    ],
)
def test_end_points(make, end):
    assert _path(make) == pytest.approx(end, abs=5e-4)


def test_nesterov_is_the_gradient_at_the_look_ahead_point():
    """PyTorch's form follows θ = φ + μ·v of the original, where φ is the position and the gradient is taken at θ."""
    lr, mu = 0.1, 0.9
    curvature = np.array([0.1, 2.0])
    position, velocity = np.array([-7.0, 2.0]), np.zeros(2)
    t = nnative.Tensor(position.copy(), requires_grad=True)
    optimizer = optim.SGD([t], lr=lr, momentum=mu, nesterov=True)
    for _ in range(30):
        velocity = mu * velocity - lr * curvature * (position + mu * velocity)
        position = position + velocity
        t.grad = curvature * t.data
        optimizer.step()
        np.testing.assert_allclose(t.data, position + mu * velocity, rtol=1e-12, atol=1e-12)
