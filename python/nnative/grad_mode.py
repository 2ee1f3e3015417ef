"""Whether operations are recorded on the tape: a switch that each thread has for itself."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, overload

from nnative._native import thread_state

F = TypeVar("F", bound=Callable[..., Any])


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded on the tape."""
    return thread_state.grad_enabled


class set_grad_enabled:
    """Switch the tape on or off within a ``with`` block or a decorated function, for this thread."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled

    def __enter__(self) -> None:
        self._before, thread_state.grad_enabled = thread_state.grad_enabled, self._enabled

    def __exit__(self, *exception: object) -> None:
        thread_state.grad_enabled = self._before

    def __call__(self, function: F) -> F:
        """Return the function with the switch set while it runs."""

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with set_grad_enabled(self._enabled):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


@overload
def no_grad(function: None = None) -> set_grad_enabled: ...
@overload
def no_grad(function: F) -> F: ...
def no_grad(function: F | None = None) -> F | set_grad_enabled:
    """Switch the tape off within a ``with`` block or, as a decorator, a function.

    Examples
    --------
    >>> import nnative
    >>> x = nnative.ones(2, requires_grad=True)
    >>> with nnative.no_grad():
    ...     print((x * 2).requires_grad)
    False
    """
    return set_grad_enabled(False) if function is None else set_grad_enabled(False)(function)


@overload
def enable_grad(function: None = None) -> set_grad_enabled: ...
@overload
def enable_grad(function: F) -> F: ...
def enable_grad(function: F | None = None) -> F | set_grad_enabled:
    """Switch the tape on within a ``with`` block or, as a decorator, a function."""
    return set_grad_enabled(True) if function is None else set_grad_enabled(True)(function)
