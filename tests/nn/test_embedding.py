"""Embedding is PyTorch's with dense gradients, and its gradient does not depend on the number of threads."""

import numpy as np
import pytest

import nnative
from nnative import nn

RNG = np.random.default_rng(13)
INDEX = RNG.integers(0, 7, (5, 9))

OPTIONS = [
    {},
    {"padding_idx": 2},
    {"padding_idx": -1},
    {"max_norm": 1.5},
    {"max_norm": 1.0, "norm_type": 1.0},
    {"max_norm": 0.7, "norm_type": 3.0},
    {"max_norm": 0.7, "norm_type": float("inf")},
    {"scale_grad_by_freq": True},
    {"padding_idx": 0, "max_norm": 1.0, "scale_grad_by_freq": True},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_it_is_torchs(options, dtype):
    torch = pytest.importorskip("torch")
    ours = nn.Embedding(7, 11, dtype=dtype, **options)
    theirs = torch.nn.Embedding(7, 11, dtype=getattr(torch, dtype), **options)
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    rtol = 1e-5 if dtype == "float32" else 1e-12
    for _ in range(2):
        dy = RNG.standard_normal((5, 9, 11)).astype(dtype)
        y, z = ours(nnative.Tensor(INDEX)), theirs(torch.from_numpy(INDEX))
        y.backward(dy), z.backward(torch.from_numpy(dy))
        np.testing.assert_allclose(y.numpy(), z.detach(), rtol=rtol)
        np.testing.assert_allclose(ours.weight.data, theirs.weight.detach(), rtol=rtol)
        np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad, rtol=10 * rtol, atol=rtol)


def test_padding_starts_at_zeros_and_gets_no_gradient():
    layer = nn.Embedding(4, 3, padding_idx=1)
    np.testing.assert_array_equal(layer.weight.data[1], np.zeros(3))
    assert (layer.weight.data[0] != 0).all()
    layer(np.array([1, 1, 3])).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, [[0] * 3, [0] * 3, [0] * 3, [1] * 3])


def test_gradients(gradcheck):
    gradcheck(lambda w: nn.functional.embedding(nnative.Tensor(INDEX), w), RNG.standard_normal((7, 3)))


@pytest.mark.parametrize("kind", ["int32", "uint8", "int64"])
def test_any_integers_are_indices(kind):
    layer = nn.Embedding(7, 3)
    np.testing.assert_array_equal(layer(INDEX.astype(kind)).numpy(), layer.weight.data[INDEX])


def test_a_given_table_is_shared_and_frozen():
    table = RNG.standard_normal((4, 3))
    layer = nn.Embedding.from_pretrained(table, padding_idx=2)
    assert layer.weight.data is table
    assert not layer.weight.requires_grad
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    with pytest.raises(ValueError, match="2 dimensions"):
        nn.Embedding.from_pretrained(np.ones(3))


def test_errors_name_what_does_not_fit():
    layer = nn.Embedding(7, 3)
    for bad in (7, -1):
        with pytest.raises(IndexError, match=rf"\[embedding\] index {bad} is out of range for 7 embeddings"):
            layer(np.array([0, bad]))
    with pytest.raises(IndexError, match="index 9"):
        nn.functional.embedding(np.array([9]), layer.weight, max_norm=1.0)
    with pytest.raises(TypeError, match="indices that are integers, got float32"):
        layer(nnative.zeros(2))
    with pytest.raises(ValueError, match="padding_idx within 7"):
        nn.Embedding(7, 3, padding_idx=7)
    with pytest.raises(ValueError, match="norm_type above 0"):
        nn.functional.embedding(np.array([0]), layer.weight, max_norm=1.0, norm_type=0.0)
    for call in (
        lambda: nn.Embedding(7, 3, sparse=True),
        lambda: nn.functional.embedding(np.array([0]), layer.weight, sparse=True),
    ):
        with pytest.raises(ValueError, match="expected sparse=False"):
            call()
    with pytest.raises(ValueError, match="2 dimensions"):
        nn.functional.embedding(np.array([0]), nnative.zeros(3))
    with pytest.raises(ValueError, match="num_embeddings"):
        nn.Embedding(-1, 3)
