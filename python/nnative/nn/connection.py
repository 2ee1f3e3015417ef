"""Connections around layers: Residual and DenseBlock."""

from __future__ import annotations

from typing import Any

from nnative import ops
from nnative.nn.container import ModuleList
from nnative.nn.module import Module
from nnative.tensor import Tensor


class Residual(Module):
    """The sum of what ``body`` makes of the input and of the input itself, body(x) + x.

    Parameters
    ----------
    body
        A module whose output has the shape of its input, unless there is a shortcut.
    shortcut
        A module that is applied to the input first, for another shape: body(x) + shortcut(x).

    Raises
    ------
    ValueError
        When called and the two shapes differ.

    References
    ----------
    K. He et al., Deep residual learning for image recognition, CVPR 2016.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> block = nn.Residual(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4)))
    >>> block(nnative.zeros(2, 4)).shape
    (2, 4)
    """

    def __init__(self, body: Module, shortcut: Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, input: Any) -> Tensor:
        """Return body(input) + input, or + shortcut(input)."""
        y = self.body(input)
        past = input if self.shortcut is None else self.shortcut(input)
        if y.shape != past.shape:
            raise ValueError(f"[Residual] expected body and shortcut of one shape, got {y.shape} and {past.shape}")
        return ops.add(y, past)


class DenseBlock(Module):
    """Layers that each see the input and all outputs before, side by side; so does the output.

    Layer k takes the features of the input and of k layers, and adds its own: of Linear layers with G outputs on N
    inputs, the k-th has N + kG inputs and the block N + KG outputs.

    Parameters
    ----------
    *layers
        Modules, in their order.
    dim
        The dimension of the features.

    Raises
    ------
    ValueError
        When called and the shapes differ in another dimension.

    References
    ----------
    G. Huang et al., Densely connected convolutional networks, CVPR 2017.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> block = nn.DenseBlock(nn.Linear(4, 3), nn.Linear(7, 3))
    >>> block(nnative.zeros(2, 4)).shape
    (2, 10)
    """

    def __init__(self, *layers: Module, dim: int = 1) -> None:
        super().__init__()
        self.layers = ModuleList(layers)
        self.dim = dim

    def forward(self, input: Any) -> Tensor:
        """Return the input and the outputs of all layers side by side."""
        for layer in self.layers:
            input = ops.concatenate([input, layer(input)], self.dim)
        return input  # type: ignore[no-any-return]
