"""Tensor: what it is made of, what it refuses, how it meets NumPy and Python."""

import copy
import pickle
import re

import numpy as np
import pytest

import nnative
from nnative import Tensor


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        ([1.0, 2.0], "float32", (2,)),
        (1.5, "float32", ()),
        (3, "int64", ()),
        (True, "bool", ()),
        ([[1, 2], [3, 4]], "int64", (2, 2)),
        ((1, 2.5), "float32", (2,)),
        ([True, False], "bool", (2,)),
        ([], "float32", (0,)),
        ([[]], "float32", (1, 0)),
        (np.ones(3), "float64", (3,)),
        (np.ones(3, np.float32), "float32", (3,)),
        (np.float64(1), "float64", ()),
        (np.float32(1), "float32", ()),
        ([np.float64(1)], "float64", (1,)),
        ([np.ones(2), np.ones(2)], "float64", (2, 2)),
        (np.arange(3, dtype=np.uint8), "uint8", (3,)),
        (np.array(2.0), "float64", ()),
        (np.ones(3, ">f4"), "float32", (3,)),
        (range(3), "int64", (3,)),
    ],
)
@pytest.mark.parametrize("make", [Tensor, nnative.tensor])
def test_data_gives_dtype_and_shape(make, data, dtype, shape):
    t = make(data)
    assert (t.dtype, t.shape) == (np.dtype(dtype), shape)
    assert t.dtype.isnative
    np.testing.assert_array_equal(t, np.asarray(data))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones(2, np.float16), "got float16: convert it with astype(numpy.float32)"),
        (np.ones(2, np.longdouble), "convert it with astype(numpy.float32)"),
        (1j, "got complex128"),
        ([1j], "got complex128"),
        (np.ones(2, np.complex64), "got complex64"),
        (np.array([object()]), "got object"),
        ([None], "got object"),
        (None, "got object"),
        ("text", "got <U4"),
        ({"a": 1}, "got object"),
        (np.array(["2020-01-01"], "M8[D]"), "got datetime64[D]"),
        (np.zeros(2, [("a", "f4")]), "got [("),
        ([Tensor([1.0]), Tensor([2.0])], "join them with nnative.stack"),
    ],
)
@pytest.mark.parametrize("make", [Tensor, nnative.tensor, nnative.nn.Parameter])
def test_data_of_other_kinds_is_a_type_error(make, data, message):
    with pytest.raises(TypeError, match=rf"\[{make.__name__}\] .*" + re.escape(message)):
        make(data)


def test_uneven_lists():
    with pytest.raises(ValueError, match=r"\[Tensor\] expected lists of even lengths"):
        Tensor([[1, 2], [3]])


@pytest.mark.parametrize("dtype", ["int64", "bool", "uint8"])
def test_only_floats_have_gradients(dtype):
    data = np.ones(2, dtype)
    with pytest.raises(TypeError, match=f"only float32 and float64 tensors can require a gradient, got {dtype}"):
        Tensor(data, requires_grad=True)
    t = Tensor(data)
    with pytest.raises(TypeError, match=r"\[requires_grad\]"):
        t.requires_grad = True
    w = nnative.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match=r"\[data\]"):
        w.data = data


def test_explicit_dtype_converts():
    assert Tensor([1, 2], dtype=np.float32).dtype == np.float32
    assert Tensor(np.ones(2), dtype="float32").dtype == np.float32
    assert Tensor([1.7], dtype="int64").tolist() == [1]
    with pytest.raises(TypeError, match="got float16"):
        Tensor([1.0], dtype="float16")
    with pytest.raises(TypeError, match="got complex64"):
        Tensor([1.0], dtype="complex64")


def test_contiguous_arrays_are_shared_and_tensor_copies():
    a = np.arange(6.0).reshape(2, 3)
    assert np.shares_memory(Tensor(a).data, a)
    assert np.shares_memory(Tensor(Tensor(a)).data, a)
    assert np.shares_memory(nnative.from_numpy(a).numpy(), a)
    assert np.shares_memory(np.asarray(Tensor(a)), a)
    assert not np.shares_memory(nnative.tensor(a).data, a)
    assert not np.shares_memory(nnative.tensor(Tensor(a)).data, a)
    assert not np.shares_memory(np.array(Tensor(a)), a)


