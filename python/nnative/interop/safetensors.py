"""Weights in safetensors files: a state dict, and metadata as one JSON object."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nnative.autograd import Array, TensorBase
from nnative.errors import DataError

_KEY = "nnative"  # safetensors metadata maps strings to strings: ours is one JSON text under this key


def save_file(
    state_dict: Mapping[str, Array | TensorBase],
    path: str | os.PathLike[str],
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a state dict to a safetensors file, completely or not at all.

    Parameters
    ----------
    state_dict
        Arrays or Tensors by name, such as ``model.state_dict()``.
    path
        The file to write or replace.
    metadata
        Anything that JSON can hold, to describe the model; `load_metadata` returns it.

    Raises
    ------
    DataError
        When the file cannot be written.
    TypeError
        When an entry is not an array of numbers, or the metadata does not fit JSON.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from nnative.interop import load_file, load_metadata, save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "model.safetensors")
    ...     save_file({"weight": np.eye(2)}, file, {"layers": [2, 2]})
    ...     load_file(file)["weight"], load_metadata(file)
    (array([[1., 0.],
           [0., 1.]]), {'layers': [2, 2]})
    """
    from safetensors.numpy import save

    arrays = {name: _array(name, value) for name, value in state_dict.items()}
    content = save(arrays, None if metadata is None else {_KEY: json.dumps(metadata)})
    path = Path(path)
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error


def load_file(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read the arrays of a safetensors file, to give to ``model.load_state_dict``.

    Raises
    ------
    DataError
        When the file cannot be read or is not a whole safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = _read(path)
    try:
        return dict(load(content))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{os.fspath(path)}: not a safetensors file: {error}") from error


def load_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the metadata that `save_file` was given; empty if the file has none of nnative's.

    Raises
    ------
    DataError
        When the file cannot be read or its header is broken.
    """
    content = _read(path)
    try:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length].decode())
        metadata = json.loads(header.get("__metadata__", {}).get(_KEY, "{}"))
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{os.fspath(path)}: not a safetensors file: its header is broken") from error
    if not isinstance(metadata, dict):
        raise DataError(f"{os.fspath(path)}: nnative's metadata is not an object")
    return metadata


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{os.fspath(path)}: cannot be read: {error.strerror or error}") from error


def _array(name: str, value: Array | TensorBase) -> Array:
    array = value.data if isinstance(value, TensorBase) else value
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        got = f"dtype {array.dtype}" if isinstance(array, np.ndarray) else type(value).__name__
        raise TypeError(f"[save_file] {name}: expected an array of numbers, got {got}")
    return np.ascontiguousarray(array)
