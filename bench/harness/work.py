"""What a peer hands to the harness: a piece of work that can be called again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any, TypeVar

import numpy as np

from harness.rows import Array

T = TypeVar("T")


class NotOffered(Exception):
    """The peer does not do this row; the message says why."""


@dataclass(frozen=True)
class Work:
    """A repeatable piece of work.

    `call()` makes `steps` steps and may return before they are computed; `wait(result)` waits for the result of the
    last call and returns its values (losses, logits, a gradient), which the report compares between peers.
    """

    call: Callable[[], Any]
    steps: int = 1
    wait: Callable[[Any], Array] = np.atleast_1d


def over(function: Callable[..., T], batches: Iterable[tuple[Any, ...]]) -> Callable[[], T]:
    """Return a call that applies `function` to the next minibatch, round and round."""
    turn: Iterator[tuple[Any, ...]] = cycle(batches)
    return lambda: function(*next(turn))
