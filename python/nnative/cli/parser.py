"""Subcommands and options, and how a wrong one is reported: in one line, with exit status 2."""

from __future__ import annotations

import argparse
import math
from typing import NoReturn

from nnative import __version__

_EXAMPLES = """examples:
  nnative train digits                        train on the digits that scikit-learn carries
  nnative train mnist --data FOLDER           train on MNIST
  nnative predict runs/digits/model.safetensors runs/digits/test_images.npy
  nnative check                               compare every kernel with its reference
"""
_TRAIN_EXAMPLES = """examples:
  nnative train digits
  nnative train digits --hidden 64,64 --epochs 60 --seed 7
  nnative train mnist --data FOLDER --optimizer sgd --lr 0.1 --out runs/sgd
"""
_PREDICT_EXAMPLES = """examples:
  nnative predict runs/digits/model.safetensors runs/digits/test_images.npy
  nnative predict runs/mnist/model.safetensors FOLDER/t10k-images-idx3-ubyte.gz --out predicted.csv
"""


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; it sets ``module``, where ``run(args)`` is, and ``prog``, for messages."""
    parser = _parser("nnative", "Train small and middle-sized neural networks on the CPU.", _EXAMPLES)
    parser.add_argument("--version", action="version", version=f"nnative {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    _add_train(commands)
    _add_predict(commands)
    _add(commands, "info", "info", "show version, instruction sets and threads")
    _add(commands, "check", "check", "compare every native kernel with its NumPy reference on this machine")
    return parser


def _parser(prog: str, description: str, epilog: str) -> Parser:
    return Parser(
        prog=prog,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add(
    commands: argparse._SubParsersAction[Parser], name: str, module: str, text: str, epilog: str = ""
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(module=module, prog=parser.prog)
    return parser


def _add_train(commands: argparse._SubParsersAction[Parser]) -> None:
    train = _add(commands, "train", "train", "train a classifier on a data set", _TRAIN_EXAMPLES)
    sets = train.add_subparsers(
        title="data sets", metavar="DATASET", required=True, dest="dataset", parser_class=Parser
    )
    digits = _add(sets, "digits", "train", "8x8 digits that scikit-learn carries (extra: demo)", _TRAIN_EXAMPLES)
    _add_train_options(digits, hidden="256", epochs=40, batch_size=32, out="runs/digits")
    mnist = _add(sets, "mnist", "train", "28x28 digits, from the four files of MNIST", _TRAIN_EXAMPLES)
    mnist.add_argument("--data", metavar="FOLDER", help="folder of the files (default: $NNATIVE_DATA)")
    _add_train_options(mnist, hidden="512,512", epochs=5, batch_size=128, out="runs/mnist")


def _add_train_options(parser: argparse.ArgumentParser, hidden: str, epochs: int, batch_size: int, out: str) -> None:
    add = parser.add_argument
    add("--hidden", type=_sizes, default=_sizes(hidden), metavar="N,N", help=f"hidden layers (default: {hidden})")
    add("--epochs", type=_count, default=epochs, metavar="N", help="passes over the data (default: %(default)s)")
    add("--batch-size", type=_count, default=batch_size, metavar="N", help="default: %(default)s")
    add(
        "--optimizer",
        choices=("sgd", "adam", "adamw"),
        default="adam",
        help="default: %(default)s; sgd has momentum 0.9",
    )
    add(
        "--lr",
        type=_rate,
        metavar="X",
        help="first learning rate, falls to 0 (default: 0.05 for sgd, else 0.001)",
    )
    add("--seed", type=_seed, default=0, metavar="N", help="same seed, same bits (default: %(default)s)")
    add("--threads", type=_threads, metavar="N", help="default: as many as this process may use")
    add("--out", default=out, metavar="FOLDER", help="where the model and its curves go (default: %(default)s)")
    add("--quiet", action="store_true", help="print nothing but the last line")


def _add_predict(commands: argparse._SubParsersAction[Parser]) -> None:
    predict = _add(commands, "predict", "predict", "predict the class of each row of a file", _PREDICT_EXAMPLES)
    predict.add_argument("model", metavar="MODEL", help="model.safetensors that nnative train wrote")
    predict.add_argument("file", metavar="FILE", help="rows to classify, unscaled: .npy, .csv, or IDX (.gz or not)")
    predict.add_argument("--out", metavar="FILE", help="write the CSV there instead of printing it")


def _count(text: str) -> int:
    return _integer(text, 1, 2**31 - 1)


def _threads(text: str) -> int:
    return _integer(text, 1, 1024)


def _seed(text: str) -> int:
    return _integer(text, 0, 2**64 - 1)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(_integer(part, 1, 2**20) for part in text.split(","))


def _integer(text: str, low: int, high: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"expected an integer from {low} to {high}, got {text!r}")
    return value


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text!r}")
    return value
