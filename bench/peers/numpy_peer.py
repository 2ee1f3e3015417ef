"""The work in NumPy; in float64 it is the reference that every other peer's values are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness import rows
from harness.rows import Array, Row
from harness.work import NotOffered, Work, over


def start(mode: str, threads: int) -> str:
    """Threads come from the environment that BLAS reads."""
    return np.__version__


class Adam:
    """Adam over a list of arrays, updated in place."""

    def __init__(self, parameters: list[Array]) -> None:
        self.parameters = parameters
        self.m = [np.zeros_like(p) for p in parameters]
        self.v = [np.zeros_like(p) for p in parameters]
        self.t = 0

    def step(self, gradients: list[Array]) -> None:
        """Update every parameter."""
        self.t += 1
        beta1, beta2 = rows.BETAS
        rate = rows.LEARNING_RATE / (1 - beta1**self.t)
        scale = (1 - beta2**self.t) ** -0.5
        for p, g, m, v in zip(self.parameters, gradients, self.m, self.v, strict=True):
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g * g - v)
            p -= rate * m / (np.sqrt(v) * scale + rows.EPS)


def normalize(x: Array) -> tuple[Array, Array]:
    """Return x with zero mean and unit variance in each column, and 1/σ."""
    inverse = 1 / np.sqrt(x.var(axis=0) + 1e-5)
    return (x - x.mean(axis=0)) * inverse, inverse


def normalize_backward(dy: Array, normal: Array, inverse: Array) -> Array:
    """Return dx of `normalize`."""
    return inverse * (dy - dy.mean(axis=0) - normal * (dy * normal).mean(axis=0))


def cross_entropy(logits: Array, y: Array) -> tuple[Array, Array]:
    """Return the mean loss and its gradient."""
    n = np.arange(len(y))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - shifted[n, y]).mean()
    gradient = exponentials / total
    gradient[n, y] -= 1
    return loss, gradient / len(y)


class Network:
    """Linear, optional BatchNorm, ReLU, inverted dropout, …, Linear."""

    def __init__(self, row: Row, dtype: Any, dropout: bool = True) -> None:
        self.layers = [(w.astype(dtype), b.astype(dtype)) for w, b in rows.weights(row)]
        hidden = row.sizes[1:-1] if row.batchnorm else ()
        self.norms = [(np.ones(n, dtype), np.zeros(n, dtype)) for n in hidden]
        self.dropout = row.dropout if dropout else 0.0
        self.generator = np.random.default_rng(0)

    def parameters(self) -> list[Array]:
        """Return every array that Adam updates."""
        return [array for pair in self.layers + self.norms for array in pair]

    def forward(self, x: Array) -> Array:
        """Return the logits; inference only."""
        for weight, bias in self.layers[:-1]:
            x = np.maximum(x @ weight.T + bias, 0)
        return x @ self.layers[-1][0].T + self.layers[-1][1]

    def gradients(self, x: Array, y: Array) -> tuple[Array, list[Array]]:
        """Return the loss and the gradients in the order of `parameters`."""
        inputs, saved = [x], []
        for i, (weight, bias) in enumerate(self.layers[:-1]):
            x = x @ weight.T + bias
            normal = inverse = None
            if self.norms:
                normal, inverse = normalize(x)
                x = normal * self.norms[i][0] + self.norms[i][1]
            mask = (x > 0).astype(x.dtype)
            if self.dropout:
                mask *= (self.generator.random(x.shape, dtype=np.float32) >= self.dropout) / x.dtype.type(
                    1 - self.dropout
                )
            x = x * mask
            inputs.append(x)
            saved.append((mask, normal, inverse))
        loss, dx = cross_entropy(x @ self.layers[-1][0].T + self.layers[-1][1], y)
        linear: list[Array] = []
        norm: list[Array] = []
        for i in reversed(range(len(self.layers))):
            linear = [dx.T @ inputs[i], dx.sum(axis=0), *linear]
            if i == 0:
                break
            mask, normal, inverse = saved[i - 1]
            dx = (dx @ self.layers[i][0]) * mask
            if normal is not None and inverse is not None:
                norm = [(dx * normal).sum(axis=0), dx.sum(axis=0), *norm]
                dx = normalize_backward(dx * self.norms[i - 1][0], normal, inverse)
        return loss, linear + norm


def train(row: Row, mode: str, dropout: bool = True) -> Work:
    """One training step a call."""
    dtype = np.dtype(mode)
    network = Network(row, dtype, dropout)
    optimizer = Adam(network.parameters())

    def step(x: Array, y: Array) -> Array:
        loss, gradients = network.gradients(x, y)
        optimizer.step(gradients)
        return loss

    return Work(over(step, [(x.astype(dtype), y) for x, y in rows.minibatches(row)]))


def infer(row: Row, mode: str) -> Work:
    """Logits of one minibatch a call."""
    dtype = np.dtype(mode)
    network = Network(row, dtype)
    return Work(over(network.forward, [(x.astype(dtype),) for x, _ in rows.minibatches(row)]))


def memory(row: Row, mode: str) -> Work:
    """One operation, forward and backward; NumPy has no threads here, and dropout no reference."""
    x, dy = (array.astype(mode) for array in rows.operands(row))
    if row.name.startswith("adam"):
        optimizer = Adam([line.copy() for line in x])

        def update() -> Array:
            optimizer.step(list(dy))
            return optimizer.parameters[0][:10]

        return Work(update)
    if row.name == "bias_relu":
        bias = x[0].copy()

        def bias_relu() -> Array:
            y = np.maximum(x + bias, 0)
            return (dy * (y > 0))[0]

        return Work(bias_relu)
    if row.name == "batchnorm":
        return Work(lambda: normalize_backward(dy, *normalize(x))[0])
    if row.name == "cross_entropy":
        y = rows.labels(row)
        return Work(lambda: cross_entropy(x, y)[1][0])
    raise NotOffered("no such operation in NumPy")


def epoch(row: Row, mode: str) -> Work:
    """One pass over shuffled images: slices of a shuffled copy."""
    network = Network(row, np.float32)
    optimizer = Adam(network.parameters())
    images, labels = rows.mnist()
    x_all = images.astype(np.float32) / 255
    generator = np.random.default_rng(0)

    def one_epoch() -> Array:
        order = generator.permutation(len(x_all))
        for start in range(0, row.batches * row.batch, row.batch):
            chosen = order[start : start + row.batch]
            loss, gradients = network.gradients(x_all[chosen], labels[chosen])
            optimizer.step(gradients)
        return loss

    return Work(one_epoch, row.batches)


def reference(row: Row, values: int) -> list[float] | None:
    """Return the first values of a row in float64 (without dropout), None where there is no reference."""
    if row.kind == "epoch" or row.name == "dropout":
        return None
    if row.kind == "train":
        work = train(row, "float64", dropout=False)
        return [float(work.call()) for _ in range(min(values, row.batches))]
    work = BUILD[row.kind](row, "float64")
    return [float(value) for value in np.ravel(work.call())[:values]]


BUILD = {"train": train, "infer": infer, "memory": memory, "epoch": epoch}