@pytest.mark.parametrize(
    "view", [lambda a: a.T, lambda a: a[:, ::2], lambda a: np.asfortranarray(a), lambda a: a[::-1]]
)
def test_other_layouts_are_copied(view):
    a = view(np.arange(12.0).reshape(3, 4))
    t = Tensor(a)
    assert t.data.flags.c_contiguous
    np.testing.assert_array_equal(t, a)
    with pytest.raises(ValueError, match=r"\[from_numpy\] expected a C-contiguous array"):
        nnative.from_numpy(a)


def test_misaligned_arrays_are_copied():
    a = np.frombuffer(bytearray(17), np.uint8)[1:].view(np.float32)
    assert not a.flags.aligned
    assert Tensor(a).data.flags.aligned


def test_read_only_arrays_are_inputs():
    a = np.ones((2, 3), np.float32)
    a.flags.writeable = False
    t = Tensor(a, requires_grad=True)
    (t * 2).sum().backward()
    np.testing.assert_array_equal(t.grad, np.full((2, 3), 2))
    with nnative.no_grad(), pytest.raises(ValueError, match=r"\[-=\] .* read-only"):
        t -= 1


def test_data_can_be_replaced_by_any_float_array():
    t = nnative.zeros(2, 3, requires_grad=True)
    t.data = np.ones((3, 2)).T
    assert t.data.flags.c_contiguous
    t.data = nnative.ones(4)
    assert t.shape == (4,)
    with pytest.raises(TypeError, match=r"\[data\] expected an array, got list"):
        t.data = [1.0]


def test_numbers():
    t = Tensor([[2.5]])
    assert (t.item(), float(t), int(t), bool(t)) == (2.5, 2.5, 2, True)
    assert [10, 20, 30][nnative.tensor(1)] == 20
    assert f"{nnative.tensor(2.5):.2f} {nnative.tensor(1)}" == "2.50 tensor(1)"
    for function in (float, int, bool, Tensor.item):
        with pytest.raises(ValueError, match=r"got shape \(2,\)|of shape \(2,\)"):
            function(Tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="float32"):
        range(t)


def test_sizes():
    t = nnative.zeros(2, 3)
    assert (t.shape, t.ndim, t.dim(), t.size(), t.size(-1), t.numel(), len(t)) == ((2, 3), 2, 2, (2, 3), 3, 6, 2)
    scalar = nnative.tensor(1.0)
    assert (scalar.shape, scalar.numel()) == ((), 1)
    with pytest.raises(TypeError, match="unsized"):
        len(scalar)
    with pytest.raises(TypeError, match=r"\[iter\]"):
        iter(scalar)


def test_iteration_and_membership():
    t = nnative.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert [row.tolist() for row in t] == [[1, 2], [3, 4]]
    assert 3.0 in t
    assert 5.0 not in t


def test_comparisons_are_elementwise_and_tensors_are_hashable():
    a, b = nnative.tensor([1, 2, 3]), nnative.tensor([3, 2, 1])
    results = [(a == b), (a != b), (a < b), (a <= b), (a > b), (a >= b), a > 2]
    expected = [[0, 1, 0], [1, 0, 1], [1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1], [0, 0, 1]]
    assert [r.data.astype(int).tolist() for r in results] == expected
    assert all(r.dtype == bool for r in results)
    assert a != None  # noqa: E711
    assert {a: 1}[a] == 1


def test_accuracy_as_people_write_it():
    logits, y = nnative.tensor([[1.0, 2.0], [3.0, 0.0]]), np.array([1, 1])
    assert (logits.argmax(1) == y).float().mean().item() == 0.5
    assert (logits.argmax(dim=1) == y).sum().item() == 1


