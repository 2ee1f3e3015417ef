from dataclasses import asdict, replace

import numpy as np
import pytest

from nnative import Tensor, random
from nnative.data import DataError
from nnative.interop import load_file, load_metadata, save_file
from nnative.train import MlpSpec, load_mlp, save_mlp

SPEC = MlpSpec(sizes=(4, 5, 6, 3), mean=2.5, std=0.5, classes=("a", "b", "c"))


@pytest.fixture
def file(tmp_path):
    random.manual_seed(0)
    save_mlp(SPEC.build(), SPEC, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("activation", ["ReLU", "Tanh", "Sigmoid", "LeakyReLU", "Identity"])
def test_round_trip_predicts_the_same_bits(tmp_path, activation):
    spec = replace(SPEC, activation=activation)
    model = spec.build()
    save_mlp(model, spec, tmp_path / "m.safetensors")
    loaded, found = load_mlp(tmp_path / "m.safetensors")
    assert found == spec
    assert not loaded.training
    x = Tensor(np.random.default_rng(0).standard_normal((7, 4)).astype(np.float32))
    np.testing.assert_array_equal(loaded(x).numpy(), model(x).numpy())


def test_keys_are_those_of_the_same_network_in_pytorch(file):
    assert {name: array.shape for name, array in load_file(file).items()} == {
        "0.weight": (5, 4),
        "0.bias": (5,),
        "2.weight": (6, 5),
        "2.bias": (6,),
        "4.weight": (3, 6),
        "4.bias": (3,),
    }


def test_prepare_flattens_and_scales_any_dtype():
    for dtype in (np.uint8, np.int64, np.float64):
        rows = SPEC.prepare(np.arange(8, dtype=dtype).reshape(2, 2, 2))
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, (np.arange(8.0).reshape(2, 4) - 2.5) / 0.5)
    assert SPEC.prepare(np.zeros((0, 2, 2))).shape == (0, 4)


@pytest.mark.parametrize(
    "change",
    [
        {"sizes": [4]},
        {"sizes": [4, 0, 3]},
        {"sizes": "4533"},
        {"sizes": 7},
        {"sizes": [4, 5, 6, 2]},
        {"std": 0.0},
        {"std": "wide"},
        {"mean": None},
        {"classes": [1, 2, 3]},
        {"classes": ["a"]},
        {"activation": "Sequential"},
        {"activation": ["ReLU"]},
    ],
)
def test_broken_descriptions_are_refused(file, change):
    save_file(load_file(file), file, {**load_metadata(file), **change})
    with pytest.raises(DataError, match=r"model\.safetensors: its description of the model is broken"):
        load_mlp(file)


def test_files_of_others_are_refused(file):
    save_file(load_file(file), file)
    with pytest.raises(DataError, match="not a model that nnative train wrote"):
        load_mlp(file)
    with pytest.raises(DataError, match="cannot be read"):
        load_mlp(file.parent / "nowhere")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"0.weight": np.zeros((5, 3), np.float32)}, r"expected weights .*\(5, 4\).* got .*\(5, 3\)"),
        ({"extra": np.zeros(1, np.float32)}, "expected weights .* got .*extra"),
        ({"0.bias": np.zeros(5)}, "float32"),
    ],
)
def test_weights_that_do_not_fit_are_refused(file, change, words):
    save_file({**load_file(file), **change}, file, {"format": "mlp-classifier", **asdict(SPEC)})
    with pytest.raises(DataError, match=words):
        load_mlp(file)
