"""The work in PyTorch: eager, torch.compile of the model, torch.compile of the whole step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from harness import rows
from harness.rows import Row
from harness.work import NotOffered, Work, over

Step = Callable[[Tensor, Tensor], Tensor]


def start(mode: str, threads: int) -> str:
    """Set the threads."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    return str(torch.__version__)


def compiled(function: Any, **options: Any) -> Any:
    """Return the function compiled for its exact shapes; what earlier rows left behind would make it take any shape."""
    torch.compiler.reset()
    return torch.compile(function, dynamic=False, **options)


def network(row: Row) -> nn.Sequential:
    """Return the row's network with its initial weights."""
    layers: list[nn.Module] = []
    for i, (weight, bias) in enumerate(weights := rows.weights(row)):
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
        layers.append(linear)
        if i < len(weights) - 1:
            if row.batchnorm:
                layers.append(nn.BatchNorm1d(len(bias)))
            layers.append(nn.ReLU())
            if row.dropout:
                layers.append(nn.Dropout(row.dropout))
    return nn.Sequential(*layers)


def step_of(row: Row, mode: str) -> Step:
    """Return a training step: eager, with a compiled model, or compiled whole."""
    if mode == "step":
        return whole_step(row)
    net = network(row)
    model: Any = compiled(net) if mode == "model" else net
    optimizer = torch.optim.Adam(net.parameters(), lr=rows.LEARNING_RATE, betas=rows.BETAS, eps=rows.EPS, fused=True)

    def step(x: Tensor, y: Tensor) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def whole_step(row: Row) -> Step:
    """Return forward, backward and Adam compiled as one graph (`loss.backward()` would break it in three)."""
    net = network(row)
    for module in net:
        if isinstance(module, nn.BatchNorm1d):
            module.num_batches_tracked = None  # a counter that nothing reads, and that grad does not allow to change
    names = [name for name, _ in net.named_parameters()]
    parameters = [p.detach().clone() for p in net.parameters()]
    buffers = {name: buffer for name, buffer in net.named_buffers() if "running" in name}
    m, v = [torch.zeros_like(p) for p in parameters], [torch.zeros_like(p) for p in parameters]
    t = torch.zeros(())

    def loss_of(parameters: list[Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        running = {name: buffer.clone() for name, buffer in buffers.items()}
        logits = torch.func.functional_call(net, {**dict(zip(names, parameters, strict=True)), **running}, (x,))
        return functional.cross_entropy(logits, y), running

    @torch.no_grad()
    def step(x: Tensor, y: Tensor) -> Tensor:
        gradients, (loss, running) = torch.func.grad_and_value(loss_of, has_aux=True)(parameters, x, y)
        for name, buffer in buffers.items():
            buffer.copy_(running[name])
        beta1, beta2 = rows.BETAS
        t.add_(1)
        rate, scale = rows.LEARNING_RATE / (1 - beta1**t), (1 - beta2**t).rsqrt()
        for p, g, mean, square in zip(parameters, gradients, m, v, strict=True):
            mean.lerp_(g, 1 - beta1)
            square.lerp_(g * g, 1 - beta2)
            p.sub_(rate * mean / (square.sqrt() * scale + rows.EPS))
        return loss

    return compiled(step, fullgraph=True)


def train(row: Row, mode: str) -> Work:
    """One step a call."""
    if mode == "slices":
        raise NotOffered("the same as eager")
    batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in rows.minibatches(row)]
    return Work(over(step_of(row, mode), batches), 1, lambda loss: np.atleast_1d(loss.numpy()))


def infer(row: Row, mode: str) -> Work:
    """Logits of one minibatch a call; compiled with freezing."""
    if mode not in ("eager", "model"):
        raise NotOffered("the same as torch.compile of the model")
    net: Any = network(row).eval()
    if mode == "model":
        net = compiled(net, options={"freezing": True})

    @torch.inference_mode()
    def forward(x: Tensor) -> Tensor:
        return net(x)

    with torch.no_grad():
        batches = [(torch.from_numpy(x),) for x, _ in rows.minibatches(row)]
        return Work(over(forward, batches), 1, lambda y: y.numpy())


def memory(row: Row, mode: str) -> Work:
    """One operation, forward and backward."""
    if mode not in ("eager", "model"):
        raise NotOffered("one operation, not a step")
    x, dy = map(torch.from_numpy, rows.operands(row))
    if row.name.startswith("adam"):
        if mode == "model":
            raise NotOffered("fused Adam is the fastest")
        return _adam(x, dy)
    bias, y, norm = x[0].clone(), torch.from_numpy(rows.labels(row)), nn.BatchNorm1d(x.shape[1])
    operations: dict[str, Callable[[Tensor], Tensor]] = {
        "dropout": lambda x: functional.dropout(x, 0.5),
        "bias_relu": lambda x: functional.relu(x + bias),
        "batchnorm": norm,
        "cross_entropy": lambda x: functional.cross_entropy(x, y),
    }
    operation: Any = operations[row.name]
    if mode == "model":
        operation = compiled(operation)
    gradient = None if row.name == "cross_entropy" else dy
    x.requires_grad_()

    def call() -> Tensor:
        x.grad = None
        operation(x).backward(gradient)
        assert x.grad is not None
        return x.grad

    return Work(call, 1, lambda dx: dx[0].numpy())


def _adam(x: Tensor, dy: Tensor) -> Work:
    parameters = [nn.Parameter(line.clone()) for line in x]
    for parameter, gradient in zip(parameters, dy, strict=True):
        parameter.grad = gradient.clone()
    optimizer = torch.optim.Adam(parameters, lr=rows.LEARNING_RATE, betas=rows.BETAS, eps=rows.EPS, fused=True)
    return Work(optimizer.step, 1, lambda _: parameters[0].detach()[:10].numpy())


def epoch(row: Row, mode: str) -> Work:
    """One shuffled pass: the DataLoader when eager, else slices of a shuffled tensor."""
    images, labels = rows.mnist()
    x_all, y_all = torch.from_numpy(images.astype(np.float32) / 255), torch.from_numpy(labels)
    if mode == "model":
        raise NotOffered("torch.compile of the whole step is faster")
    step = step_of(row, mode)
    loader = DataLoader(TensorDataset(x_all, y_all), row.batch, shuffle=True, drop_last=True)

    def loaded() -> Tensor:
        for x, y in loader:
            loss = step(x, y)
        return loss

    def sliced() -> Tensor:
        order = torch.randperm(len(x_all))[: row.batches * row.batch]
        for x, y in zip(x_all[order].split(row.batch), y_all[order].split(row.batch), strict=True):
            loss = step(x, y)
        return loss

    return Work(loaded if mode == "eager" else sliced, row.batches, lambda loss: np.atleast_1d(loss.numpy()))


BUILD = {"train": train, "infer": infer, "memory": memory, "epoch": epoch}
