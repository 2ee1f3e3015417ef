"""The training loop of a classifier, and its evaluation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sized
from typing import Any

import numpy as np

from nnative.autograd import Array
from nnative.data import DataLoader
from nnative.grad_mode import no_grad
from nnative.tensor import Tensor
from nnative.train.history import Epoch, History

Prepare = Callable[[Any], Array]


class DivergedError(ArithmeticError):
    """The loss became NaN or infinite."""


class _Mean:
    """Loss and accuracy over the samples seen so far."""

    def __init__(self) -> None:
        self.loss = self.hits = 0.0
        self.samples = 0

    def add(self, loss: float, logits: Array, labels: Array) -> None:
        self.loss += loss * len(labels)
        self.hits += np.count_nonzero(logits.argmax(axis=1) == labels)
        self.samples += len(labels)

    def result(self) -> tuple[float, float]:
        return self.loss / self.samples, self.hits / self.samples


def fit(
    model: Any,
    optimizer: Any,
    loss: Any,
    loader: DataLoader,
    *,
    epochs: int,
    test_loader: DataLoader | None = None,
    prepare: Prepare | None = None,
    lr_decay: bool = False,
    progress: bool = True,
) -> History:
    """Train a classifier and return what each epoch gave.

    Parameters
    ----------
    model, optimizer, loss
        A module from (N, …) to logits (N, C), the optimizer of its parameters, and a loss of logits and class indices.
    loader
        Batches ``(inputs, labels)``.
    epochs
        Passes over the loader.
    test_loader
        Batches to evaluate the model on after each epoch.
    prepare
        Applied to the inputs of each batch, for instance to scale uint8 images to float32.
    lr_decay
        Whether each group's learning rate falls linearly from its value at the start to zero at the end.
    progress
        Whether to show a progress bar on the standard error.

    Returns
    -------
    History
        An `Epoch` for each pass.

    Raises
    ------
    ValueError
        When the loader has no batches.
    DivergedError
        (an ArithmeticError) When the loss of a batch is NaN or infinite.
    """
    steps = epochs * _batches(loader, "fit")
    start_lrs = [group["lr"] for group in optimizer.param_groups]
    history = History()
    with _bar(steps, progress) as bar:
        model.train()
        for epoch in range(1, epochs + 1):
            began, mean = time.perf_counter(), _Mean()
            for batch, (x, y) in enumerate(loader, 1):
                if lr_decay:
                    done = ((epoch - 1) * len(loader) + batch - 1) / steps
                    for group, lr in zip(optimizer.param_groups, start_lrs, strict=True):
                        group["lr"] = lr * (1.0 - done)
                logits = model(_input(x, prepare))
                batch_loss = loss(logits, y)
                value = float(batch_loss.data)
                if not math.isfinite(value):
                    raise DivergedError(
                        f"[fit] the loss became {value} in epoch {epoch}, batch {batch}: "
                        "try a smaller learning rate, and look for NaN in the inputs"
                    )
                optimizer.zero_grad()
                batch_loss.backward()
                optimizer.step()
                mean.add(value, logits.data, np.asarray(y))
                bar.set_postfix_str(_figures(epoch, epochs, mean, history), refresh=False)
                bar.update()
            train_loss, train_accuracy = mean.result()
            test_loss = test_accuracy = None
            if test_loader is not None:
                test_loss, test_accuracy = evaluate(model, loss, test_loader, prepare=prepare)
            seconds = time.perf_counter() - began
            history.epochs.append(Epoch(epoch, train_loss, train_accuracy, test_loss, test_accuracy, seconds))
            bar.set_postfix_str(_figures(epoch, epochs, mean, history))
    return history


def evaluate(model: Any, loss: Any, loader: DataLoader, *, prepare: Prepare | None = None) -> tuple[float, float]:
    """Return mean loss and accuracy over a loader, with the model in evaluation mode and the tape off."""
    _batches(loader, "evaluate")
    training, mean = model.training, _Mean()
    model.eval()
    try:
        with no_grad():
            for x, y in loader:
                logits = model(_input(x, prepare))
                mean.add(float(loss(logits, y).data), logits.data, np.asarray(y))
    finally:
        model.train(training)
    return mean.result()


def _input(x: Any, prepare: Prepare | None) -> Tensor:
    x = x if prepare is None else prepare(x)
    return x if isinstance(x, Tensor) else Tensor(x)


def _batches(loader: Sized, operation: str) -> int:
    if len(loader) == 0:
        raise ValueError(f"[{operation}] expected a loader with batches, got an empty one")
    return len(loader)


def _bar(steps: int, progress: bool) -> Any:
    from tqdm import tqdm

    return tqdm(total=steps, unit="batch", disable=not progress, dynamic_ncols=True)


def _figures(epoch: int, epochs: int, mean: _Mean, history: History) -> str:
    loss, accuracy = mean.result()
    text = f"epoch {epoch}/{epochs} loss {loss:.4f} accuracy {accuracy:.4f}"
    tested = history.epochs[-1].test_accuracy if history.epochs else None
    return text if tested is None else f"{text} test {tested:.4f}"
