"""nnative predict: every format, and files that are refused."""

import gzip

import numpy as np
import pytest

import nnative
from nnative.interop import save_file
from nnative.train import load_mlp


def write_npy(path, rows):
    np.save(path.with_suffix(".npy"), rows)
    return path.with_suffix(".npy")


def write_csv(path, rows):
    np.savetxt(path.with_suffix(".csv"), rows.reshape(len(rows), -1), delimiter=",")
    return path.with_suffix(".csv")


def write_csv_with_names(path, rows):
    np.savetxt(path.with_suffix(".csv"), rows.reshape(len(rows), -1), delimiter=",", header="a,b,c,d", comments="")
    return path.with_suffix(".csv")


def write_idx(path, rows):
    path.write_bytes(gzip.compress(b"\0\0\x08\3" + np.array(rows.shape, ">u4").tobytes() + rows.tobytes()))
    return path


@pytest.mark.parametrize("write", [write_npy, write_csv, write_csv_with_names, write_idx])
def test_predict_reads_every_format(run, model, tmp_path, write):
    rows = np.random.default_rng(0).integers(0, 9, (1203, 2, 2), dtype=np.uint8)
    network, spec = load_mlp(model)
    logits = network(nnative.Tensor(spec.prepare(rows))).numpy().astype(np.float64)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    status, printed, err = run("predict", model, write(tmp_path / "rows", rows))
    assert (status, err) == (0, "")
    header, *lines = printed.splitlines()
    assert header == "class,probability"
    assert [line.split(",")[0] for line in lines] == [spec.classes[i] for i in logits.argmax(axis=1)]
    np.testing.assert_allclose([float(line.split(",")[1]) for line in lines], probabilities.max(axis=1), atol=6e-5)


def test_predict_one_row_and_to_a_file(run, model, tmp_path):
    np.save(tmp_path / "row.npy", np.ones(4))
    status, printed, _ = run("predict", model, tmp_path / "row.npy", "--out", tmp_path / "out.csv")
    assert (status, printed) == (0, "")
    assert (tmp_path / "out.csv").read_text().count("\n") == 2


def test_predict_no_rows(run, model, tmp_path):
    np.save(tmp_path / "rows.npy", np.ones((0, 4)))
    assert run("predict", model, tmp_path / "rows.npy") == (0, "class,probability\n", "")


def save(array):
    def write(path):
        np.save(path, array, allow_pickle=True)

    return write


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("x.npy", save(np.ones((3, 5))), "expected rows of 4 numbers, got shape (3, 5)"),
        ("x.npy", save(np.ones((2, 3, 4))), "got shape (2, 3, 4)"),
        ("x.npy", save(np.ones(())), "got shape ()"),
        ("x.npy", save(np.ones((3, 4), complex)), "expected real numbers, got complex128"),
        ("x.npy", save(np.array([["a"] * 4])), "expected real numbers"),
        ("x.npy", save(np.array([[None] * 4])), "not an .npy file of numbers"),
        ("x.npy", save(np.array([[0.0] * 4, [0, np.nan, 0, 0]])), "row 2 has a number that is NaN"),
        ("x.npy", save(np.array([[np.inf] * 4])), "row 1 has a number that is NaN or infinite"),
        ("x.npy", lambda path: path.write_bytes(b"\x93NUMPY\1"), "not an .npy file"),
        ("x.npy", lambda path: path.write_bytes(b""), "not an .npy file"),
        ("x.npy", lambda path: None, "cannot be read"),
        ("x.csv", lambda path: path.write_text("1,2,3,4\n1,2,3\n"), "not a table of numbers"),
        ("x.csv", lambda path: path.write_text("1,2,3,4\n1,2,3,x\n"), "not a table of numbers"),
        ("x.csv", lambda path: path.write_text("a,b,c,d\n"), "no rows of numbers"),
        ("x.csv", lambda path: path.write_text(""), "no rows of numbers"),
        ("x.csv", lambda path: path.write_bytes(b"\xff\xfe\x00"), "not a text file"),
        ("x.csv", lambda path: None, "cannot be read"),
        ("x", lambda path: path.write_bytes(b"\0\0\x08\1\0\0\0\5abc"), "truncated"),
        ("x", lambda path: path.write_bytes(b"something else"), "not an IDX file"),
        ("x", lambda path: path.mkdir(), "cannot be read"),
    ],
)
def test_predict_refuses_files(refusal, model, tmp_path, name, write, words):
    write(tmp_path / name)
    err = refusal("predict", model, tmp_path / name)
    assert name in err
    assert words in err


def test_predict_refuses_models(refusal, model, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((1, 4)))
    save_file({"w": np.ones(3)}, tmp_path / "other.safetensors")
    (tmp_path / "short.safetensors").write_bytes(model.read_bytes()[:-9])
    for name in ("other.safetensors", "short.safetensors", "nowhere", "x.npy"):
        err = refusal("predict", tmp_path / name, tmp_path / "x.npy")
        assert name in err
    assert "--out" in refusal("predict", model, tmp_path / "x.npy", "--out", tmp_path / "nowhere" / "out.csv")