def test_arrays_on_the_left():
    a = np.ones(3, np.float32)
    for result in (a + Tensor(a), a - Tensor(a), a * Tensor(a), a / Tensor(a), a @ Tensor(a), a ** Tensor(a)):
        assert isinstance(result, Tensor)


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (nnative.tensor([1.0, 2.0]), "tensor([1., 2.])"),
        (nnative.tensor([1.5, 2.0]), "tensor([1.5000, 2.0000])"),
        (nnative.tensor(3.0), "tensor(3.)"),
        (nnative.tensor([1, 2]), "tensor([1, 2])"),
        (nnative.tensor([True, False]), "tensor([ True, False])"),
        (nnative.zeros(0), "tensor([])"),
        (nnative.zeros(0, 3), "tensor([], size=(0, 3))"),
        (nnative.zeros(2, dtype="float64"), "tensor([0., 0.], dtype=float64)"),
        (nnative.tensor([np.nan, np.inf]), "tensor([nan, inf])"),
        (nnative.ones(1, requires_grad=True), "tensor([1.], requires_grad=True)"),
        (nnative.ones(1, requires_grad=True) + 1, "tensor([2.], grad_fn=<Add>)"),
    ],
)
def test_repr(tensor, text):
    assert repr(tensor) == text


def test_creation():
    assert nnative.zeros(1, dtype=nnative.float64).dtype == nnative.float64
    assert nnative.zeros((2, 3)).tolist() == [[0] * 3] * 2
    assert nnative.ones(2, 1).tolist() == [[1], [1]]
    assert nnative.full((2,), 7).dtype == np.int64
    assert nnative.full((2,), 0.5).data.tolist() == [0.5, 0.5]
    assert nnative.arange(3).dtype == np.int64
    assert nnative.arange(1, 2, 0.25).tolist() == [1, 1.25, 1.5, 1.75]
    assert nnative.arange(3.0).dtype == np.float32
    assert nnative.zeros_like(np.ones((2, 2))).dtype == np.float64
    assert nnative.ones_like(nnative.zeros(2), requires_grad=True).requires_grad
    with pytest.raises(ValueError, match=r"\[zeros\] expected sizes"):
        nnative.zeros(-1)
    with pytest.raises(TypeError, match=r"\[from_numpy\]"):
        nnative.from_numpy([1])


def test_detach_shares_and_clone_copies():
    w = nnative.ones(2, requires_grad=True)
    assert np.shares_memory(w.detach().data, w.data)
    assert not w.detach().requires_grad
    c = w.clone()
    assert not np.shares_memory(c.data, w.data)
    c.sum().backward()
    np.testing.assert_array_equal(w.grad, [1, 1])


def test_conversion_returns_itself_or_a_copy():
    x = nnative.ones(2)
    assert x.float() is x
    assert x.double().dtype == np.float64
    assert x.to("int64").tolist() == [1, 1]
    assert not nnative.ones(2, requires_grad=True).to("int64").requires_grad


def test_copies_and_pickles_of_leaves():
    w = nnative.nn.Parameter([1.0, 2.0])
    w.grad = np.ones(2, np.float32)
    for other in (copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert type(other) is nnative.nn.Parameter
        assert other.requires_grad
        assert not np.shares_memory(other.data, w.data)
        np.testing.assert_array_equal(other, w)
    np.testing.assert_array_equal(copy.deepcopy(w).grad, [1, 1])
    shared = copy.deepcopy([w, w])
    assert shared[0] is shared[1]
    for function in (copy.deepcopy, pickle.dumps):
        with pytest.raises(RuntimeError, match="the result of Mul"):
            function(w * 2)


def test_in_place_operators_follow_the_tape():
    w = nnative.ones(2, requires_grad=True)
    array = w.data
    with pytest.raises(RuntimeError, match=r"\[-=\] a leaf that requires a gradient"):
        w -= 0.5
    with nnative.no_grad():
        before = w
        w -= 0.5 * np.ones(2, np.float32)
    assert w is before
    assert w.data is array
    np.testing.assert_array_equal(w, [0.5, 0.5])
    y = w * 2
    y += 1
    y.sum().backward()
    np.testing.assert_array_equal(w.grad, [2, 2])
    total = nnative.zeros(2)
    total *= 2
    total /= 1
    with pytest.raises(ValueError, match=r"\[\+=\] expected a result of shape \(2,\), got \(3, 2\)"):
        total += nnative.ones(3, 2)
