"""Clipping of gradients beside PyTorch's, the max-norm constraint, penalties on weights."""

import itertools
import math

import numpy as np
import pytest

import nnative
from nnative import _native, nn
from nnative.nn import utils

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")

SHAPES = [(17, 5), (9001,), (), (2, 3, 4), (0, 3)]
NORMS = [2.0, 1.0, 3.0, 0.5, math.inf, -math.inf, "inf"]


def pair(dtype, scale=1.0, shapes=SHAPES):
    rng = np.random.default_rng(0)
    ours, theirs = [], []
    for i, shape in enumerate([*shapes, (3,)]):
        gradient = np.asarray(scale * rng.standard_normal(shape), dtype)
        ours.append(nnative.zeros(*shape, dtype=dtype, requires_grad=True))
        theirs.append(torch.zeros(shape, dtype=getattr(torch, dtype), requires_grad=True))
        if i < len(shapes):  # the last has no gradient
            ours[-1].grad, theirs[-1].grad = gradient.copy(), torch.tensor(gradient)
    return ours, theirs


def assert_same_gradients(ours, theirs, dtype):
    for t, u in zip(ours, theirs, strict=True):
        if u.grad is None:
            assert t.grad is None
        else:
            np.testing.assert_allclose(t.grad, u.grad.numpy(), rtol=200 * np.finfo(dtype).eps)


@pytest.mark.parametrize(("norm_type", "scale"), list(itertools.product(NORMS, (1e-3, 1.0, 50.0))))
def test_norms(norm_type, scale, dtype):
    # PyTorch's smallest and largest of an empty gradient are errors.
    shapes = SHAPES[:-1] if math.isinf(float(norm_type)) else SHAPES
    ours, theirs = pair(dtype, scale, shapes)
    total = utils.clip_grad_norm_(ours, 1.0, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 1.0, norm_type)
    assert total.shape == ()
    assert total.dtype == dtype
    np.testing.assert_allclose(total.item(), expected.item(), rtol=500 * np.finfo(dtype).eps)
    assert_same_gradients(ours, theirs, dtype)


@pytest.mark.parametrize("limit", [0.0, 0.5, 10.0])
def test_values(limit, dtype):
    ours, theirs = pair(dtype)
    utils.clip_grad_value_(ours, limit)
    torch.nn.utils.clip_grad_value_(theirs, limit)
    assert_same_gradients(ours, theirs, dtype)


@pytest.mark.parametrize("total", [0.1, 100.0])
def test_a_norm_from_elsewhere(total, dtype):
    ours, theirs = pair(dtype)
    utils.clip_grads_with_norm_(ours, 2.0, nnative.tensor(total, dtype=dtype))
    torch.nn.utils.clip_grads_with_norm_(theirs, 2.0, torch.tensor(total, dtype=getattr(torch, dtype)))
    assert_same_gradients(ours, theirs, dtype)


def test_total_norm_of_tensors_and_arrays(dtype):
    ours, theirs = pair(dtype, shapes=SHAPES[:-1])
    gradients = [t.grad for t in ours[:-1]]
    expected = torch.nn.utils.get_total_norm([u.grad for u in theirs[:-1]]).item()
    for several in (gradients, [nnative.Tensor(g) for g in gradients]):
        assert utils.get_total_norm(several).item() == pytest.approx(expected, rel=1e-5)
    assert utils.get_total_norm(gradients[0]).item() == pytest.approx(np.linalg.norm(gradients[0]), rel=1e-5)
    assert utils.get_total_norm([]).item() == 0


@pytest.mark.parametrize("norm_type", [2.0, 1.0, math.inf, 1.5])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_gradients_without_bounds(bad, norm_type, dtype):
    ours, theirs = pair(dtype, shapes=SHAPES[:-1])
    ours[1].grad[77] = bad
    theirs[1].grad[77] = bad
    before = [t.grad.copy() for t in ours[:-1]]
    with pytest.raises(RuntimeError, match=r"\[get_total_norm\] the norm of order"):
        utils.clip_grad_norm_(ours, 1.0, norm_type, error_if_nonfinite=True)
    for t, b in zip(ours, before, strict=False):
        np.testing.assert_array_equal(t.grad, b)
    utils.clip_grad_value_(ours, 5.0)
    torch.nn.utils.clip_grad_value_(theirs, 5.0)
    assert_same_gradients(ours, theirs, dtype)
    ours[1].grad[77] = bad
    theirs[1].grad[77] = bad
    utils.clip_grad_norm_(ours, 1.0, norm_type)
    torch.nn.utils.clip_grad_norm_(theirs, 1.0, norm_type)
    assert_same_gradients(ours, theirs, dtype)


def test_float32_gradients_whose_squares_overflow():
    w = nnative.zeros(2, requires_grad=True)
    w.grad = np.array([3e30, 4e30], np.float32)
    assert utils.clip_grad_norm_([w], 1.0).item() == pytest.approx(5e30)
    np.testing.assert_allclose(w.grad, [0.6, 0.8], rtol=1e-6)


def test_one_tensor_no_gradient_no_tensor():
    (w, *_), _ = pair("float32")
    expected = np.linalg.norm(w.grad)
    assert utils.clip_grad_norm_(w, 1.0).item() == pytest.approx(expected, rel=1e-6)
    utils.clip_grad_value_(w, 0.1)
    w.grad = None
    assert utils.clip_grad_norm_(w, 1.0).item() == 0
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    with pytest.warns(UserWarning, match="empty generator"):
        utils.clip_grad_norm_((p for p in ()), 1.0)


