"""gradcheck: gradients beside central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnative.autograd import Array, TensorBase, leaves
from nnative.grad_mode import enable_grad, no_grad
from nnative.tensor import Tensor


class GradcheckError(RuntimeError):
    """A gradient differs from the central difference."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
) -> bool:
    r"""Compare the gradients of a function with central differences, :math:`(f(x+\epsilon)-f(x-\epsilon))/2\epsilon`.

    Every element of the Jacobian is compared: allow time for 2n evaluations of the function and m backward passes, n
    being the elements of the inputs and m those of the outputs.

    Parameters
    ----------
    func
        A function of tensors that returns a tensor or a tuple of them.
    inputs
        Its arguments. Those tensors that require a gradient are checked; they must be float64.
    eps
        ε, relative for elements beyond ±1.
    atol, rtol
        What a gradient may differ by: ``atol + rtol · |difference quotient|``.
    raise_exception
        Whether to raise or to return False.
    nondet_tol
        What gradients of two runs may differ by: random numbers in the function would be taken for errors.

    Raises
    ------
    GradcheckError
        (a RuntimeError) naming the input, the output and the worst element.
    ValueError, TypeError
        For inputs of which none requires a gradient, or one is not float64, and for results that are no tensors.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> x = nnative.tensor([0.5, -1.0], dtype="float64", requires_grad=True)
    >>> nn.utils.gradcheck(lambda x: (x * x).exp(), x)
    True
    """
    arguments = (inputs,) if isinstance(inputs, TensorBase) else tuple(inputs)
    checked = [(i, a) for i, a in enumerate(arguments) if isinstance(a, TensorBase) and a.requires_grad]
    if not checked:
        raise ValueError("[gradcheck] expected at least one input tensor with requires_grad=True, got none")
    for i, tensor in checked:
        if tensor._data.dtype != np.float64:
            raise TypeError(f"[gradcheck] expected float64, got input {i} of {tensor._data.dtype}: central differences")
    try:
        for i, tensor in checked:
            _check(func, arguments, i, tensor, eps, atol, rtol, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(
    func: Callable[..., Any],
    arguments: tuple[Any, ...],
    i: int,
    tensor: TensorBase,
    eps: float,
    atol: float,
    rtol: float,
    nondet_tol: float,
) -> None:
    """Compare the gradients of all outputs with respect to one input."""
    numeric = _differences(func, arguments, tensor, eps)
    analytic, again = (_gradients(func, arguments, tensor) for _ in range(2))
    for j, (expected, got, second) in enumerate(zip(numeric, analytic, again, strict=True)):
        if np.abs(got - second).max(initial=0.0) > nondet_tol:
            raise GradcheckError(
                f"[gradcheck] the gradient of output {j} with respect to input {i} changes from run to run by "
                f"{np.abs(got - second).max():.3g}: does the function draw random numbers?"
            )
        excess = np.abs(got - expected) - (atol + rtol * np.abs(expected))
        wrong = ~(excess <= 0)  # NaN is wrong too
        if wrong.any():
            worst = np.unravel_index(np.argmax(np.where(np.isnan(excess), np.inf, excess)), excess.shape)
            element = tuple(map(int, np.unravel_index(worst[0], tensor._data.shape)))
            raise GradcheckError(
                f"[gradcheck] {int(wrong.sum())} of {wrong.size} gradients of output {j} with respect to input {i} are "
                f"wrong, most of all that of element {int(worst[1])} (flattened) with respect to element {element}: "
                f"expected {expected[worst]:.9g} by central differences, got {got[worst]:.9g}"
            )


def _run(func: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Tensor]:
    result = func(*arguments)
    outputs = list(result) if isinstance(result, tuple | list) else [result]
    for output in outputs:
        if not isinstance(output, Tensor):
            raise TypeError(f"[gradcheck] expected the function to return tensors, got {type(output).__name__}")
    return [output for output in outputs if output.dtype.kind == "f"]


def _differences(func: Callable[..., Any], arguments: tuple[Any, ...], tensor: TensorBase, eps: float) -> list[Array]:
    """Return for each output the matrix (elements of the input, elements of the output)."""
    whole = tensor._data
    tensor._data = values = whole.copy()
    columns = []
    try:
        with no_grad():
            for k in np.ndindex(values.shape):
                centre, step = values[k], eps * max(1.0, abs(values[k]))
                ends = []
                for values[k] in (centre + step, centre - step):
                    ends.append([output.data.astype(np.float64).reshape(-1) for output in _run(func, arguments)])
                values[k] = centre
                columns.append([(a - b) / (2 * step) for a, b in zip(*ends, strict=True)])
            sizes = [output.numel() for output in _run(func, arguments)]
    finally:
        tensor._data = whole
    return [np.array([c[j] for c in columns]).reshape(whole.size, size) for j, size in enumerate(sizes)]


def _gradients(func: Callable[..., Any], arguments: tuple[Any, ...], tensor: TensorBase) -> list[Array]:
    """Return the same matrices by backward passes, one for each element of the outputs."""
    with enable_grad():
        outputs = _run(func, arguments)
    kept = [(leaf, leaf._grad) for output in outputs for leaf in leaves(output)]
    matrices = []
    try:
        with enable_grad():
            for output in outputs:
                matrix = np.zeros((tensor._data.size, output.numel()))
                for k in range(output.numel() if output.requires_grad else 0):
                    seed = np.zeros(output.numel(), output.dtype)
                    seed[k] = 1.0
                    tensor._grad = None
                    output.backward(seed.reshape(output.shape), retain_graph=True)
                    if tensor._grad is not None:
                        matrix[:, k] = tensor._grad.reshape(-1)
                matrices.append(matrix)
    finally:
        for leaf, grad in kept:
            leaf._grad = grad
    return matrices
