"""The command as a process of its own: exit status, output, signals, imports."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import nnative


def nnative_command(*argv, **options):
    return subprocess.run(
        [sys.executable, "-m", "nnative", *map(str, argv)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,
    )


def test_process_status_and_lines(tmp_path):
    done = nnative_command("train", "mnist", "--data", tmp_path / "nowhere", "--out", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("nnative train mnist: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert nnative_command("--version").stdout == f"nnative {nnative.__version__}\n"


@pytest.mark.parametrize("argv", [["info"], ["check"], ["train", "digits"], ["predict", "model", "rows.npy"]])
def test_an_unknown_instruction_set_is_status_2_and_one_line(argv):
    done = nnative_command(*argv, env=os.environ | {"NNATIVE_ISA": "foo"})
    assert done.returncode == 2
    assert done.stderr.startswith("nnative")
    assert "NNATIVE_ISA: unknown instruction set 'foo'; this build has: baseline" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nnative", "info"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith("nnative info: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "argv", [["--help"], ["train", "--help"], ["train", "digits", "--help"], ["predict", "--help"]]
)
def test_help_has_examples(run, argv):
    status, printed, _ = run(*argv)
    assert status == 0
    assert "examples:\n  nnative " in printed


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from nnative.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(' '.join({'sklearn', 'scipy', 'matplotlib', 'tqdm', 'safetensors'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_interrupt_is_status_130_and_one_line(tmp_path):
    pytest.importorskip("sklearn", reason="scikit-learn carries the digits")
    command = [sys.executable, "-m", "nnative", "train", "digits", "--epochs", "100000", "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stderr.read(40)  # the progress bar has begun
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("\nnnative train digits: interrupted\n")
    assert "Traceback" not in err


def test_a_reader_that_leaves_early_is_no_error(model, tmp_path):
    np.save(tmp_path / "rows.npy", np.ones((100_000, 4)))
    command = [sys.executable, "-m", "nnative", "predict", str(model), str(tmp_path / "rows.npy")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
