"""What operations refuse: dtypes that differ, shapes that do not fit. Every message names the operation."""

import re

import numpy as np
import pytest

import nnative
from nnative import ops

F32, F64 = nnative.ones(2, 3), nnative.ones(2, 3, dtype=np.float64)
INT, BOOL = nnative.tensor([[1, 2, 3], [4, 5, 6]]), nnative.tensor([[True] * 3] * 2)


@pytest.mark.parametrize("other", [F64, np.ones(3), np.float64(2), INT, BOOL, np.arange(3), np.int64(2)])
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "maximum", "minimum", "eq", "lt"])
def test_two_dtypes_are_an_error(name, other):
    function = getattr(ops, name)
    for a, b in ((F32, other), (other, F32)):
        if name in ("eq", "lt") and a is not F32:
            continue
        with pytest.raises(
            TypeError, match=rf"\[{name}\] expected operands of one dtype, got (float32 and|\w+ and float32)"
        ):
            function(a, b)


def test_two_dtypes_are_an_error_for_products_and_concatenation():
    for function in (
        lambda: F32 @ F64.T,
        lambda: ops.linear(F32, nnative.ones(4, 3, dtype="float64")),
        lambda: ops.concatenate([F32, F64]),
        lambda: ops.where(BOOL, F32, F64),
    ):
        with pytest.raises(TypeError, match="got float32 and float64"):
            function()


def test_python_numbers_take_the_tensors_dtype():
    for x in (F32, F64):
        for y in (x + 1, 1 - x, x * 0.1, True * x, x / 3, 2**x, x**2):
            assert y.dtype == x.dtype
    assert (INT + 1).dtype == np.int64
    assert (nnative.tensor(1.0) * 0.1).dtype == np.float32


def test_integers_mix_with_integers():
    assert (INT + np.arange(3, dtype=np.int32)).tolist() == [[1, 3, 5], [4, 6, 8]]
    assert (INT.to("int32") == INT).data.all()


@pytest.mark.parametrize("other", ["1", None, [1.0, 2.0, 3.0], 1j, object()])
def test_what_is_no_operand(other):
    with pytest.raises(TypeError, match=r"\[add\] expected a tensor, an array or a number, got"):
        F32 + other


@pytest.mark.parametrize("dtype", ["float16", "complex64", "O", "U1"])
def test_arrays_of_other_dtypes(dtype):
    with pytest.raises(TypeError, match=r"\[mul\] expected float32, float64, integers or bool, got"):
        F32 * np.ones(3).astype(dtype)


@pytest.mark.parametrize("name", ["add", "mul", "div", "maximum", "gt"])
def test_shapes_that_do_not_broadcast(name):
    with pytest.raises(ValueError, match=re.escape(f"[{name}] expected shapes that broadcast, got (2, 3) and (2,)")):
        getattr(ops, name)(F32, nnative.ones(2))


