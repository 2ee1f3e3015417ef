"""The work in nnative: eager, a recorded step a call, a recorded epoch a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nnative
from harness import rows
from harness.rows import Row
from harness.work import NotOffered, Work, over
from nnative import data, nn, optim


def start(mode: str, threads: int) -> str:
    """Set the threads."""
    nnative.set_num_threads(threads)
    return nnative.__version__


def network(row: Row) -> Any:
    """Return the row's network with its initial weights."""
    layers: list[Any] = []
    for i, (weight, bias) in enumerate(weights := rows.weights(row)):
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.load_state_dict({"weight": weight, "bias": bias})
        layers.append(linear)
        if i < len(weights) - 1:
            if row.batchnorm:
                layers.append(nn.BatchNorm1d(len(bias)))
            layers.append(nn.ReLU())
            if row.dropout:
                layers.append(nn.Dropout(row.dropout))
    return nn.Sequential(*layers)


def compiled(function: Any, mode: str) -> Any:
    """Return the function, recorded unless eager."""
    return function if mode == "eager" else nnative.compile(function)


def values(result: Any) -> rows.Array:
    """Return a result's values."""
    return np.atleast_1d(np.asarray(result))


def step_of(row: Row, mode: str) -> Any:
    """Return a training step."""
    net = network(row)
    optimizer = optim.Adam(net.parameters(), lr=rows.LEARNING_RATE, betas=rows.BETAS, eps=rows.EPS)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return compiled(step, mode)


def train(row: Row, mode: str) -> Work:
    """One step a call, or with `epoch` one step for each minibatch."""
    step = step_of(row, mode)
    if mode == "epoch":
        x, y = rows.data(row)
        return Work(lambda: step.epoch(x, y, batch_size=row.batch, shuffle=False), row.batches, values)
    return Work(over(step, _inputs(row, mode)), 1, values)


def _inputs(row: Row, mode: str) -> list[tuple[Any, ...]]:
    """Return the minibatches: tensors for eager code, arrays for recorded code, which copies its inputs anyway."""
    wrap = nnative.Tensor if mode == "eager" else np.asarray
    return [(wrap(x), y) for x, y in rows.minibatches(row)]


def infer(row: Row, mode: str) -> Work:
    """Logits of one minibatch a call."""
    if mode == "epoch":
        raise NotOffered("one answer a call")
    net = network(row).eval()

    def forward(x: Any) -> Any:
        with nnative.no_grad():
            return net(x)

    function = forward if mode == "eager" else nnative.compile(forward, frozen=True)
    return Work(over(function, [(x,) for x, _ in _inputs(row, mode)]), 1, values)


def memory(row: Row, mode: str) -> Work:
    """One operation, forward and backward."""
    if mode == "epoch":
        raise NotOffered("one operation, not an epoch")
    x_array, dy = rows.operands(row)
    if row.name.startswith("adam"):
        return _adam(x_array, dy, mode)
    y = rows.labels(row)
    bias = nnative.Tensor(x_array[0].copy())
    operations: dict[str, Callable[[Any], Any]] = {
        "dropout": lambda x: nn.functional.dropout(x, 0.5),
        "bias_relu": lambda x: nn.functional.relu(x + bias),
        "cross_entropy": lambda x: nn.functional.cross_entropy(x, y),
        "batchnorm": nn.BatchNorm1d(x_array.shape[1]),
    }
    operation = operations[row.name]
    x = nnative.Tensor(x_array, requires_grad=True)
    gradient = None if row.name == "cross_entropy" else dy

    def both() -> None:
        x.grad = None
        operation(x).backward(gradient)

    return Work(compiled(both, mode), 1, lambda _: values(x.grad)[0])


def _adam(x: rows.Array, dy: rows.Array, mode: str) -> Work:
    parameters = [nn.Parameter(line.copy()) for line in x]
    for parameter, gradient in zip(parameters, dy, strict=True):
        parameter.grad = gradient.copy()
    optimizer = optim.Adam(parameters, lr=rows.LEARNING_RATE, betas=rows.BETAS, eps=rows.EPS)

    def update() -> None:
        optimizer.step()

    return Work(compiled(update, mode), 1, lambda _: values(parameters[0])[:10])


def epoch(row: Row, mode: str) -> Work:
    """One shuffled pass: the DataLoader when eager, else `step.epoch` over the uint8 images."""
    if mode == "step":
        raise NotOffered("step.epoch is the loop for arrays in memory")
    step = step_of(row, mode)
    images, labels = rows.mnist()
    if mode == "epoch":
        return Work(
            lambda: step.epoch(images, labels, batch_size=row.batch, shuffle=True, drop_last=True, scale=1 / 255),
            row.batches,
            lambda losses: values(losses)[-1:],
        )
    x_all = images.astype(np.float32) / 255
    loader = data.DataLoader(data.ArrayDataset(x_all, labels), batch_size=row.batch, shuffle=True, drop_last=True)

    def loaded() -> Any:
        for x, y in loader:
            loss = step(x, y)
        return loss

    return Work(loaded, row.batches, values)


BUILD = {"train": train, "infer": infer, "memory": memory, "epoch": epoch}
