"""Parameter: a tensor that a module trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


from nnative.tensor import Tensor


class Parameter(Tensor):
    """A tensor that a `Module` finds by its attribute and an optimizer updates in place.

    It shares the memory of an ndarray or Tensor that it is made from; an update of a read-only array is an error.

    Examples
    --------
    >>> from nnative import nn
    >>> nn.Parameter([1.0, 2.0])
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, dtype: DTypeLike | None = None) -> None:
        super().__init__(data, requires_grad, dtype)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
