"""DataLoader: the minibatches of a data set, each one slice or one gather of whole arrays."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, SupportsIndex

import numpy as np

from nnative import random
from nnative.autograd import Array
from nnative.data.dataset import ArrayDataset
from nnative.tensor import Tensor


class Dataset(Protocol):
    """What a loader needs: a length, and whole batches by a slice or an int64 array of indices."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


class DataLoader:
    """Iterate over minibatches: unshuffled batches are views, shuffled ones are one gather for each array.

    Each iteration over a shuffled loader draws one permutation, so iterating twice shuffles twice. Saving the
    generator's state between epochs and restoring it later gives the batches that would have come.

    Parameters
    ----------
    dataset
        An `ArrayDataset`, a tuple of arrays (batches are tuples), a single array (batches are arrays), or any object
        with ``len(dataset)`` and ``dataset[slice or index array]``.
    batch_size
        Samples in a batch, at least 1.
    shuffle
        Whether to visit the samples in random order.
    drop_last
        Whether to leave out a last batch smaller than ``batch_size``.
    generator
        Where permutations come from; nnative's default generator, which `nnative.manual_seed` seeds, if None.

    Raises
    ------
    ValueError
        For a ``batch_size`` below 1, or arrays that do not fit together.
    TypeError
        For a ``batch_size`` that is not an integer, or a ``dataset`` or ``generator`` of another kind.

    Examples
    --------
    >>> import numpy as np
    >>> from nnative.data import DataLoader
    >>> for x, y in DataLoader((np.arange(5.0), np.arange(5)), batch_size=2):
    ...     print(x, y)
    [0. 1.] [0 1]
    [2. 3.] [2 3]
    [4.] [4]
    """

    def __init__(
        self,
        dataset: Dataset | Array | Tensor | Sequence[Array | Tensor],
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        generator: random.Generator | None = None,
    ) -> None:
        if isinstance(dataset, tuple | list):
            dataset = ArrayDataset(*dataset)
        self._single = isinstance(dataset, np.ndarray | Tensor)
        self.dataset: Dataset = ArrayDataset(dataset) if isinstance(dataset, np.ndarray | Tensor) else dataset
        if not (hasattr(self.dataset, "__len__") and hasattr(self.dataset, "__getitem__")):
            raise TypeError(f"[DataLoader] expected a data set or arrays, got {type(dataset).__name__}")
        if generator is not None and not hasattr(generator, "permutation"):
            raise TypeError(f"[DataLoader] expected an nnative.random.Generator, got {type(generator).__name__}")
        self.batch_size = _positive(batch_size)
        self.shuffle = bool(shuffle)
        self.drop_last = bool(drop_last)
        self.generator = generator

    def __len__(self) -> int:
        samples = len(self.dataset)
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        # Drawn here, not at the first batch, so that two loaders opened together get their permutations in order.
        order = None
        if self.shuffle:
            generator = random.default_generator if self.generator is None else self.generator
            order = generator.permutation(len(self.dataset))
        return self._batches(order)

    def _batches(self, order: Array | None) -> Iterator[Any]:
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            rows = slice(start, start + self.batch_size)
            batch = self.dataset[rows if order is None else order[rows]]
            yield batch[0] if self._single else batch


def _positive(batch_size: SupportsIndex) -> int:
    try:
        size = operator.index(batch_size)
    except TypeError:
        size = None
    if size is None or isinstance(batch_size, bool):
        raise TypeError(f"[DataLoader] expected batch_size to be an integer, got {batch_size!r}")
    if size < 1:
        raise ValueError(f"[DataLoader] expected batch_size of at least 1, got {size}")
    return size