ERRORS = {
    "[exp] expected a float32 or float64 tensor, got int64": (TypeError, lambda: INT.exp()),
    "[log] expected a float32 or float64 tensor, got int64": (TypeError, lambda: INT.log()),
    "[sqrt] expected a float32 or float64 tensor, got bool": (TypeError, lambda: BOOL.sqrt()),
    "[mean] expected a float32 or float64 tensor, got int64": (TypeError, lambda: INT.mean()),
    "[div] expected float32 or float64, got int64": (TypeError, lambda: INT / 2),
    "[add] expected an integer beside a tensor of int64, got 0.5": (TypeError, lambda: INT + 0.5),
    "[sub] expected numbers, got bool": (TypeError, lambda: BOOL - BOOL),
    "[clip] expected bounds that are numbers": (TypeError, lambda: F32.clip([0])),
    "[where] expected a condition of bool, got int64": (TypeError, lambda: ops.where(INT, F32, F32)),
    "[where] expected shapes that broadcast, got (2,), (2, 3) and ()": (
        ValueError,
        lambda: ops.where(np.ones(2, bool), F32, 0.0),
    ),
    "[sum] expected dim in [-2, 2) for 2 dimensions, got 2": (ValueError, lambda: F32.sum(2)),
    "[sum] expected dimensions that differ, got (0, -2)": (ValueError, lambda: F32.sum((0, -2))),
    "[sum] expected dim to be an int": (TypeError, lambda: F32.sum("0")),
    "[sum] expected dim or axis": (TypeError, lambda: F32.sum(0, axis=0)),
    "[max] expected at least one element to choose from, got shape (0, 3)": (ValueError, lambda: F32[:0].max()),
    "[argmax] expected at least one element": (ValueError, lambda: F32[:0].argmax(0)),
    "[reshape] expected a shape of 6 elements, got (4, 2) for (2, 3)": (ValueError, lambda: F32.reshape(4, 2)),
    "[permute] expected 2 dimensions for shape (2, 3), got (0,)": (ValueError, lambda: F32.permute(0)),
    "[permute] expected dimensions that differ": (ValueError, lambda: F32.permute(0, 0)),
    "[transpose] expected dim in [-2, 2)": (ValueError, lambda: F32.transpose(0, 2)),
    "[flatten] expected start_dim before end_dim": (ValueError, lambda: F32.flatten(1, 0)),
    "[broadcast_to] expected a shape that broadcasts to (3, 3), got (2, 3)": (
        ValueError,
        lambda: F32.broadcast_to((3, 3)),
    ),
    "[index] index 2 is out of bounds": (IndexError, lambda: F32[2]),
    "[index] too many indices": (IndexError, lambda: F32[0, 0, 0]),
    "[index] arrays used as indices must be of integer": (IndexError, lambda: F32[F32]),
    "[index] boolean index did not match": (IndexError, lambda: F32[np.ones(3, bool)]),
    "[concatenate] expected at least one tensor": (ValueError, lambda: ops.concatenate([])),
    "[concatenate] expected shapes that agree except in dimension 0, got (2, 3) and (2, 2)": (
        ValueError,
        lambda: ops.concatenate([F32, F32[:, :2]]),
    ),
    "[stack] expected one shape, got (2, 3) and (1, 3)": (ValueError, lambda: ops.stack([F32, F32[:1]])),
    "[matmul] expected shapes (…, N, K) and (…, K, M), got (2, 3) and (2, 3)": (ValueError, lambda: F32 @ F32),
    "[matmul] expected shapes (…, N, K) and (…, K, M), got (2, 3) and ()": (
        ValueError,
        lambda: F32 @ nnative.tensor(1.0),
    ),
    "[matmul] expected a float32 or float64 tensor, got int64": (TypeError, lambda: INT @ INT.T),
    "[matmul] expected batches that broadcast, got (2, 1, 3) and (3, 3, 1)": (
        ValueError,
        lambda: nnative.ones(2, 1, 3) @ nnative.ones(3, 3, 1),
    ),
    "[linear] expected input of 784 features, got shape (32, 28, 28)": (
        ValueError,
        lambda: ops.linear(nnative.zeros(32, 28, 28), nnative.zeros(10, 784)),
    ),
    "[linear] expected input of 3 features, got shape ()": (
        ValueError,
        lambda: ops.linear(nnative.tensor(1.0), nnative.zeros(10, 3)),
    ),
    "[linear] expected a bias of shape (10,), got (9,)": (
        ValueError,
        lambda: ops.linear(F32, nnative.zeros(10, 3), nnative.zeros(9)),
    ),
    "[linear] expected a weight of 2 dimensions, got shape (3,)": (
        ValueError,
        lambda: ops.linear(F32, nnative.zeros(3)),
    ),
    "[linear] expected a float32 or float64 tensor, got int64": (
        TypeError,
        lambda: ops.linear(INT, nnative.zeros(10, 3)),
    ),
    "[to] expected float32, float64, an integer type or bool, got float16": (TypeError, lambda: F32.to("float16")),
}


@pytest.mark.parametrize("message", ERRORS)
def test_message(message):
    error, function = ERRORS[message]
    with pytest.raises(error, match=re.escape(message)):
        function()
