"""Parametrizations of layers: weight_norm."""

from __future__ import annotations

from typing import TypeVar

from nnative import ops
from nnative.nn.module import Module
from nnative.nn.parameter import Parameter
from nnative.nn.utils.parametrize import is_parametrized, parametrize
from nnative.tensor import Tensor

__all__ = ["weight_norm"]

M = TypeVar("M", bound=Module)


class WeightNorm(Module):
    """A weight from its length g (``original0``) and direction v (``original1``)."""

    def __init__(self, weight: Tensor, dim: int | None) -> None:
        super().__init__()
        self.dims = None if dim is None else tuple(d for d in range(weight.ndim) if d != dim)
        data = weight.detach()
        self.original0 = Parameter(self._norm(data).data.copy())
        self.original1 = Parameter(data.data.copy())

    def _norm(self, v: Tensor) -> Tensor:
        return ops.sqrt(ops.sum(v * v, self.dims, keepdim=self.dims is not None))

    def forward(self) -> Tensor:
        """Return g · v / ‖v‖."""
        return self.original1 * (self.original0 / self._norm(self.original1))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    r"""Train a weight's length and direction instead of the weight: :math:`w = g\,\frac{v}{\lVert v \rVert}`.

    The parameter becomes two, ``parametrizations.weight.original0`` (g) and ``original1`` (v), and is computed when
    it is read. `nnative.nn.utils.parametrize.remove_parametrizations` turns them into one again.

    Parameters
    ----------
    module
        The layer; it is changed and returned.
    name
        The name of its parameter.
    dim
        The dimension along which lengths differ: 0 gives each output unit its own. None (or −1) for one length.

    Raises
    ------
    ValueError
        For a module without such a parameter, for a dimension that it does not have, and a second time.

    References
    ----------
    T. Salimans and D. Kingma, Weight normalization: a simple reparameterization to accelerate training of deep neural
    networks, NeurIPS 2016.

    Examples
    --------
    >>> from nnative import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(20, 40))
    >>> {name: p.shape for name, p in layer.named_parameters()}
    {'bias': (40,), 'parametrizations.weight.original0': (40, 1), 'parametrizations.weight.original1': (40, 20)}
    """
    if is_parametrized(module, name):
        raise ValueError(f"[weight_norm] '{name}' of {type(module).__name__} is parametrized already")
    weight = module.__dict__.get(name)
    if not isinstance(weight, Parameter):
        raise ValueError(f"[weight_norm] {type(module).__name__} has no parameter '{name}'")
    if dim is not None and not -1 <= dim < weight.ndim:
        raise ValueError(f"[weight_norm] expected dim from 0 to {weight.ndim - 1} or None, got {dim}")
    parametrize(module, name, WeightNorm(weight, None if dim == -1 else dim))
    return module
