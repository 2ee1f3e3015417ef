"""nn.utils.gradcheck finds what is wrong and leaves everything as it was."""

import numpy as np
import pytest

import nnative
from nnative import nn
from nnative.nn.utils import gradcheck
from nnative.nn.utils.gradcheck import GradcheckError


def tensor(*shape, seed=0):
    return nnative.Tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


class Wrong(nnative.Function):
    """x², with 3x as its gradient where x is positive."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x > 0, 3 * x, 2 * x)


def test_right_gradients_pass():
    a, b = tensor(3, 4), tensor(4, 2, seed=1)
    assert gradcheck(lambda a, b: a @ b, (a, b))
    assert gradcheck(lambda a, b: (a.exp(), (b * b).sum(), nnative.zeros(2, dtype="float64")), [a, b])
    assert gradcheck(lambda x, power: x**power, (tensor(2, 2).detach().requires_grad_(), 3))
    assert gradcheck(lambda x: x * 1.0, tensor(0, 3))


def test_layers_pass_with_their_parameters():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2)).double()
    before = [None if p.grad is None else p.grad.copy() for p in model.parameters()]
    assert gradcheck(lambda x, *_: model(x), (tensor(5, 3), *model.parameters()))
    assert gradcheck(model, tensor(5, 3))
    assert before == [p.grad for p in model.parameters()]


def test_a_wrong_gradient_is_named():
    x = nnative.Tensor(np.array([[-1.0, 2.0]]), requires_grad=True)
    x.grad = np.ones((1, 2))
    with pytest.raises(
        GradcheckError,
        match=r"^\[gradcheck\] 1 of 4 gradients of output 1 with respect to input 0 are wrong, most of all that of "
        r"element 1 \(flattened\) with respect to element \(0, 1\): expected 4.* by central differences, got 6$",
    ):
        gradcheck(lambda x: (x, Wrong.apply(x)), x)
    assert gradcheck(Wrong.apply, x, raise_exception=False) is False
    np.testing.assert_array_equal(x.data, [[-1.0, 2.0]])
    np.testing.assert_array_equal(x.grad, [[1.0, 1.0]])
    assert gradcheck(Wrong.apply, x, atol=2.1)


def test_nan_is_wrong():
    class NaN(Wrong):
        @staticmethod
        def backward(ctx, grad):
            return grad * np.nan

    with pytest.raises(GradcheckError, match="got nan"):
        gradcheck(NaN.apply, tensor(2))


def test_random_functions_are_told_apart():
    with pytest.raises(GradcheckError, match="changes from run to run by"):
        gradcheck(lambda x: nn.functional.dropout(x, 0.5), tensor(20))


def test_inputs_that_cannot_be_checked():
    with pytest.raises(ValueError, match="at least one input tensor with requires_grad=True"):
        gradcheck(lambda x: x, nnative.zeros(2, dtype="float64"))
    with pytest.raises(TypeError, match="expected float64, got input 0 of float32"):
        gradcheck(lambda x: x, nnative.zeros(2, requires_grad=True))
    with pytest.raises(TypeError, match="to return tensors, got ndarray"):
        gradcheck(lambda x: x.data, tensor(2))
