"""The command in this process, and a small model for it."""

import pytest

from nnative import _native
from nnative.cli import main
from nnative.train import MlpSpec, save_mlp

SPEC = MlpSpec(sizes=(4, 5, 3), mean=1.0, std=2.0, classes=("red", "green", "blue"))


@pytest.fixture
def run(capsys):
    """Run the command in this process: status, standard output, standard error."""

    def run(*argv):
        threads = _native.num_threads()
        try:
            status = main([str(arg) for arg in argv])
        except SystemExit as stop:
            status = stop.code
        finally:
            _native.set_num_threads(threads)
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    save_mlp(SPEC.build(), SPEC, path)
    return path


@pytest.fixture
def refusal(run):
    """Run the command, see that it ends with status 2 and one line on the standard error, and return that line."""

    def refusal(*argv):
        status, printed, err = run(*argv)
        assert (status, printed) == (2, "")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        return err

    return refusal
