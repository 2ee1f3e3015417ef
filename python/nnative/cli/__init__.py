"""The ``nnative`` command. Each subcommand is a module of this package, imported when it runs."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from nnative import _native
from nnative.cli.parser import build_parser
from nnative.errors import DataError, MissingExtraError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, 1 for a failed run, 2 for bad input, 130 for Ctrl-C."""
    args = build_parser().parse_args(argv)
    try:
        _native.isa()
    except ValueError as error:  # of NNATIVE_ISA
        return _fail(args.prog, str(error), 2)
    try:
        module = importlib.import_module(f"nnative.cli.{args.module}")
        status = int(module.run(args))
        print(end="", flush=True)
        return status
    except (DataError, MissingExtraError) as error:
        return _fail(args.prog, str(error), 2)
    except ArithmeticError as error:
        return _fail(args.prog, str(error), 1)
    except OSError as error:
        # The reader of our output has left, or the disk is full: keep the interpreter from saying so again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1 if isinstance(error, BrokenPipeError) else _fail(args.prog, str(error), 1)
    except KeyboardInterrupt:
        return _fail(args.prog, "interrupted", 130)


def _fail(prog: str, message: str, status: int) -> int:
    print(f"{prog}: {' '.join(message.split())}", file=sys.stderr)
    return status
