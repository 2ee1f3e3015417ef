"""The loss family in NumPy: losses of rows by class indices, and of pairs of elements."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nnative.autograd import Array
from nnative.reference.activation import log_softmax_forward


def _row_weights(target: Array, weight: Array | None, ignore_index: int, dtype: Any) -> tuple[Array, Array]:
    """Return the class of each row, 0 for ignored ones, and what each row counts."""
    counts = target != ignore_index
    label = np.where(counts, target, 0)
    return label, np.asarray(counts if weight is None else counts * weight[label], dtype)


def _soft_target(
    target: Array, classes: int, weight: Array | None, ignore_index: int, label_smoothing: float, dtype: Any
) -> Array:
    """Return (N, C): how much each class counts in the loss of each row."""
    label, counts = _row_weights(target, weight, ignore_index, dtype)
    hard = counts[:, None] * np.eye(classes, dtype=dtype)[label]
    smooth = (target != ignore_index)[:, None] * (np.ones(classes, dtype) if weight is None else weight) / classes
    return np.asarray((1 - label_smoothing) * hard + label_smoothing * smooth, dtype)


def _scale(target: Array, mean: bool, weight: Array | None, ignore_index: int, dtype: Any) -> Array:
    total = _row_weights(target, weight, ignore_index, dtype)[1].sum()
    return np.asarray(1 / total if mean else 1, dtype)


def cross_entropy_forward(
    logits: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Array:
    """Return −Σ_c soft target_c · log softmax(logits)_c of each row, (N,)."""
    log_probability = log_softmax_forward(logits)
    soft = _soft_target(target, logits.shape[1], weight, ignore_index, label_smoothing, logits.dtype)
    return np.asarray(-np.where(soft == 0, 0, soft * log_probability).sum(axis=1))


def cross_entropy_sum(
    logits: Array,
    target: Array,
    mean: bool,
    weight: Array | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Array:
    """Return the sum of the rows' losses, for a mean divided by the sum of their weights."""
    loss = cross_entropy_forward(logits, target, weight, ignore_index, label_smoothing)
    return np.asarray(_scale(target, mean, weight, ignore_index, logits.dtype) * loss.sum())


