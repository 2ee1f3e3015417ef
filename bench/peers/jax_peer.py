"""The work in JAX: jit with synchronous or asynchronous dispatch, and lax.scan over many steps a call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from harness import rows
from harness.rows import Array, Row
from harness.work import NotOffered, Work, over

Tree = Any
State = tuple[Tree, Tree, Tree, Any, Any, Tree]  # parameters, m, v, step count, random key, running statistics


def start(mode: str, threads: int) -> str:
    """Choose the dispatch; threads come from the CPUs the process may use."""
    jax.config.update("jax_cpu_enable_async_dispatch", mode == "async")
    jax.config.update("jax_threefry_partitionable", False)  # dropout's masks 3 to 5 times faster than with the default
    return str(jax.__version__)


def parameters(row: Row) -> Tree:
    """Return the initial parameters; weights as (fan_in, fan_out), XLA's own order."""
    layers = [(jnp.asarray(w.T.copy()), jnp.asarray(b)) for w, b in rows.weights(row)]
    hidden = row.sizes[1:-1] if row.batchnorm else ()
    return {"linear": layers, "norm": [(jnp.ones(n), jnp.zeros(n)) for n in hidden]}


def statistics(row: Row) -> Tree:
    """Return running mean and variance of each BatchNorm."""
    return [(jnp.zeros(n), jnp.ones(n)) for n in (row.sizes[1:-1] if row.batchnorm else ())]


def normalize(x: Any, scale: Any, shift: Any) -> tuple[Any, Any, Any]:
    """BatchNorm over the columns of x; also returns the batch statistics."""
    mean, variance = x.mean(0), x.var(0)
    return (x - mean) * (jax.lax.rsqrt(variance + 1e-5) * scale) + shift, mean, variance


def drop(x: Any, rate: float, key: Any) -> Any:
    """Inverted dropout."""
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0.0)


def cross_entropy(logits: Any, y: Any) -> Any:
    """Mean loss from logits."""
    picked = jnp.take_along_axis(logits, y[:, None], axis=1)[:, 0]
    return (jax.nn.logsumexp(logits, axis=1) - picked).mean()


def loss_of(row: Row, weights: Tree, running: Tree, key: Any, x: Any, y: Any) -> tuple[Any, Tree]:
    """Return the loss and the updated running statistics."""
    updated = []
    for i, (weight, bias) in enumerate(weights["linear"][:-1]):
        x = x @ weight + bias
        if row.batchnorm:
            x, mean, variance = normalize(x, *weights["norm"][i])
            unbiased = variance * (row.batch / (row.batch - 1))
            updated.append(tuple(0.9 * old + 0.1 * new for old, new in zip(running[i], (mean, unbiased), strict=True)))
        x = jax.nn.relu(x)
        if row.dropout:
            x = drop(x, row.dropout, jax.random.fold_in(key, i))
    weight, bias = weights["linear"][-1]
    return cross_entropy(x @ weight + bias, y), updated


def adam(weights: Tree, gradients: Tree, m: Tree, v: Tree, t: Any) -> tuple[Tree, Tree, Tree]:
    """Return updated parameters and moments."""
    beta1, beta2 = rows.BETAS
    m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, gradients)
    v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, gradients)
    rate = rows.LEARNING_RATE / (1 - beta1**t)
    scale = jax.lax.rsqrt(1 - beta2**t)
    weights = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * scale + rows.EPS), weights, m, v)
    return weights, m, v


def first_state(row: Row) -> State:
    """Return the state before the first step."""
    weights = parameters(row)
    zeros = partial(jax.tree.map, jnp.zeros_like)
    return weights, zeros(weights), zeros(weights), jnp.float32(0), jax.random.key(0), statistics(row)


def step_of(row: Row) -> Callable[[State, Any, Any], tuple[State, Any]]:
    """Return one training step as a pure function."""

    def step(state: State, x: Any, y: Any) -> tuple[State, Any]:
        weights, m, v, t, key, running = state
        t = t + 1
        now = jax.random.fold_in(key, t.astype(jnp.int32))
        differentiate = jax.value_and_grad(partial(loss_of, row), has_aux=True)
        (loss, running), gradients = differentiate(weights, running, now, x, y)
        return (*adam(weights, gradients, m, v, t), t, key, running), loss

    return step


