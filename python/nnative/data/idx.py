"""The IDX format of the MNIST files: a typed array with its shape, big-endian, often gzipped.

Layout: two zero bytes, a type code, the number of dimensions D, then D sizes as 32-bit integers, then the values.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

from nnative.autograd import Array
from nnative.errors import DataError

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_MAX_DIMENSIONS = 32


def read_idx(path: str | os.PathLike[str]) -> Array:
    """Read an IDX file, plain or gzipped (told by its content, not its name).

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    ndarray
        Of the file's shape, C-contiguous, writable, in native byte order: uint8, int8, int16, int32, float32 or
        float64.

    Raises
    ------
    DataError
        (a ValueError) When the file cannot be read, is not IDX, or is shorter or longer than its header says.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from nnative.data import read_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "labels.idx")
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     read_idx(file)
    array([7, 2, 1], dtype=uint8)
    """
    return parse_idx(read_unpacked(path), path)


def read_unpacked(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file, unpacked if it is gzip."""
    try:
        content = Path(path).read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP) else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{os.fspath(path)}: broken gzip data: {error}") from error
    except OSError as error:
        raise DataError(f"{os.fspath(path)}: cannot be read: {error.strerror or error}") from error


def parse_idx(content: bytes, path: str | os.PathLike[str]) -> Array:
    """Return the array in the unpacked content of an IDX file; ``path`` is for the errors."""
    name = os.fspath(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _DTYPES:
        raise DataError(f"{name}: not an IDX file: it begins with {content[:4].hex(' ') or 'nothing'}")
    dimensions = content[3]
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        raise DataError(f"{name}: not an IDX file: {dimensions} dimensions, expected 1 to {_MAX_DIMENSIONS}")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise DataError(f"{name}: truncated: {len(content)} bytes do not hold the header of {start}")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", dimensions, offset=4))
    dtype = np.dtype(_DTYPES[content[2]])
    expected, found = math.prod(shape) * dtype.itemsize, len(content) - start
    if found != expected:
        what = "truncated" if found < expected else "too long"
        raise DataError(f"{name}: {what}: {dtype.name} of shape {shape} takes {expected} bytes, found {found}")
    values = np.frombuffer(content, dtype, offset=start)
    return values.astype(dtype.newbyteorder("=")).reshape(shape)
