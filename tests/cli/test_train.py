"""nnative train, and the options and commands that are refused."""

import gzip
import json
import os
import re
import sys

import numpy as np
import pytest

import nnative
from nnative.interop import load_file
from nnative.train import load_mlp


def test_train_digits(run, tmp_path):
    pytest.importorskip("sklearn", reason="scikit-learn carries the digits")
    out = tmp_path / "deep" / "run"
    status, printed, shown = run("train", "digits", "--out", out)
    assert status == 0
    last = printed.splitlines()[-1]
    assert re.fullmatch(r"test accuracy: \d\.\d{4}", last)
    assert float(last.split()[-1]) >= 0.96
    assert "loss" in shown
    assert "accuracy" in shown
    model, spec = load_mlp(out / "model.safetensors")
    images = np.load(out / "test_images.npy")
    assert model(nnative.Tensor(spec.prepare(images))).shape == (360, 10)
    history = json.loads((out / "history.json").read_text())
    assert f"{history[-1]['test_accuracy']:.4f}" == last.split()[-1]
    if (out / "curves.png").exists():
        assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    status, printed, _ = run("predict", out / "model.safetensors", out / "test_images.npy")
    assert status == 0
    assert len(printed.splitlines()) == 361


def test_train_quietly_prints_one_line_and_seeds_and_threads_work(run, tmp_path):
    pytest.importorskip("sklearn", reason="scikit-learn carries the digits")

    def weights(name, *options):
        status, printed, shown = run(
            "train", "digits", "--quiet", "--epochs", 1, "--hidden", "8,8", "--out", tmp_path / name, *options
        )
        assert (status, shown, printed.count("\n")) == (0, "", 1)
        return load_file(tmp_path / name / "model.safetensors")

    first = weights("a", "--threads", 1)
    again = weights("b", "--threads", 3)
    other = weights("c", "--seed", 1)
    assert first["2.weight"].shape == (8, 8)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not any(np.array_equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_every_optimizer_learns(run, tmp_path, optimizer):
    pytest.importorskip("sklearn", reason="scikit-learn carries the digits")
    status, printed, _ = run("train", "digits", "--quiet", "--epochs", 8, "--optimizer", optimizer, "--out", tmp_path)
    assert status == 0
    assert float(printed.split()[-1]) > 0.92


@pytest.mark.slow
def test_train_mnist(run, tmp_path):
    if not os.environ.get("NNATIVE_DATA"):
        pytest.skip("NNATIVE_DATA does not name the folder of MNIST")
    status, printed, _ = run("train", "mnist", "--quiet", "--out", tmp_path)
    assert status == 0
    assert float(printed.split()[-1]) >= 0.98


@pytest.mark.parametrize("dataset", ["digits", "mnist"])
@pytest.mark.parametrize(
    "options",
    [
        "--lr nan",
        "--lr inf",
        "--lr 0",
        "--lr -1",
        "--lr fast",
        "--epochs 0",
        "--epochs 1.5",
        "--batch-size 0",
        "--hidden 512,",
        "--hidden 0",
        "--hidden 5x5",
        "--optimizer lbfgs",
        "--seed -1",
        "--seed 18446744073709551616",
        "--threads 0",
        "--threads 99999",
        "--epoch 3",
        "--epochs",
        "stray",
    ],
)
def test_wrong_options(refusal, dataset, options):
    assert options.split()[0] in refusal("train", dataset, *options.split())


@pytest.mark.parametrize(
    "argv", [[], ["train"], ["train", "cats"], ["dance"], ["predict"], ["predict", "model"], ["info", "x"]]
)
def test_wrong_commands(refusal, argv):
    refusal(*argv)


def test_out_that_cannot_be_written_is_found_before_training(refusal, tmp_path):
    (tmp_path / "file").touch()
    err = refusal("train", "digits", "--out", tmp_path / "file" / "run")
    assert "--out" in err


def test_mnist_without_data(refusal, tmp_path, monkeypatch):
    monkeypatch.delenv("NNATIVE_DATA", raising=False)
    for options in ([], ["--data", tmp_path / "nowhere"], ["--data", tmp_path]):
        assert "[mnist]" in refusal("train", "mnist", "--out", tmp_path / "run", *options)


def test_mnist_with_corrupt_files(refusal, tmp_path):
    for name in (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ):
        (tmp_path / name).write_bytes(gzip.compress(b"\0\0\x08\1\0\0\0\5abc"))
    err = refusal("train", "mnist", "--data", tmp_path, "--out", tmp_path / "run")
    assert "train-images-idx3-ubyte: truncated" in err


def test_missing_extra(refusal, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    err = refusal("train", "digits", "--out", tmp_path)
    assert "nnative[demo]" in err


def test_without_matplotlib_only_the_curves_are_missing(run, tmp_path, monkeypatch):
    pytest.importorskip("sklearn", reason="scikit-learn carries the digits")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    status, printed, _ = run("train", "digits", "--epochs", 1, "--out", tmp_path)
    assert status == 0
    assert "no learning curves" in printed
    assert (tmp_path / "model.safetensors").exists()


def test_divergence_is_status_1(run, tmp_path):
    pytest.importorskip("sklearn", reason="scikit-learn carries the digits")
    status, _, err = run("train", "digits", "--quiet", "--optimizer", "sgd", "--lr", "1e30", "--out", tmp_path)
    assert status == 1
    assert err.count("\n") == 1
    assert "smaller learning rate" in err
