"""Limits on gradients, between ``backward`` and the optimizer's step."""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable

import numpy as np

from nnative import _native
from nnative.autograd import Array, TensorBase, wrap
from nnative.recording import reads_value
from nnative.tensor import Tensor


def clip_grad_norm_(
    parameters: TensorBase | Iterable[TensorBase],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    r"""Scale all gradients, in place, so that their norm together is at most ``max_norm``.

    :math:`g \leftarrow g \cdot \min(1, \frac{max\_norm}{\|g\| + 10^{-6}})` where g has the elements of all gradients;
    one native launch.

    Parameters
    ----------
    parameters
        A tensor or several, of one dtype; those without a gradient are passed over.
    max_norm
        The largest norm that is left alone. In a recorded step it stays what it was.
    norm_type
        p of the norm, also ±infinity.
    error_if_nonfinite
        Raise for a norm that is infinite or NaN, and leave the gradients alone. Cannot be recorded, since it looks at a
        value.
    foreach
        For PyTorch's sake.

    Returns
    -------
    Tensor
        The norm before, of shape (). Norms are summed in float64.

    Raises
    ------
    TypeError
        For gradients of different dtypes.
    RuntimeError
        As ``error_if_nonfinite`` says.

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural networks, ICML 2013.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative import nn
    >>> w = nnative.zeros(2, requires_grad=True)
    >>> w.grad = np.array([3.0, 4.0], np.float32)
    >>> nn.utils.clip_grad_norm_([w], 1.0)
    tensor(5.)
    >>> w.grad.round(4)
    array([0.6, 0.8], dtype=float32)
    """
    grads = _gradients(parameters)
    if not grads:
        return Tensor(0.0)
    if error_if_nonfinite:
        get_total_norm(grads, norm_type, True)
    return wrap(_native.clip_norm(grads, float(max_norm), float(norm_type)))


def clip_grad_value_(
    parameters: TensorBase | Iterable[TensorBase], clip_value: float, foreach: bool | None = None
) -> None:
    """Clip each element of all gradients to [−clip_value, clip_value], in place; one native launch.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative import nn
    >>> w = nnative.zeros(2, requires_grad=True)
    >>> w.grad = np.array([3.0, -0.1], np.float32)
    >>> nn.utils.clip_grad_value_([w], 0.5)
    >>> w.grad
    array([ 0.5, -0.1], dtype=float32)
    """
    _native.clip_values(_gradients(parameters), float(clip_value))


def get_total_norm(
    tensors: TensorBase | Array | Iterable[TensorBase | Array],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of the elements of all tensors or arrays (such as gradients) together.

    See `clip_grad_norm_` for the arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from nnative import nn
    >>> nn.utils.get_total_norm([np.array([3.0]), np.array([4.0])]).item()
    5.0
    """
    several = [tensors] if isinstance(tensors, TensorBase | np.ndarray) else list(tensors)
    arrays = [t._data if isinstance(t, TensorBase) else t for t in several]
    if not arrays:
        return Tensor(0.0)
    total = _native.total_norm(arrays, float(norm_type))
    if error_if_nonfinite:
        reads_value("error_if_nonfinite=True")
        if not math.isfinite(total.item()):
            raise RuntimeError(
                f"[get_total_norm] the norm of order {float(norm_type)} of the gradients is {total.item()}, "
                "so they cannot be clipped; error_if_nonfinite=False scales them all the same"
            )
    return wrap(total)


def clip_grads_with_norm_(
    parameters: TensorBase | Iterable[TensorBase],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale all gradients, in place, by ``min(1, max_norm / (total_norm + 1e-6))``.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative import nn
    >>> w = nnative.zeros(2, requires_grad=True)
    >>> w.grad = np.array([3.0, 4.0], np.float32)
    >>> nn.utils.clip_grads_with_norm_([w], 1.0, nnative.tensor(10.0))
    >>> w.grad.round(4)
    array([0.3, 0.4], dtype=float32)
    """
    factor = _native.minimum(_native.div(float(max_norm), _native.add(total_norm.data, 1e-6)), 1.0)
    for grad in _gradients(parameters):
        _native.assign(grad, _native.mul(grad, factor))


def _gradients(parameters: TensorBase | Iterable[TensorBase]) -> list[Array]:
    if isinstance(parameters, TensorBase):
        parameters = [parameters]
    several = list(parameters)
    if not several and isinstance(parameters, types.GeneratorType):
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    return [grad for p in several if (grad := p.grad) is not None]
