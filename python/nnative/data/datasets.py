"""The data sets of the examples: MNIST from a folder, and the digits that scikit-learn carries."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnative.autograd import Array
from nnative.data.idx import parse_idx, read_unpacked
from nnative.errors import DataError, optional


class Mnist(NamedTuple):
    """Images (N, 28, 28) as uint8, labels (N,) as int64."""

    train_images: Array
    train_labels: Array
    test_images: Array
    test_labels: Array


class Digits(NamedTuple):
    """Images (1797, 8, 8) as uint8 with values 0 to 16, labels (1797,) as int64."""

    images: Array
    labels: Array


_MNIST_MD5 = {  # of the unpacked files
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
_MNIST_SOURCE = "https://ossci-datasets.s3.amazonaws.com/mnist/"


def mnist(folder: str | os.PathLike[str] | None = None) -> Mnist:
    """Read MNIST, 60,000 training and 10,000 test images of handwritten digits, from its four original files.

    The files may be gzipped or not and may be spelled ``train-images-idx3-ubyte`` or ``train-images.idx3-ubyte``. Their
    content is compared with the published MD5 sums.

    Parameters
    ----------
    folder
        Where the files are, directly or in a subfolder ``mnist``; the environment variable ``NNATIVE_DATA`` if None.

    Returns
    -------
    Mnist
        The named tuple ``(train_images, train_labels, test_images, test_labels)``: uint8 of shape (N, 28, 28), int64 of
        shape (N,).

    Raises
    ------
    DataError
        When a file is missing (the message says where to get it), cannot be read, or has another content.

    Examples
    --------
    >>> from nnative.data import mnist
    >>> data = mnist("data")  # doctest: +SKIP
    >>> data.train_images.shape  # doctest: +SKIP
    (60000, 28, 28)
    """
    folder = os.environ.get("NNATIVE_DATA") if folder is None else folder
    if not folder:
        raise DataError("[mnist] no folder given: name the folder of the files, or set NNATIVE_DATA to it")
    arrays = [
        _read_checked(path, md5) for path, md5 in zip(_find_mnist(Path(folder)), _MNIST_MD5.values(), strict=True)
    ]
    return Mnist(arrays[0], arrays[1].astype(np.int64), arrays[2], arrays[3].astype(np.int64))


def _find_mnist(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"[mnist] {folder}: no such folder")
    found: list[Path] = []
    missing: list[str] = []
    for name in _MNIST_MD5:
        spellings = [name, name + ".gz", name.replace("-idx", ".idx"), name.replace("-idx", ".idx") + ".gz"]
        paths = [path for place in (folder, folder / "mnist") for s in spellings if (path := place / s).is_file()]
        found += paths[:1]
        missing += [] if paths else [name]
    if missing:
        raise DataError(
            f"[mnist] {folder}: missing {', '.join(missing)} (or .gz), here and in the subfolder mnist; "
            f"the four files are at {_MNIST_SOURCE}"
        )
    return found


def _read_checked(path: Path, md5: str) -> Array:
    content = read_unpacked(path)
    array = parse_idx(content, path)
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise DataError(f"{path}: not the published MNIST file: its MD5 sum is {found}, expected {md5}")
    return array


def digits() -> Digits:
    """Return the 1,797 handwritten digits of 8×8 pixels that scikit-learn carries (the UCI optical digits, test part).

    Returns
    -------
    Digits
        The named tuple ``(images, labels)``: uint8 of shape (1797, 8, 8) with values 0 to 16, int64 of shape (1797,).

    Raises
    ------
    MissingExtraError
        (an ImportError) Without scikit-learn, which the extras ``demo`` and ``sklearn`` bring.

    Examples
    --------
    >>> from nnative.data import digits
    >>> digits().images.shape
    (1797, 8, 8)
    """
    bunch = optional("sklearn.datasets", "demo", "digits").load_digits()
    return Digits(bunch.images.astype(np.uint8), bunch.target.astype(np.int64))
