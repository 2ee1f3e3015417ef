"""``nnative predict``: the class of each row of a file, and its probability, as CSV."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from nnative.autograd import Array
from nnative.data.idx import parse_idx, read_unpacked
from nnative.errors import DataError
from nnative.grad_mode import no_grad
from nnative.nn import functional as F
from nnative.tensor import Tensor
from nnative.train.mlp import MlpSpec, load_mlp

_BATCH = 1000


def run(args: argparse.Namespace) -> int:
    """Read, predict, write."""
    model, spec = load_mlp(args.model)
    rows = _rows(args.file, spec.sizes[0])
    lines = _predictions(model, spec, rows)
    if args.out is None:
        _write(sys.stdout, lines)
        return 0
    try:
        with open(args.out, "w", encoding="utf-8", newline="") as file:
            _write(file, lines)
    except OSError as error:
        raise DataError(f"--out {args.out}: cannot be written: {error.strerror or error}") from error
    return 0


def _write(file: TextIO, lines: Iterable[tuple[str, str]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("class", "probability"))
    writer.writerows(lines)


def _predictions(model: Any, spec: MlpSpec, rows: Array) -> Iterator[tuple[str, str]]:
    for start in range(0, len(rows), _BATCH):
        with no_grad():
            logits = model(Tensor(spec.prepare(rows[start : start + _BATCH])))
            probabilities = F.softmax(logits, dim=1).data
        for best, row in zip(probabilities.argmax(axis=1), probabilities, strict=True):
            yield spec.classes[best], f"{row[best]:.4f}"


def _rows(path: str, features: int) -> Array:
    """Return the rows of a file, (N, features), or say what is wrong with it."""
    array = _read(path)
    if array.dtype.kind not in "uif":
        raise DataError(f"{path}: expected real numbers, got {array.dtype}")
    if array.ndim == 1:
        array = array.reshape(1, -1)
    found = int(np.prod(array.shape[1:]))
    if array.ndim == 0 or found != features:
        raise DataError(f"{path}: expected rows of {features} numbers, got shape {array.shape}")
    rows = array.reshape(len(array), features)
    if rows.dtype.kind == "f" and not (finite := np.isfinite(rows).all(axis=1)).all():
        raise DataError(f"{path}: row {int(np.argmin(finite)) + 1} has a number that is NaN or infinite")
    return rows


def _read(path: str) -> Array:
    ending = Path(path).suffix.lower()
    if ending == ".npy":
        return _read_npy(path)
    if ending == ".csv":
        return _read_csv(path)
    return parse_idx(read_unpacked(path), path)


def _read_npy(path: str) -> Array:
    try:
        return np.asarray(np.lib.format.open_memmap(path, mode="r"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise DataError(f"{path}: not an .npy file of numbers: {error}") from error


def _read_csv(path: str) -> Array:
    """Read numbers separated by commas; a first line that is not numbers is taken for names."""
    try:
        lines = [line for line in Path(path).read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file") from error
    if lines and not _numeric(lines[0]):
        lines = lines[1:]
    if not lines:
        raise DataError(f"{path}: no rows of numbers")
    try:
        return np.loadtxt(lines, delimiter=",", ndmin=2, comments=None)
    except ValueError as error:
        raise DataError(f"{path}: not a table of numbers: {error}") from error


def _numeric(line: str) -> bool:
    try:
        [float(cell) for cell in line.split(",")]
    except ValueError:
        return False
    return True
