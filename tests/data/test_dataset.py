import numpy as np
import pytest

from nnative import Tensor
from nnative.data import ArrayDataset


def test_slices_are_views_of_every_array():
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6)
    a, b = ArrayDataset(x, y)[2:4]
    assert np.shares_memory(a, x)
    assert np.shares_memory(b, y)
    np.testing.assert_array_equal(a, x[2:4])
    np.testing.assert_array_equal(b, [2, 3])


def test_indices_gather_contiguous_rows():
    x = np.asfortranarray(np.arange(12.0).reshape(6, 2))
    (a,) = ArrayDataset(x)[np.array([5, 0, 5])]
    np.testing.assert_array_equal(a, x[[5, 0, 5]])
    assert a.flags.c_contiguous


@pytest.mark.parametrize(
    "x",
    [np.asfortranarray(np.ones((4, 3))), np.ones((8, 3))[::2], np.ones((4, 6))[:, ::2]],
    ids=["F", "rows", "columns"],
)
def test_batches_of_any_layout_are_contiguous(x):
    (a,) = ArrayDataset(x)[:2]
    assert a.flags.c_contiguous


def test_tensors_come_back_as_tensors_that_share_memory():
    t = Tensor(np.arange(8.0, dtype=np.float32).reshape(4, 2))
    rows, y = ArrayDataset(t, np.arange(4))[1:3]
    assert isinstance(rows, Tensor)
    assert isinstance(y, np.ndarray)
    assert np.shares_memory(rows.numpy(), t.numpy())


def test_read_only_arrays_are_taken_as_they_are():
    x = np.ones((3, 2))
    x.flags.writeable = False
    assert len(ArrayDataset(x)) == 3


@pytest.mark.parametrize(
    ("arrays", "error", "words"),
    [
        ((), ValueError, "at least one array"),
        ((np.ones((3, 2)), np.ones(4)), ValueError, r"\(3, 2\), \(4,\)"),
        ((np.ones(()),), ValueError, r"shape \(\)"),
        ((np.array([object()]),), ValueError, "dtype object"),
        (([1, 2],), TypeError, "got list"),
    ],
)
def test_refuses(arrays, error, words):
    with pytest.raises(error, match=rf"^\[ArrayDataset\].*{words}"):
        ArrayDataset(*arrays)


def test_refuses_a_tensor_on_the_tape():
    with pytest.raises(ValueError, match="requires a gradient"):
        ArrayDataset(Tensor(np.ones((2, 2)), requires_grad=True))
