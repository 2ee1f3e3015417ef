"""The optim family in NumPy: updates of lists of parameters, in place, by PyTorch's formulas."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array
from nnative.reference.lists import limit_rows

Update = Callable[..., None]


def hyper(*names: str | tuple[str, int]) -> np.dtype[Any]:
    """Return the dtype of a cell that kernels read: named by the optimizer's options, flags as 0 or 1."""
    fields = [(n, np.float64) if isinstance(n, str) else (n[0], np.float64, n[1]) for n in names]
    return np.dtype(fields)


def bounded(update: Update) -> Update:
    """Give an update a last argument: for each parameter the largest norm of a matrix's row, or an empty list."""
    count = len(inspect.signature(update).parameters)

    @functools.wraps(update)
    def bounded_update(*arguments: Any) -> None:
        update(*arguments[:count])
        for max_norms in filter(None, arguments[count:]):
            for param, max_norm in zip(arguments[0], max_norms, strict=True):
                if param.ndim > 1:
                    limit_rows([param], float(max_norm))

    return bounded_update


SGD_HYPER = hyper("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize")
ASGD_HYPER = hyper("lr", "lambd", "alpha", "t0", "weight_decay", "maximize")
RPROP_HYPER = hyper("lr", ("etas", 2), ("step_sizes", 2), "maximize")
LION_HYPER = hyper("lr", ("betas", 2), "weight_decay", "maximize")
FTRL_HYPER = hyper("lr", "beta", "l1", "l2", "maximize")


@bounded
def sgd_step(
    params: list[Array], grads: list[Array], momentum_buffers: list[Array], steps: list[Array], hyper: Array
) -> None:
    """Update parameters by stochastic gradient descent, with momentum (Polyak 1964) or Nesterov's (Sutskever 2013).

    ``steps[i]`` counts updates with momentum: at 0 the buffer takes the gradient, undamped. Without buffers there is no
    momentum.
    """
    lr, momentum, dampening, weight_decay, nesterov, maximize = hyper.item()
    for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
        g = -grad if maximize else grad
        if weight_decay:
            g = g + weight_decay * param
        if momentum_buffers:
            buffer, step = momentum_buffers[i], steps[i]
            buffer[...] = g if step == 0 else momentum * buffer + (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
            step += 1
        param -= lr * g


@bounded
def asgd_step(
    params: list[Array],
    grads: list[Array],
    axs: list[Array],
    steps: list[Array],
    next_etas: list[Array],
    next_mus: list[Array],
    etas: list[Array],
    mus: list[Array],
    hyper: Array,
) -> None:
    """Update parameters and their averages by averaged stochastic gradient descent (Polyak and Juditsky 1992).

    ``next_etas`` and ``next_mus`` are for this update and then for the next; ``etas`` and ``mus`` take what was used.
    """
    lr, lambd, alpha, t0, weight_decay, maximize = hyper.item()
    for param, grad, ax, step, next_eta, next_mu, eta, mu in zip(
        params, grads, axs, steps, next_etas, next_mus, etas, mus, strict=True
    ):
        eta[...], mu[...] = next_eta, next_mu
        g = (-grad if maximize else grad) + weight_decay * param
        param *= 1 - lambd * eta
        param -= eta * g
        ax[...] = param if mu == 1 else ax + mu * (param - ax)
        step += 1
        next_eta[...] = lr / (1 + lambd * lr * step) ** alpha
        next_mu[...] = 1 / max(1, step - t0)


@bounded
def rprop_step(
    params: list[Array],
    grads: list[Array],
    prevs: list[Array],
    step_sizes: list[Array],
    steps: list[Array],
    hyper: Array,
) -> None:
    """Update parameters by resilient propagation (Riedmiller and Braun 1993)."""
    _, (eta_minus, eta_plus), (least, most), maximize = hyper.item()
    for param, grad, prev, size, step in zip(params, grads, prevs, step_sizes, steps, strict=True):
        g = -grad if maximize else grad
        agreement = g * prev
        factor = np.where(agreement > 0, eta_plus, np.where(agreement < 0, eta_minus, 1))
        size[...] = np.clip(size * factor, least, most)
        prev[...] = np.where(agreement < 0, 0, g)
        param -= np.where(prev > 0, size, np.where(prev < 0, -size, 0))
        step += 1


@bounded
def lion_step(params: list[Array], grads: list[Array], exp_avgs: list[Array], hyper: Array) -> None:
    """Update parameters by the sign of an average of gradients (Chen et al. 2023)."""
    lr, (beta1, beta2), weight_decay, maximize = hyper.item()
    for param, grad, m in zip(params, grads, exp_avgs, strict=True):
        g = -grad if maximize else grad
        param[...] = (1 - lr * weight_decay) * param - lr * np.sign(beta1 * m + (1 - beta1) * g)
        m[...] = beta2 * m + (1 - beta2) * g


@bounded
def ftrl_step(params: list[Array], grads: list[Array], zs: list[Array], ns: list[Array], hyper: Array) -> None:
    """Update parameters by following the regularised leader (McMahan et al. 2013)."""
    lr, beta, l1, l2, maximize = hyper.item()
    for param, grad, z, n in zip(params, grads, zs, ns, strict=True):
        g = -grad if maximize else grad
        roots = np.sqrt(n) + np.sqrt(n + g**2)
        growth = np.divide(g**2, roots, out=np.zeros_like(n), where=roots > 0)  # √(n + g²) − √n without cancellation
        n += g**2
        z += g - growth / lr * param
        param[...] = np.where(abs(z) <= l1, 0, -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / lr + l2))


