"""The optim_adaptive family in NumPy: steps scaled by past gradients, by PyTorch's formulas."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnative.autograd import Array
from nnative.reference.optim import Maker, bounded, cells, hyper, with_bounds

ADAM_HYPER = hyper("lr", ("betas", 2), "eps", "weight_decay", "decoupled_weight_decay", "maximize")
NADAM_HYPER = hyper("lr", ("betas", 2), "eps", "weight_decay", "decoupled_weight_decay", "momentum_decay", "maximize")
ADAMAX_HYPER = hyper("lr", ("betas", 2), "eps", "weight_decay", "maximize")
ADAGRAD_HYPER = hyper("lr", "lr_decay", "eps", "weight_decay", "maximize")
ADADELTA_HYPER = hyper("lr", "rho", "eps", "weight_decay", "maximize")
RMSPROP_HYPER = hyper("lr", "alpha", "eps", "weight_decay", "momentum", "maximize")


def _gradient(param: Array, grad: Array, lr: float, weight_decay: float, decoupled: float, maximize: float) -> Array:
    """Return the gradient with weight decay in it, or decay the parameter itself."""
    g = -grad if maximize else grad
    if decoupled:
        param *= 1 - lr * weight_decay
        return g
    return g + weight_decay * param


def _moments(g: Array, m: Array, v: Array, betas: tuple[float, float]) -> None:
    m[...] = betas[0] * m + (1 - betas[0]) * g
    v[...] = betas[1] * v + (1 - betas[1]) * g**2


@bounded
def adam_step(
    params: list[Array],
    grads: list[Array],
    exp_avgs: list[Array],
    exp_avg_sqs: list[Array],
    max_exp_avg_sqs: list[Array],
    steps: list[Array],
    hyper: Array,
) -> None:
    """Update parameters by Adam (Kingma and Ba 2015), decoupled AdamW (Loshchilov and Hutter 2019).

    With arrays for the largest v so far AMSGrad (Reddi et al. 2018).
    """
    lr, betas, eps, weight_decay, decoupled, maximize = hyper.item()
    for i, (param, grad, m, v, step) in enumerate(zip(params, grads, exp_avgs, exp_avg_sqs, steps, strict=True)):
        step += 1
        _moments(_gradient(param, grad, lr, weight_decay, decoupled, maximize), m, v, betas)
        if max_exp_avg_sqs:
            v = max_exp_avg_sqs[i][...] = np.maximum(max_exp_avg_sqs[i], v)
        param -= lr / (1 - betas[0] ** step) * m / (np.sqrt(v) / np.sqrt(1 - betas[1] ** step) + eps)


@bounded
def nadam_step(
    params: list[Array],
    grads: list[Array],
    exp_avgs: list[Array],
    exp_avg_sqs: list[Array],
    steps: list[Array],
    mu_products: list[Array],
    hyper: Array,
) -> None:
    """Update parameters by Adam with Nesterov's momentum (Dozat 2016)."""
    lr, betas, eps, weight_decay, decoupled, momentum_decay, maximize = hyper.item()
    for param, grad, m, v, step, product in zip(params, grads, exp_avgs, exp_avg_sqs, steps, mu_products, strict=True):
        step += 1
        g = _gradient(param, grad, lr, weight_decay, decoupled, maximize)
        _moments(g, m, v, betas)
        mu, following = (betas[0] * (1 - 0.5 * 0.96 ** (t * momentum_decay)) for t in (step, step + 1))
        product *= mu
        average = (1 - mu) / (1 - product) * g + following / (1 - product * following) * m
        param -= lr * average / (np.sqrt(v) / np.sqrt(1 - betas[1] ** step) + eps)


@bounded
def radam_step(
    params: list[Array],
    grads: list[Array],
    exp_avgs: list[Array],
    exp_avg_sqs: list[Array],
    steps: list[Array],
    hyper: Array,
) -> None:
    """Update parameters by Adam whose first steps wait for a variance to rely on (Liu et al. 2020)."""
    lr, betas, eps, weight_decay, decoupled, maximize = hyper.item()
    limit = 2 / (1 - betas[1]) - 1
    for param, grad, m, v, step in zip(params, grads, exp_avgs, exp_avg_sqs, steps, strict=True):
        step += 1
        _moments(_gradient(param, grad, lr, weight_decay, decoupled, maximize), m, v, betas)
        rest = 1 - betas[1] ** step
        length = limit - 2 * step * betas[1] ** step / rest
        update = m / (1 - betas[0] ** step)
        if length > 5:
            rectification = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
            update *= np.sqrt(rectification * rest) / (np.sqrt(v) + eps)
        param -= lr * update


@bounded
def adamax_step(
    params: list[Array],
    grads: list[Array],
    exp_avgs: list[Array],
    exp_infs: list[Array],
    steps: list[Array],
    hyper: Array,
) -> None:
    """Update parameters by Adam with the infinity norm (Kingma and Ba 2015, section 7.1)."""
    lr, (beta1, beta2), eps, weight_decay, maximize = hyper.item()
    for param, grad, m, u, step in zip(params, grads, exp_avgs, exp_infs, steps, strict=True):
        step += 1
        g = _gradient(param, grad, lr, weight_decay, 0, maximize)
        m[...] = beta1 * m + (1 - beta1) * g
        u[...] = np.maximum(beta2 * u, abs(g) + eps)
        param -= lr / (1 - beta1**step) * m / u


