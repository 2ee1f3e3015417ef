import numpy as np
import pytest

from nnative import Tensor
from nnative.data import DataError
from nnative.interop import load_file, load_metadata, save_file


def state():
    rng = np.random.default_rng(0)
    return {"0.weight": rng.standard_normal((3, 2)).astype("f4"), "0.bias": rng.standard_normal(3), "n": np.array(7)}


def test_round_trip(tmp_path):
    file = tmp_path / "model.safetensors"
    save_file(state(), file, {"sizes": [2, 3], "mean": 0.1})
    loaded = load_file(file)
    assert loaded.keys() == state().keys()
    for name, array in state().items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)
    assert load_metadata(file) == {"sizes": [2, 3], "mean": 0.1}
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_other_programs_read_the_file(tmp_path):
    safetensors = pytest.importorskip("safetensors")
    save_file(state(), tmp_path / "model.safetensors")
    with safetensors.safe_open(tmp_path / "model.safetensors", "numpy") as file:
        np.testing.assert_array_equal(file.get_tensor("0.weight"), state()["0.weight"])


def test_tensors_and_any_layout(tmp_path):
    file = tmp_path / "model.safetensors"
    x = np.arange(6.0).reshape(2, 3)
    save_file({"tensor": Tensor(x), "fortran": np.asfortranarray(x), "column": x[:, 1]}, file)
    loaded = load_file(file)
    np.testing.assert_array_equal(loaded["tensor"], x)
    np.testing.assert_array_equal(loaded["fortran"], x)
    np.testing.assert_array_equal(loaded["column"], x[:, 1])
    assert load_metadata(file) == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:5],
        lambda data: data[:-3],
        lambda data: data[:60],
        lambda data: data + b"!",
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: data[:8] + b"}" + data[9:],
        lambda data: b"not safetensors at all",
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path, damage):
    file = tmp_path / "model.safetensors"
    save_file(state(), file, {"a": 1})
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DataError, match=r"model\.safetensors: not a safetensors file") as caught:
        load_file(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\2\0\0\0\0\0\0\0[]", b"\2\0\0\0\0\0\0\0{]", b"\xff" * 20])
def test_damaged_headers_are_refused(tmp_path, data):
    file = tmp_path / "model.safetensors"
    file.write_bytes(data)
    with pytest.raises(DataError, match="its header is broken"):
        load_metadata(file)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        load_file(tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        load_metadata(tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot be written: No such file"):
        save_file(state(), tmp_path / "nowhere" / "model.safetensors")


def test_a_failed_save_keeps_the_file_that_was_there(tmp_path):
    file = tmp_path / "model.safetensors"
    save_file(state(), file)
    before = file.read_bytes()
    (tmp_path / "model.safetensors.part").mkdir()
    with pytest.raises(DataError, match="cannot be written"):
        save_file({"x": np.zeros(3)}, file)
    assert file.read_bytes() == before


@pytest.mark.parametrize("value", [np.array([object()]), np.ones(2, complex), [1.0], "text"])
def test_refuses_what_is_no_array_of_numbers(tmp_path, value):
    with pytest.raises(TypeError, match=r"^\[save_file\] w: expected an array of numbers"):
        save_file({"w": value}, tmp_path / "model.safetensors")
