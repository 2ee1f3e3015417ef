import subprocess
import sys

import pytest

from nnative.data import DataError
from nnative.train import Epoch, History
from nnative.viz import learning_curves

matplotlib = pytest.importorskip("matplotlib")


def history(epochs=3, test=True, loss=1.0):
    return History(
        [
            Epoch(i, loss / i, 1 - 0.5 / i, *((loss / i, 0.8) if test else (None, None)), 0.1)
            for i in range(1, epochs + 1)
        ]
    )


def test_draws_loss_and_accuracy_of_both_sets(tmp_path):
    figure = learning_curves(history(), tmp_path / "curves.png", "a title")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training, during the epoch", "test, after it"]
    assert list(loss.lines[0].get_ydata()) == [1.0, 0.5, 1 / 3]
    assert list(accuracy.lines[1].get_ydata()) == [0.8] * 3
    assert loss.get_yscale() == "log"
    assert figure.get_suptitle() == "a title"


def test_one_epoch_no_test_set_and_a_loss_of_zero(tmp_path):
    figure = learning_curves(history(1, test=False, loss=0.0), tmp_path / "curves.png")
    loss, _ = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training, during the epoch"]
    assert loss.get_yscale() == "linear"


def test_leaves_pyplot_alone():
    code = (
        "import sys; from nnative.train import Epoch, History; from nnative.viz import learning_curves;"
        "learning_curves(History([Epoch(1, 1.0, 0.5, 1.0, 0.5, 0.1)])); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_refuses(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"^\[learning_curves\] expected at least one epoch"):
        learning_curves(History())
    with pytest.raises(DataError, match="cannot be written"):
        learning_curves(history(), tmp_path / "nowhere" / "curves.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"needs matplotlib.*nnative\[plot\]"):
        learning_curves(history())