def cells(*values: float) -> list[Array]:
    """Return 0-d arrays, as the numbers that optimizers keep for each parameter."""
    return [np.array(value, dtype=np.float64) for value in values]


Maker = Callable[..., tuple[Any, ...]]


def with_bounds(maker: Maker) -> Maker:
    """Let an example of an update have bounds of rows every other time."""

    def bounded_maker(make: Any, n: int) -> tuple[Any, ...]:
        arguments = maker(make, n)
        return *arguments, cells(*[0.8] * len(arguments[0])) if n % 2 else []

    return bounded_maker


_EXAMPLES: dict[str, Maker] = {
    "sgd_step": lambda make, n: (
        [make(n), make(3, 2), make(n)],
        [make(n), make(3, 2), make(n)],
        [make(n), make(3, 2), make(n)] if n % 3 else [],
        cells(0, 1, 4) if n % 3 else [],
        np.array((0.1, 0.9, 0.1, 0.01, 0, n % 2), dtype=SGD_HYPER),
    ),
    "asgd_step": lambda make, n: (
        [make(n), make(3, 2), make(n)],
        [make(n), make(3, 2), make(n)],
        [make(n), make(3, 2), make(n)],
        cells(0, 1, 4),
        cells(0.1, 0.08, 0.05),
        cells(1, 0.5, 0.25),
        cells(0, 0, 0),
        cells(0, 0, 0),
        np.array((0.1, 1e-2, 0.75, 2, 0.01, n % 2), dtype=ASGD_HYPER),
    ),
    "rprop_step": lambda make, n: (
        [make(n), make(3, 2)],
        [make(n), make(3, 2)],
        [make(n), make(3, 2)],
        [make.positive(n), make.positive(3, 2)],
        cells(0, 4),
        np.array((0.1, (0.5, 1.2), (0.3, 2), n % 2), dtype=RPROP_HYPER),
    ),
    "lion_step": lambda make, n: (
        [make(n), make(3, 2)],
        [make(n), make(3, 2)],
        [make(n), make(3, 2)],
        np.array((0.1, (0.9, 0.99), 0.1, n % 2), dtype=LION_HYPER),
    ),
    "ftrl_step": lambda make, n: (
        [make(n), make(3, 2)],
        [make(n), make(3, 2)],
        [9 + make(n), 0.2 * make(3, 2)],
        [make.positive(n), make.positive(3, 2)],
        np.array((0.5, 1, 0.5, 0.01, n % 2), dtype=FTRL_HYPER),
    ),
}
EXAMPLES = {name: with_bounds(maker) for name, maker in _EXAMPLES.items()}
