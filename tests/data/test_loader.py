import numpy as np
import pytest

from nnative import Tensor, random
from nnative.data import ArrayDataset, DataLoader


def arrays(n=10):
    return np.arange(3.0 * n).reshape(n, 3), np.arange(n)


def rows(loader):
    return [y.tolist() for _, y in loader]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 9, 10, 11])
@pytest.mark.parametrize("n", [0, 1, 10])
def test_length_is_the_number_of_batches(n, batch_size, drop_last):
    loader = DataLoader(arrays(n), batch_size, drop_last=drop_last)
    sizes = [len(y) for _, y in loader]
    assert len(loader) == len(sizes)
    assert sum(sizes) == (n - n % batch_size if drop_last else n)
    assert all(size == batch_size for size in sizes[:-1])


def test_unshuffled_batches_are_views_in_order():
    x, y = arrays()
    batches = list(DataLoader((x, y), batch_size=4))
    assert all(np.shares_memory(a, x) and np.shares_memory(b, y) for a, b in batches)
    assert [b.tolist() for _, b in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_shuffled_rows_stay_together_and_each_comes_once():
    x, y = arrays(50)
    seen = []
    for a, b in DataLoader((x, y), 7, shuffle=True, generator=random.Generator(1)):
        np.testing.assert_array_equal(a, x[b])
        assert a.flags.c_contiguous
        seen += b.tolist()
    assert seen != sorted(seen)
    assert sorted(seen) == list(range(50))


def test_iterating_twice_shuffles_twice():
    loader = DataLoader(arrays(50), 50, shuffle=True, generator=random.Generator(1))
    assert rows(loader) != rows(loader)


def test_same_seed_same_batches():
    first, second = (DataLoader(arrays(50), 8, shuffle=True, generator=random.Generator(5)) for _ in range(2))
    assert [rows(first), rows(first)] == [rows(second), rows(second)]


def test_restored_generator_gives_the_batches_that_would_have_come():
    generator = random.Generator(3)
    loader = DataLoader(arrays(50), 8, shuffle=True, generator=generator)
    rows(loader)
    state = generator.get_state()
    expected = rows(loader)
    resumed = random.Generator(99)
    resumed.set_state(state)
    assert rows(DataLoader(arrays(50), 8, shuffle=True, generator=resumed)) == expected


def test_default_generator_follows_manual_seed():
    loader = DataLoader(arrays(50), 50, shuffle=True)
    random.manual_seed(11)
    first = rows(loader)
    assert rows(loader) != first
    random.manual_seed(11)
    assert rows(loader) == first


def test_one_array_gives_arrays_and_a_tuple_gives_tuples():
    x, _ = arrays(4)
    (batch,) = DataLoader(x, 4)
    assert isinstance(batch, np.ndarray)
    ((only,),) = DataLoader((x,), 4)
    np.testing.assert_array_equal(only, batch)


def test_tensors_stay_tensors():
    x = Tensor(np.ones((4, 2), dtype=np.float32))
    assert all(isinstance(batch, Tensor) for batch in DataLoader(x, 3, shuffle=True))


def test_any_object_with_length_and_batches_is_a_data_set():
    class Squares:
        def __len__(self):
            return 5

        def __getitem__(self, index):
            return np.arange(5)[index] ** 2

    assert [b.tolist() for b in DataLoader(Squares(), 3)] == [[0, 1, 4], [9, 16]]
    shuffled = DataLoader(Squares(), 5, shuffle=True, generator=random.Generator(0))
    assert [sorted(b.tolist()) for b in shuffled] == [[0, 1, 4, 9, 16]]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"batch_size": 0}, ValueError, "at least 1, got 0"),
        ({"batch_size": -3}, ValueError, "got -3"),
        ({"batch_size": 2.0}, TypeError, "integer, got 2.0"),
        ({"batch_size": True}, TypeError, "integer, got True"),
        ({"generator": 7}, TypeError, "Generator, got int"),
    ],
)
def test_refuses_options(options, error, words):
    with pytest.raises(error, match=rf"^\[DataLoader\].*{words}"):
        DataLoader(ArrayDataset(*arrays()), **options)


def test_refuses_what_is_no_data_set():
    with pytest.raises(TypeError, match="expected a data set or arrays, got int"):
        DataLoader(7)


def test_refuses_arrays_of_different_lengths():
    with pytest.raises(ValueError, match="equal length"):
        DataLoader((np.ones(3), np.ones(4)))
