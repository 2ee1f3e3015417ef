"""Operations that users write as subclasses of Function, and what the tape asks about their arrays."""

import numpy as np
import pytest

import nnative
from nnative import Function, Tensor, _native


def leaf(*values):
    return Tensor(np.array(values, "float64"), requires_grad=True)


class Scale(Function):
    @staticmethod
    def forward(ctx, x, factor, offset=0.0):
        ctx.save_for_backward(factor)
        return x * factor + offset

    @staticmethod
    def backward(ctx, grad):
        (factor,) = ctx.saved_tensors
        return grad * factor, None


class Transposed(Function):
    @staticmethod
    def forward(ctx, x):
        return x.T

    @staticmethod
    def backward(ctx, grad):
        return grad.T


class Total(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x.shape)
        return np.sum(x)

    @staticmethod
    def backward(ctx, grad):
        return np.broadcast_to(grad, ctx.saved_tensors[0])


def test_custom_function_with_arguments_that_are_no_tensors():
    x = leaf(1.0, 2.0)
    Scale.apply(x, 3.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 3])


def test_custom_function_returns_scalars_and_any_layout(gradcheck):
    gradcheck(lambda x: Total.apply(Transposed.apply(x) * 2), np.ones((2, 3)))
    assert Transposed.apply(nnative.ones(2, 3)).data.flags.c_contiguous


def test_custom_function_knows_which_gradients_are_needed():
    class Product(Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, grad):
            assert list(ctx.needs_input_grad) == [True, False]
            a, b = ctx.saved_tensors
            return grad * b, grad * a

    a, b = leaf(2.0), Tensor(np.array([3.0]))
    Product.apply(a, b).backward()
    np.testing.assert_array_equal(a.grad, [3])
    assert b.grad is None


def function_with(forward=lambda ctx, x: x * 2, backward=lambda ctx, grad: grad):
    return type("Bad", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (function_with(forward=lambda ctx, x: (x, x)), TypeError, "forward must return an ndarray, got tuple"),
        (function_with(forward=lambda ctx, x: None), TypeError, "forward must return an ndarray, got NoneType"),
        (
            function_with(forward=lambda ctx, x: x.astype(int)),
            TypeError,
            "forward returned int64, which has no gradient",
        ),
        (function_with(forward=lambda ctx, x: x.astype("f2")), TypeError, "forward returned float16"),
        (function_with(backward=lambda ctx, g: (g, g)), RuntimeError, "returned 2 gradients for 1 argument"),
        (function_with(backward=lambda ctx, g: g[:1]), RuntimeError, r"float64 and shape \(1,\) for an argument of"),
        (function_with(backward=lambda ctx, g: g.astype("f4")), RuntimeError, "gradient of float32 and shape"),
        (function_with(backward=lambda ctx, g: [1.0, 2.0]), TypeError, "backward must return an ndarray, got list"),
    ],
)
def test_errors_in_custom_functions_name_them(bad, error, message):
    with pytest.raises(error, match=r"\[Bad\] .*" + message):
        bad.apply(leaf(1.0, 2.0)).sum().backward()


def test_a_function_without_forward():
    with pytest.raises(NotImplementedError):
        type("Bad", (Function,), {}).apply(leaf(1.0))


def test_a_custom_function_on_the_tape_off_the_record():
    with nnative.no_grad():
        assert not Scale.apply(leaf(1.0), 2.0).requires_grad


class _Sub(np.ndarray):
    pass


@pytest.mark.parametrize(
    ("value", "plain", "like"),
    [
        (np.ones((2, 3)), True, True),
        (np.ones((2, 3))[:, ::-1], False, False),
        (np.ones((3, 2)).T, False, False),
        (np.ones((2, 3)).view(_Sub), False, False),
        (np.ones((2, 3), np.float32), True, False),
        (np.ones((3, 2)), True, False),
        (np.ones(6), True, False),
        (np.float64(1), False, False),
        ([1.0], False, False),
        (None, False, False),
    ],
)
def test_what_the_tape_takes_without_a_closer_look(value, plain, like):
    assert _native._probe_plain(value, np.zeros((2, 3))) == (plain, like)
    assert _native._probe_plain(value, None) == (plain, False)


def test_its_functions_want_their_number_of_arguments():
    with pytest.raises(TypeError, match=r"expected 1 arguments, got 0"):
        _native.wrap()
    with pytest.raises(TypeError, match=r"expected 4 arguments, got 1"):
        _native.step_back(1)


def test_a_gradient_in_another_order_of_memory_is_copied():
    class Kept(Transposed):
        returns_fresh = True

        @staticmethod
        def backward(ctx, grad):
            return np.array(grad.T, order="F")

    x, gradient = leaf([0.0, 1.0, 2.0], [3.0, 4.0, 5.0]), np.arange(6.0).reshape(3, 2)
    Kept.apply(x).backward(gradient)
    assert x.grad.flags.c_contiguous
    np.testing.assert_array_equal(x.grad, gradient.T)
