"""What a training run reports: one row of figures an epoch."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nnative.errors import DataError


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch; those of the training set are means over its batches, while the weights moved."""

    epoch: int  # from 1
    train_loss: float
    train_accuracy: float
    test_loss: float | None
    test_accuracy: float | None
    seconds: float


@dataclass
class History:
    """The epochs of a training run, in order.

    Examples
    --------
    >>> from nnative.train import Epoch, History
    >>> history = History([Epoch(1, 0.9, 0.7, 0.8, 0.75, 0.1), Epoch(2, 0.5, 0.8, 0.6, 0.85, 0.1)])
    >>> history.column("test_accuracy")
    [0.75, 0.85]
    """

    epochs: list[Epoch] = field(default_factory=list)

    def column(self, name: str) -> list[float | None]:
        """Return one figure of every epoch."""
        return [getattr(epoch, name) for epoch in self.epochs]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the epochs as a JSON list of objects; DataError when that fails."""
        try:
            Path(path).write_text(json.dumps([asdict(epoch) for epoch in self.epochs], indent=1) + "\n")
        except OSError as error:
            raise DataError(f"{os.fspath(path)}: cannot be written: {error.strerror or error}") from error
