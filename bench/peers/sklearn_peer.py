"""The work with scikit-learn's MLPClassifier."""

from __future__ import annotations

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from harness import rows
from harness.rows import Array, Row
from harness.work import NotOffered, Work, over


def start(mode: str, threads: int) -> str:
    """Threads come from the environment that BLAS reads."""
    return str(sklearn.__version__)


def classifier(row: Row, x: Array, y: Array) -> MLPClassifier:
    """Return a classifier with the row's initial weights and a fresh optimizer."""
    if row.batchnorm or row.dropout:
        raise NotOffered("no BatchNorm or dropout")
    model = MLPClassifier(row.sizes[1:-1], batch_size=row.batch, learning_rate_init=rows.LEARNING_RATE, alpha=0.0)
    model.partial_fit(x[: row.batch], y[: row.batch], classes=np.arange(row.sizes[-1]))
    for (weight, bias), coefficients, intercepts in zip(
        rows.weights(row), model.coefs_, model.intercepts_, strict=True
    ):
        coefficients[...] = weight.T
        intercepts[...] = bias
    del model._optimizer
    return model


def train(row: Row, mode: str) -> Work:
    """One `partial_fit` of a minibatch a call."""
    batches = rows.minibatches(row)
    model = classifier(row, *batches[0])
    return Work(over(lambda x, y: model.partial_fit(x, y).loss_, batches))


def epoch(row: Row, mode: str) -> Work:
    """One `partial_fit` of everything a call: a shuffled pass in minibatches."""
    images, labels = rows.mnist()
    images, labels = images[: row.batches * row.batch], labels[: row.batches * row.batch]
    x = images.astype(np.float32) / 255
    model = classifier(row, x, labels)
    return Work(lambda: model.partial_fit(x, labels).loss_, row.batches)


BUILD = {"train": train, "epoch": epoch}