def test_dtypes_that_differ_are_named():
    w, v = nnative.zeros(2, requires_grad=True), nnative.zeros(2, dtype="float64", requires_grad=True)
    w.grad, v.grad = np.ones(2, np.float32), np.ones(2)
    with pytest.raises(TypeError, match=r"\[clip_norm\].*arrays\[1\]"):
        utils.clip_grad_norm_([w, v], 1.0)
    utils.clip_grad_value_([w, v], 0.5)
    assert (w.grad == 0.5).all()
    assert (v.grad == 0.5).all()


def test_bits_of_a_norm_depend_on_neither_threads_nor_instruction_set(dtype, threads, fma_isas):
    def run():
        rng = np.random.default_rng(5)
        arrays = [np.asarray(rng.standard_normal(n), dtype) for n in (100_000, 7, 5000, 1, 300_001)]
        total = _native.clip_norm(arrays, 1.0, 2.0)
        return [total.tobytes(), *(a.tobytes() for a in arrays)]

    results = []
    for isa in fma_isas:
        _native.set_isa(isa)
        results.append(run())
    _native.set_num_threads(1)
    assert all(r == run() for r in results)


def test_max_norm_limits_rows(dtype):
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((20, 30)).astype(dtype), rng.standard_normal((5, 2, 3)).astype(dtype)]
    tensors = [nnative.Tensor(w.copy(), requires_grad=True) for w in (*weights, np.full(4, 9.0, dtype))]
    utils.max_norm_(tensors, 2.0)
    for t, w in zip(tensors, weights, strict=False):
        expected = torch.renorm(torch.tensor(w), 2, 0, 2.0).numpy()
        np.testing.assert_allclose(t.data, expected, rtol=1e-6)  # PyTorch divides by the norm and 10⁻⁷
        norms = np.linalg.norm(w.reshape(len(w), -1), axis=1)
        small = norms <= 2
        assert small.any() == (w.ndim == 3)
        assert (t.data[small] == w[small]).all()
        np.testing.assert_allclose(
            np.linalg.norm(t.data.reshape(len(w), -1), axis=1), np.minimum(norms, 2), rtol=20 * np.finfo(dtype).eps
        )
    assert (tensors[2].data == 9).all()
    with pytest.raises(ValueError, match=r"\[max_norm_\] expected a norm of at least 0"):
        utils.max_norm_(tensors, -1)


@pytest.mark.parametrize(("l1", "l2"), [(0.1, 0), (0, 0.3), (0.1, 0.3)])
def test_penalties(l1, l2, dtype):
    ours, theirs = pair(dtype)
    rng = np.random.default_rng(1)
    for t, u in zip(ours, theirs, strict=True):
        t.data[...] = rng.standard_normal(t.shape)
        t.grad = u.grad = None
        u.data = torch.tensor(t.data)
    value = utils.elastic_net_penalty(ours, l1, l2)
    expected = sum(l1 * u.abs().sum() + l2 / 2 * (u * u).sum() for u in theirs)
    np.testing.assert_allclose(value.item(), expected.item(), rtol=1000 * np.finfo(dtype).eps)
    (value * 3).backward()
    (expected * 3).backward()
    assert_same_gradients(ours, theirs, dtype)
    alone = utils.l1_penalty(ours, l1) + utils.l2_penalty(ours, l2)
    assert alone.item() == pytest.approx(value.item(), rel=1e-5)


def test_penalty_gradients(gradcheck):
    gradcheck(lambda a, b: utils.elastic_net_penalty([a, b], 0.3, 0.7), np.linspace(-1, 1, 6), np.full((2, 2), 0.4))


def test_weights_that_pass_no_gradient_back(dtype):
    w, v = nnative.ones(3, dtype=dtype, requires_grad=True), nnative.ones(3, dtype=dtype)
    utils.l2_penalty([w, v]).backward()
    assert (w.grad == 1).all()
    assert v.grad is None


def test_penalties_that_make_no_sense():
    with pytest.raises(ValueError, match="expected factors of at least 0, got l1=-1"):
        utils.l1_penalty([nnative.ones(2)], -1)
    with pytest.raises(ValueError, match=r"\[penalty\] expected at least one array"):
        utils.l1_penalty([])
    with pytest.raises(TypeError, match=r"\[penalty\].*arrays\[1\]"):
        utils.l1_penalty([nnative.ones(2), nnative.ones(2, dtype="float64")])


def test_l2_penalty_is_weight_decay():
    results = []
    for decay in (True, False):
        nnative.manual_seed(0)
        layer = nn.Linear(5, 3, dtype="float64")
        optimizer = nnative.optim.SGD(layer.parameters(), lr=0.1, weight_decay=0.2 if decay else 0)
        x = np.random.default_rng(0).standard_normal((8, 5))
        for _ in range(5):
            optimizer.zero_grad()
            loss = (layer(nnative.Tensor(x)) ** 2).mean()
            if not decay:
                loss = loss + utils.l2_penalty(layer.parameters(), 0.2)
            loss.backward()
            optimizer.step()
        results.append(layer.weight.data.copy())
    np.testing.assert_allclose(*results, rtol=1e-12)