def cross_entropy_backward(
    dloss: Array,
    logits: Array,
    target: Array,
    mean: bool,
    weight: Array | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Array:
    """Return dloss·(softmax(logits)·Σ soft target − soft target), over the weights for a mean; dloss is (N,) or ()."""
    probability = np.exp(log_softmax_forward(logits))
    soft = _soft_target(target, logits.shape[1], weight, ignore_index, label_smoothing, logits.dtype)
    factor = dloss * _scale(target, mean, weight, ignore_index, logits.dtype)
    return np.asarray(factor[..., None] * (probability * soft.sum(axis=1, keepdims=True) - soft))


def nll_forward(x: Array, target: Array, weight: Array | None = None, ignore_index: int = -100) -> Array:
    """Return −w_t · x[t] of each row, (N,)."""
    soft = _soft_target(target, x.shape[1], weight, ignore_index, 0.0, x.dtype)
    return np.asarray(-np.where(soft == 0, 0, soft * x).sum(axis=1))


def nll_sum(
    x: Array,
    target: Array,
    mean: bool,
    weight: Array | None = None,
    ignore_index: int = -100,
) -> Array:
    """Return the sum of the rows' losses, for a mean divided by the sum of their weights."""
    scale = _scale(target, mean, weight, ignore_index, x.dtype)
    return np.asarray(scale * nll_forward(x, target, weight, ignore_index).sum())


def nll_backward(
    dloss: Array,
    target: Array,
    classes: int,
    mean: bool,
    weight: Array | None = None,
    ignore_index: int = -100,
) -> Array:
    """Return −dloss·w_t at the class of each row, 0 elsewhere, (N, C)."""
    factor = dloss * _scale(target, mean, weight, ignore_index, dloss.dtype)
    return np.asarray(-factor[..., None] * _soft_target(target, classes, weight, ignore_index, 0.0, dloss.dtype))


def check_labels(bad: Array, target: Array, classes: int, ignore_index: int = -100) -> None:
    """Set bad to the number plus one and the class of the first row that is no class and not ignored."""
    wrong = np.flatnonzero(((target < 0) | (target >= classes)) & (target != ignore_index))
    if len(wrong):
        bad[:] = wrong[0] + 1, target[wrong[0]]


def multilabel_margin_forward(x: Array, target: Array) -> Array:
    """Return Σ over the row's classes t and the other classes i of max(0, 1 − x[t] + x[i]) / C, (N,)."""
    loss = np.zeros(len(x), x.dtype)
    for n, (row, labels) in enumerate(zip(x, target, strict=True)):
        own, others = _split(labels)
        loss[n] = np.maximum(1 - row[own][:, None] + row[others], 0).sum() / len(row)
    return loss


def multilabel_margin_backward(dloss: Array, x: Array, target: Array) -> Array:
    """Return its gradient, (N, C)."""
    dx = np.zeros_like(x)
    for n, (row, labels) in enumerate(zip(x, target, strict=True)):
        own, others = _split(labels)
        active = 1 - row[own][:, None] + row[others] > 0
        np.add.at(dx[n], own, -active.sum(axis=1) * dloss[n] / len(row))
        dx[n, others] += active.sum(axis=0) * dloss[n] / len(row)
    return dx


def _split(labels: Array) -> tuple[Array, Array]:
    """Return the classes before the first −1, and those that are not among them."""
    end = np.append(labels, -1).tolist().index(-1)
    return labels[:end], np.setdiff1d(np.arange(len(labels)), labels[:end])


class Elementwise(NamedTuple):
    """A loss of pairs of elements: its value at (x, target) and its derivatives by each."""

    value: Callable[..., Any]
    by_x: Callable[..., Any]
    by_target: Callable[..., Any]
    scalars: tuple[float, ...] = ()  # of the example
    example: str = "normal, normal"  # what x and target are in the example


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _bounded_log(x: Array) -> Array:
    return np.maximum(np.log(x), -100)


def _stirling(t: Array) -> Array:
    return np.where(t > 1, t * np.log(t) - t + np.log(2 * math.pi * t) / 2, 0)


def _stirling_slope(t: Array) -> Array:
    return np.where(t > 1, np.log(t) + 0.5 / t, 0)


ELEMENTWISE = {
    "squared_error": Elementwise(lambda x, t: (x - t) ** 2, lambda x, t: 2 * (x - t), lambda x, t: 2 * (t - x)),
    "absolute_error": Elementwise(lambda x, t: np.abs(x - t), lambda x, t: np.sign(x - t), lambda x, t: np.sign(t - x)),
    "smooth_l1": Elementwise(
        lambda x, t, beta: np.where(np.abs(x - t) < beta, (x - t) ** 2 / (2 * beta), np.abs(x - t) - beta / 2),
        lambda x, t, beta: np.clip((x - t) / beta, -1, 1),
        lambda x, t, beta: np.clip((t - x) / beta, -1, 1),
        (0.75,),
    ),
    "huber": Elementwise(
        lambda x, t, d: np.where(np.abs(x - t) <= d, (x - t) ** 2 / 2, d * (np.abs(x - t) - d / 2)),
        lambda x, t, d: np.clip(x - t, -d, d),
        lambda x, t, d: np.clip(t - x, -d, d),
        (0.75,),
    ),
    "hinge_embedding": Elementwise(
        lambda x, t, margin: np.where(t == 1, x, np.maximum(margin - x, 0)),
        lambda x, t, margin: np.where(t == 1, 1, np.where(x <= margin, -1, 0)),
        lambda x, t, margin: 0 * x,
        (0.5,),
        "normal, sign",
    ),
    "cosine_embedding": Elementwise(
        lambda x, t, margin: np.where(t == 1, 1 - x, np.maximum(x - margin, 0)),
        lambda x, t, margin: np.where(t == 1, -1, np.where(x >= margin, 1, 0)),
        lambda x, t, margin: 0 * x,
        (0.25,),
        "normal, sign",
    ),
    "soft_margin": Elementwise(
        lambda x, t: _softplus(-t * x),
        lambda x, t: -t * _sigmoid(-t * x),
        lambda x, t: -x * _sigmoid(-t * x),
        (),
        "normal, sign",
    ),
    "binary_cross_entropy": Elementwise(
        lambda x, t: -t * _bounded_log(x) - (1 - t) * _bounded_log(1 - x),
        lambda x, t: (x - t) / np.maximum(x * (1 - x), 1e-12),
        lambda x, t: _bounded_log(1 - x) - _bounded_log(x),
        (),
        "probability, probability",
    ),
    "binary_cross_entropy_logits": Elementwise(
        lambda x, t: _softplus(x) - x * t, lambda x, t: _sigmoid(x) - t, lambda x, t: -x, (), "normal, probability"
    ),
    "kl_div": Elementwise(
        lambda x, t: t * (np.log(t) - x), lambda x, t: -t, lambda x, t: np.log(t) + 1 - x, (), "normal, probability"
    ),
    "kl_div_log": Elementwise(
        lambda x, t: np.exp(t) * (t - x), lambda x, t: -np.exp(t), lambda x, t: np.exp(t) * (t - x + 1)
    ),
    "poisson_nll": Elementwise(
        lambda x, t, full, eps: x - t * np.log(x + eps) + full * _stirling(t),
        lambda x, t, full, eps: 1 - t / (x + eps),
        lambda x, t, full, eps: full * _stirling_slope(t) - np.log(x + eps),
        (1.0, 1e-3),
        "positive, positive",
    ),
    "poisson_nll_log": Elementwise(
        lambda x, t, full: np.exp(x) - t * x + full * _stirling(t),
        lambda x, t, full: np.exp(x) - t,
        lambda x, t, full: full * _stirling_slope(t) - x,
        (1.0,),
        "normal, positive",
    ),
}

_MAKE: dict[str, Callable[..., Array]] = {
    "normal": lambda make, *shape: make(*shape),
    "positive": lambda make, *shape: make.positive(*shape),
    "probability": lambda make, *shape: make.positive(*shape) / make.dtype.type(4.1),
    "sign": lambda make, *shape: np.sign(make(*shape)),
}


def _functions(loss: Elementwise) -> dict[str, Callable[..., Array]]:
    """Return the references of a loss's four kernels by what follows its name."""

    def forward(x: Array, target: Array, *scalars: float) -> Array:
        return np.asarray(loss.value(x, target, *scalars), x.dtype)

    def total(x: Array, target: Array, scale: float, *scalars: float) -> Array:
        return np.asarray(scale * forward(x, target, *scalars).sum(), x.dtype)

    def backward(dloss: Array, x: Array, target: Array, scale: float, *scalars: float) -> Array:
        return np.asarray(dloss * scale * loss.by_x(x, target, *scalars), x.dtype)

    def backward_target(dloss: Array, x: Array, target: Array, scale: float, *scalars: float) -> Array:
        return np.asarray(dloss * scale * loss.by_target(x, target, *scalars), x.dtype)

    return {"forward": forward, "sum": total, "backward": backward, "backward_target": backward_target}


def _arguments(name: str, kind: str, make: Any, n: int) -> tuple[Any, ...]:
    """Return example arguments of one of them."""
    loss = ELEMENTWISE[name]
    shape = (n, 7) if kind == "sum" else (n,)
    x, target = (_MAKE[e](make, *shape) for e in loss.example.split(", "))
    scale = () if kind == "forward" else (0.125,)
    gradient = () if kind in ("forward", "sum") else (make(n) if n % 2 else make(),)
    return (*gradient, x, target, *scale, *loss.scalars)


def _labels(make: Any, classes: int, n: int) -> Array:
    """Return class indices, now and then −100, which is ignored."""
    return np.where(make.rng.uniform(size=n) < 0.2, -100, make.labels(classes, n))


EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "cross_entropy_forward": lambda make, n: (4 * make(n, 10), _labels(make, 10, n)),
    "cross_entropy_sum": lambda make, n: (
        *(4 * make(5, n + 1), make.labels(n + 1, 5), True),
        *((make.positive(n + 1), 1, 0.25) if n % 2 else ()),
    ),
    "cross_entropy_backward": lambda make, n: (
        *(make(n), 4 * make(n, 10), _labels(make, 10, n), n % 3 == 0),
        *((make.positive(10), -100, 0.25) if n % 2 else ()),
    ),
    "nll_forward": lambda make, n: (-make.positive(n, 10), _labels(make, 10, n), make.positive(10)),
    "nll_sum": lambda make, n: (-make.positive(n + 1, 10), make.labels(10, n + 1), n % 2 == 1, make.positive(10)),
    "nll_backward": lambda make, n: (make(n), make.labels(10, n), 10, n % 2 == 1, make.positive(10)),
    "check_labels": lambda make, n: (np.zeros(2, np.int64), _labels(make, 11, n), 10, -100),
    "multilabel_margin_forward": lambda make, n: (make(5, n + 1), make.labels(n + 2, 5, n + 1) - 1),
    "multilabel_margin_backward": lambda make, n: (make(5), make(5, n + 1), make.labels(n + 2, 5, n + 1) - 1),
}
for _name, _loss in ELEMENTWISE.items():
    for _kind, _function in _functions(_loss).items():
        globals()[f"{_name}_{_kind}"] = _function
        EXAMPLES[f"{_name}_{_kind}"] = lambda make, n, name=_name, kind=_kind: _arguments(name, kind, make, n)
