"""The rows of the benchmark tables and their data, the same in every process (seeded NumPy).

Shapes: x (batches·batch, sizes[0]) float32, y (batches·batch,) int64, weights (fan_out, fan_in), biases (fan_out,).
"""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from yardstick import TRIAD, streams

Array = NDArray[Any]
Kind = Literal["train", "infer", "memory", "epoch"]
KINDS: tuple[Kind, ...] = ("train", "infer", "memory", "epoch")

LEARNING_RATE = 1e-3
BETAS = (0.9, 0.999)
EPS = 1e-8


@dataclass(frozen=True)
class Row:
    """One line of a table: a network (or one operation) at one batch size."""

    name: str
    kind: Kind
    sizes: tuple[int, ...]
    batch: int = 1
    batches: int = 1  # distinct minibatches; one `lax.scan` or `step.epoch` call makes this many steps
    batchnorm: bool = False
    dropout: float = 0.0
    loops: tuple[str, ...] = ()  # memory rows: what must be read and written, arrays of the row's size

    @property
    def products(self) -> int:
        """Multiply-adds of one forward pass."""
        return self.batch * sum(a * b for a, b in zip(self.sizes[:-1], self.sizes[1:], strict=True))

    @property
    def flops(self) -> int:
        """Floating-point operations a step's products need; the gradient of the network's input is not needed."""
        if self.kind == "infer":
            return 2 * self.products
        return 6 * self.products - 2 * self.batch * self.sizes[0] * self.sizes[1]

    @property
    def bytes(self) -> int:
        """Bytes a memory-bound row must move."""
        return 4 * streams(self.loops) * self.batch * self.sizes[0]

    @property
    def triad_elements(self) -> int:
        """Elements of each array of the triad beside a memory-bound row: far more than the caches hold."""
        return max(4096 * 1024, self.batch * self.sizes[0])

    @property
    def limit(self) -> int:
        """Operations, or bytes of the triad, that the machine itself is timed with."""
        return 4 * streams(TRIAD) * self.triad_elements if self.kind == "memory" else self.flops

    @property
    def title(self) -> str:
        """The sizes in words: `784-512-512-10, batch 128, BatchNorm, Dropout(0.5)`."""
        if self.kind == "memory":
            return f"{self.batch:,} × {self.sizes[0]:,}"
        parts = ["-".join(map(str, self.sizes)), f"batch {self.batch}"]
        if self.batchnorm:
            parts.append("BatchNorm")
        if self.dropout:
            parts.append(f"Dropout({self.dropout:g})")
        return ", ".join(parts)


MNIST = (784, 512, 512, 10)

ROWS: tuple[Row, ...] = (
    Row("tiny", "train", (10, 32, 10), 32, 1000),
    Row("small", "train", (10, 45, 45, 10), 128, 500),
    Row("rl64", "train", (17, 64, 64, 6), 64, 500),
    Row("rl256", "train", (17, 256, 256, 6), 256, 100),
    Row("mnist128", "train", (784, 128, 10), 64, 128),
    Row("mnist512", "train", MNIST, 128, 32),
    Row("mnist512bn", "train", MNIST, 128, 32, batchnorm=True, dropout=0.5),
    Row("mnist1024do", "train", (784, 1024, 1024, 1024, 10), 128, 16, dropout=0.5),
    Row("big", "train", (2048, 2048, 2048, 2048, 2048), 512, 4),
    Row("infer1", "infer", MNIST, 1, 64),
    Row("infer256", "infer", MNIST, 256, 8),
    # Forward and backward. Dropout computes its mask again, which needs no memory.
    Row("dropout", "memory", (1024,), 4096, loops=("x > y", "dy > dx")),
    Row("bias_relu", "memory", (1024,), 4096, loops=("x > y", "dy, y > dx")),
    # Statistics, results; sums of the gradients, gradients.
    Row("batchnorm", "memory", (1024,), 4096, loops=("x >", "x > y", "dy, x >", "dy, x > dx")),
    Row("cross_entropy", "memory", (1024,), 4096, loops=("x >", "x > dx")),
    Row("adam", "memory", (20_000_000,), 1, loops=("p, g, m, v > p, m, v",)),
    Row("adam_many", "memory", (512,), 400, loops=("p, g, m, v > p, m, v",)),
    Row("mnist_epoch", "epoch", MNIST, 128, 60_000 // 128),
)

ROW = {row.name: row for row in ROWS}


def weights(row: Row) -> list[tuple[Array, Array]]:
    """Return (weight, bias) of each layer, uniform in ±1/√fan_in."""
    generator = np.random.default_rng(1)
    layers = []
    for fan_in, fan_out in zip(row.sizes[:-1], row.sizes[1:], strict=True):
        bound = fan_in**-0.5
        weight = generator.uniform(-bound, bound, (fan_out, fan_in)).astype(np.float32)
        layers.append((weight, generator.uniform(-bound, bound, fan_out).astype(np.float32)))
    return layers


def data(row: Row) -> tuple[Array, Array]:
    """Return inputs and the labels that a random linear teacher gives them."""
    generator = np.random.default_rng(2)
    x = generator.standard_normal((row.batches * row.batch, row.sizes[0]), dtype=np.float32)
    teacher = generator.standard_normal((row.sizes[0], row.sizes[-1]), dtype=np.float32)
    return x, np.argmax(x @ teacher, axis=1).astype(np.int64)


def minibatches(row: Row) -> list[tuple[Array, Array]]:
    """Return the data cut into minibatches, in order, each an array of its own."""
    x, y = data(row)
    cuts = range(0, len(x), row.batch)
    return [(x[i : i + row.batch].copy(), y[i : i + row.batch].copy()) for i in cuts]


def operands(row: Row) -> tuple[Array, Array]:
    """Return two arrays of a memory-bound row's shape: its input and the gradient that comes back."""
    generator = np.random.default_rng(3)
    shape = (row.batch, row.sizes[0])
    x = generator.standard_normal(shape, dtype=np.float32)
    return x, generator.standard_normal(shape, dtype=np.float32)


def labels(row: Row) -> Array:
    """Return a class for each line of a memory-bound row's logits."""
    return np.random.default_rng(4).integers(0, row.sizes[0], row.batch)


def mnist() -> tuple[Array, Array]:
    """Return 60,000 images (60000, 784) uint8 and labels; MNIST itself where `BENCH_MNIST` names its folder."""
    folder = os.environ.get("BENCH_MNIST")
    if folder:
        images = gzip.decompress(Path(folder, "train-images-idx3-ubyte.gz").read_bytes())
        digits = gzip.decompress(Path(folder, "train-labels-idx1-ubyte.gz").read_bytes())
        y = np.frombuffer(digits, np.uint8, offset=8).astype(np.int64)
        return np.frombuffer(images, np.uint8, offset=16).reshape(-1, 784).copy(), y
    generator = np.random.default_rng(5)
    x = generator.integers(0, 256, (60_000, 784), dtype=np.uint8)
    teacher = generator.standard_normal((784, 10), dtype=np.float32)
    return x, np.argmax((x.astype(np.float32) - 127.5) @ teacher, axis=1).astype(np.int64)
