import gzip
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from nnative.data import DataError, digits, mnist

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@pytest.fixture
def real_folder():
    folder = os.environ.get("NNATIVE_DATA")
    if not folder:
        pytest.skip("NNATIVE_DATA does not name the folder of MNIST")
    return Path(folder, "mnist") if Path(folder, "mnist").is_dir() else Path(folder)


def test_mnist_is_mnist(real_folder):
    data = mnist(real_folder)
    assert data.train_images.shape == (60000, 28, 28)
    assert data.test_images.shape == (10000, 28, 28)
    assert data.train_images.dtype == np.uint8
    assert data.train_labels.dtype == np.int64
    assert np.bincount(data.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert data.test_labels[:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]


def test_mnist_files_may_be_unpacked_spelled_with_a_dot_and_in_a_subfolder(real_folder, tmp_path, monkeypatch):
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name in NAMES:
        source = next(path for path in real_folder.iterdir() if path.name.replace(".idx", "-idx").startswith(name))
        packed = source.read_bytes()
        unpacked = gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed
        (folder / name.replace("-idx", ".idx")).write_bytes(unpacked)
    monkeypatch.setenv("NNATIVE_DATA", str(tmp_path))
    assert mnist().test_images.shape == (10000, 28, 28)


def test_mnist_refuses_other_content(real_folder, tmp_path):
    for path in real_folder.iterdir():
        shutil.copy(path, tmp_path)
    (labels,) = tmp_path.glob("t10k-labels*")
    shutil.copy(next(tmp_path.glob("train-labels*")), labels)
    with pytest.raises(DataError, match=r"t10k-labels.*not the published MNIST file.*expected 27ae3e4e"):
        mnist(tmp_path)


def test_mnist_names_what_is_missing_and_where_to_get_it(tmp_path):
    for name in NAMES[:3]:
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"missing t10k-labels-idx1-ubyte .*the four files are at https://"):
        mnist(tmp_path)


def test_mnist_refuses_a_truncated_file(tmp_path):
    for name in NAMES:
        (tmp_path / name).write_bytes(b"\0\0\x08\1\0\0\0\5abc")
    with pytest.raises(DataError, match="train-images-idx3-ubyte: truncated"):
        mnist(tmp_path)


def test_mnist_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("NNATIVE_DATA", raising=False)
    with pytest.raises(DataError, match="set NNATIVE_DATA"):
        mnist()
    with pytest.raises(DataError, match="no such folder"):
        mnist(tmp_path / "nowhere")


def test_digits():
    pytest.importorskip("sklearn", reason="scikit-learn carries the digits")
    images, labels = digits()
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    assert (images.min(), images.max()) == (0, 16)
    assert labels[:10].tolist() == list(range(10))


def test_digits_without_scikit_learn_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"needs scikit-learn.*nnative\[demo\]"):
        digits()
