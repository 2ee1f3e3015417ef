"""The loss family in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EXAMPLES: dict[str, Callable[..., tuple[Any, ...]]] = {}