def train(row: Row, mode: str) -> Work:
    """One step a call, or with `scan` one step for each minibatch."""
    step, state = step_of(row), first_state(row)
    if mode == "scan":
        many = jax.jit(
            lambda state, xs, ys: jax.lax.scan(lambda s, xy: step(s, *xy), state, (xs, ys)), donate_argnums=0
        )
        x, y = rows.data(row)
        xs, ys = jnp.asarray(x.reshape(row.batches, row.batch, -1)), jnp.asarray(y.reshape(row.batches, -1), jnp.int32)

        def all_steps() -> Any:
            nonlocal state
            state, losses = many(state, xs, ys)
            return losses

        return Work(all_steps, row.batches, np.asarray)

    one = jax.jit(step, donate_argnums=0)

    def one_step(x: Any, y: Any) -> Any:
        nonlocal state
        state, loss = one(state, x, y)
        return loss if mode == "async" else jax.block_until_ready(loss)

    return Work(
        over(one_step, [(jnp.asarray(x), jnp.asarray(y, jnp.int32)) for x, y in rows.minibatches(row)]), 1, np.asarray
    )


def infer(row: Row, mode: str) -> Work:
    """Logits of one minibatch a call."""
    if mode != "sync":
        raise NotOffered("the answer is needed before the next question")
    layers = parameters(row)["linear"]

    @jax.jit
    def forward(layers: Tree, x: Any) -> Any:
        for weight, bias in layers[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        return x @ layers[-1][0] + layers[-1][1]

    return Work(over(lambda x: np.asarray(forward(layers, x)), [(x,) for x, _ in rows.minibatches(row)]))


def memory(row: Row, mode: str) -> Work:
    """One operation, forward and backward, in one jitted call."""
    if mode != "sync":
        raise NotOffered("one call at a time")
    x, dy = map(jnp.asarray, rows.operands(row))
    if row.name.startswith("adam"):
        return _adam(x, dy)
    key, bias, y = jax.random.key(0), x[0], jnp.asarray(rows.labels(row), jnp.int32)
    operations: dict[str, Callable[[Any, Any], Any]] = {
        "dropout": lambda x, key: drop(x, 0.5, key),
        "bias_relu": lambda x, key: jax.nn.relu(x + bias),
        "batchnorm": lambda x, key: normalize(x, jnp.ones(x.shape[1]), jnp.zeros(x.shape[1]))[0],
        "cross_entropy": lambda x, key: cross_entropy(x, y),
    }
    operation = operations[row.name]
    gradient = jnp.float32(1) if row.name == "cross_entropy" else dy

    @jax.jit
    def both(x: Any, gradient: Any, key: Any) -> Any:
        y, backward = jax.vjp(lambda x: operation(x, key), x)
        return y, backward(gradient)[0], jax.random.fold_in(key, 1)

    def call() -> Any:
        nonlocal key
        _, dx, key = jax.block_until_ready(both(x, gradient, key))
        return dx

    return Work(call, 1, lambda dx: np.asarray(dx[0]))


def _adam(x: Any, dy: Any) -> Work:
    weights, gradients = list(x), list(dy)
    zeros = partial(jax.tree.map, jnp.zeros_like)
    state = weights, zeros(weights), zeros(weights)
    t = jnp.float32(0)

    @partial(jax.jit, donate_argnums=(0, 2))
    def update(state: Any, gradients: Any, t: Any) -> Any:
        return adam(state[0], gradients, state[1], state[2], t + 1), t + 1

    def call() -> Any:
        nonlocal state, t
        state, t = jax.block_until_ready(update(state, gradients, t))
        return state[0][0]

    return Work(call, 1, lambda p: np.asarray(p[:10]))


def epoch(row: Row, mode: str) -> Work:
    """One scan over arrays shuffled by NumPy."""
    if mode != "scan":
        raise NotOffered("lax.scan is JAX's fastest loop")
    images, labels = rows.mnist()
    x_all, y_all = images.astype(np.float32) / 255, labels.astype(np.int32)
    step, state = step_of(row), first_state(row)
    many = jax.jit(lambda state, xs, ys: jax.lax.scan(lambda s, xy: step(s, *xy), state, (xs, ys)), donate_argnums=0)
    generator = np.random.default_rng(0)

    def shuffled(array: Array, order: Array) -> Any:
        return jnp.asarray(np.take(array, order, axis=0).reshape(row.batches, row.batch, *array.shape[1:]))

    def one_epoch() -> Any:
        nonlocal state
        order = generator.permutation(len(x_all))[: row.batches * row.batch]
        state, losses = many(state, shuffled(x_all, order), shuffled(y_all, order))
        return losses

    return Work(one_epoch, row.batches, lambda losses: np.asarray(losses[-1:]))


BUILD = {"train": train, "infer": infer, "memory": memory, "epoch": epoch}