@bounded
def adagrad_step(params: list[Array], grads: list[Array], sums: list[Array], steps: list[Array], hyper: Array) -> None:
    """Update parameters by steps over the root of the sum of squared gradients (Duchi et al. 2011)."""
    lr, lr_decay, eps, weight_decay, maximize = hyper.item()
    for param, grad, total, step in zip(params, grads, sums, steps, strict=True):
        g = _gradient(param, grad, lr, weight_decay, 0, maximize)
        total += g**2
        param -= lr / (1 + step * lr_decay) * g / (np.sqrt(total) + eps)
        step += 1


@bounded
def adadelta_step(
    params: list[Array],
    grads: list[Array],
    square_avgs: list[Array],
    acc_deltas: list[Array],
    steps: list[Array],
    hyper: Array,
) -> None:
    """Update parameters by steps of the size of past steps (Zeiler 2012)."""
    lr, rho, eps, weight_decay, maximize = hyper.item()
    for param, grad, v, a, step in zip(params, grads, square_avgs, acc_deltas, steps, strict=True):
        g = _gradient(param, grad, lr, weight_decay, 0, maximize)
        v[...] = rho * v + (1 - rho) * g**2
        delta = np.sqrt(a + eps) / np.sqrt(v + eps) * g
        a[...] = rho * a + (1 - rho) * delta**2
        param -= lr * delta
        step += 1


@bounded
def rmsprop_step(
    params: list[Array],
    grads: list[Array],
    square_avgs: list[Array],
    grad_avgs: list[Array],
    momentum_buffers: list[Array],
    steps: list[Array],
    hyper: Array,
) -> None:
    """Update parameters by RMSProp (Hinton 2012), centred (Graves 2013) if there are averages of the gradients."""
    lr, alpha, eps, weight_decay, momentum, maximize = hyper.item()
    for i, (param, grad, v, step) in enumerate(zip(params, grads, square_avgs, steps, strict=True)):
        g = _gradient(param, grad, lr, weight_decay, 0, maximize)
        v[...] = alpha * v + (1 - alpha) * g**2
        variance = v
        if grad_avgs:
            a = grad_avgs[i][...] = alpha * grad_avgs[i] + (1 - alpha) * g
            variance = v - a**2
        update = g / (np.sqrt(variance) + eps)
        if momentum_buffers:
            update = momentum_buffers[i][...] = momentum * momentum_buffers[i] + update
        param -= lr * update
        step += 1


def _lists(make: Any, n: int, *kinds: Any) -> list[list[Array]]:
    return [[kind(n), kind(3, 2), kind(n)] for kind in kinds]


_EXAMPLES: dict[str, Maker] = {
    "adam_step": lambda make, n: (
        *_lists(make, n, make, make, make, make.positive),
        _lists(make, n, make.positive)[0] if n % 2 else [],
        cells(0, 1, 20),
        np.array((0.1, (0.9, 0.999), 1e-8, 0.01, n % 2, n % 3 == 0), dtype=ADAM_HYPER),
    ),
    "nadam_step": lambda make, n: (
        *_lists(make, n, make, make, make, make.positive),
        cells(0, 1, 20),
        cells(1, 0.5, 0.01),
        np.array((0.1, (0.9, 0.999), 1e-8, 0.01, n % 2, 4e-3, n % 3 == 0), dtype=NADAM_HYPER),
    ),
    "radam_step": lambda make, n: (
        *_lists(make, n, make, make, make, make.positive),
        cells(0, 1, 20),
        np.array((0.1, (0.9, 0.99), 1e-8, 0.01, n % 2, n % 3 == 0), dtype=ADAM_HYPER),
    ),
    "adamax_step": lambda make, n: (
        *_lists(make, n, make, make, lambda *shape: 3 + make.positive(*shape), make.positive),
        cells(0, 1, 20),
        np.array((0.01, (0.9, 0.99), 1e-8, 0.01, n % 2), dtype=ADAMAX_HYPER),
    ),
    "adagrad_step": lambda make, n: (
        *_lists(make, n, make, make, make.positive),
        cells(0, 1, 20),
        np.array((0.1, 0.05, 1e-10, 0.01, n % 2), dtype=ADAGRAD_HYPER),
    ),
    "adadelta_step": lambda make, n: (
        *_lists(make, n, make, make, make.positive, make.positive),
        cells(0, 1, 20),
        np.array((1.0, 0.9, 1e-6, 0.01, n % 2), dtype=ADADELTA_HYPER),
    ),
    "rmsprop_step": lambda make, n: (
        *_lists(make, n, make, make, lambda *shape: 5 + make.positive(*shape)),
        _lists(make, n, lambda *shape: 0.1 * make.positive(*shape))[0] if n % 2 else [],
        _lists(make, n, make)[0] if n % 3 else [],
        cells(0, 1, 20),
        np.array((0.1, 0.99, 1e-8, 0.01, 0.9, n % 2), dtype=RMSPROP_HYPER),
    ),
}
EXAMPLES = {name: with_bounds(maker) for name, maker in _EXAMPLES.items()}
