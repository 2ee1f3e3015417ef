"""The optim family in NumPy: updates of lists of parameters, in place, by PyTorch's formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnative.autograd import Array

# The cells that the kernels read: a structured 0-d array each, named by the optimizers' options, flags as 0 or 1.
SGD_HYPER = np.dtype(
    [(name, np.float64) for name in ("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize")]
)
ADAM_HYPER = np.dtype(
    [
        ("lr", np.float64),
        ("betas", np.float64, 2),
        *((name, np.float64) for name in ("eps", "weight_decay", "decoupled_weight_decay", "maximize")),
    ]
)


def sgd_step(
    params: list[Array], grads: list[Array], momentum_buffers: list[Array], steps: list[Array], hyper: Array
) -> None:
    """Update parameters by stochastic gradient descent, with momentum (Polyak 1964) or Nesterov's (Sutskever 2013).

    ``steps[i]`` counts updates with momentum: at 0 the buffer takes the gradient, undamped.
    """
    lr, momentum, dampening, weight_decay, nesterov, maximize = hyper.item()
    for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
        g = -grad if maximize else grad
        if weight_decay:
            g = g + weight_decay * param
        if momentum:
            buffer, step = momentum_buffers[i], steps[i]
            buffer[...] = g if step == 0 else momentum * buffer + (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
            step += 1
        param -= lr * g


def adam_step(
    params: list[Array],
    grads: list[Array],
    exp_avgs: list[Array],
    exp_avg_sqs: list[Array],
    steps: list[Array],
    hyper: Array,
) -> None:
    """Update parameters by Adam (Kingma and Ba 2015) or, decoupled, AdamW (Loshchilov and Hutter 2019)."""
    lr, (beta1, beta2), eps, weight_decay, decoupled, maximize = hyper.item()
    for param, grad, m, v, step in zip(params, grads, exp_avgs, exp_avg_sqs, steps, strict=True):
        step += 1
        g = -grad if maximize else grad
        if decoupled:
            param *= 1 - lr * weight_decay
        elif weight_decay:
            g = g + weight_decay * param
        m[...] = beta1 * m + (1 - beta1) * g
        v[...] = beta2 * v + (1 - beta2) * g**2
        param -= lr / (1 - beta1**step) * m / (np.sqrt(v) / np.sqrt(1 - beta2**step) + eps)


def _steps(*counts: float) -> list[Array]:
    return [np.array(count, dtype=np.float64) for count in counts]


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "sgd_step": lambda make, n: (
        [make(n), make(3, 2), make(n)],
        [make(n), make(3, 2), make(n)],
        [make(n), make(3, 2), make(n)],
        _steps(0, 1, 4),
        np.array((0.1, 0.9, 0.1, 0.01, 0, n % 2), dtype=SGD_HYPER),
    ),
    "adam_step": lambda make, n: (
        [make(n), make(3, 2), make(n)],
        [make(n), make(3, 2), make(n)],
        [make(n), make(3, 2), make(n)],
        [make.positive(n), make.positive(3, 2), make.positive(n)],
        _steps(0, 1, 20),
        np.array((0.1, (0.9, 0.999), 1e-8, 0.01, n % 2, n % 3 == 0), dtype=ADAM_HYPER),
    ),
}
