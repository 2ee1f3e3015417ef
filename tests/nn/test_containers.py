"""Containers, connections and layers made of others: names, results and gradients."""

import numpy as np
import pytest

import nnative
from nnative import nn

RNG = np.random.default_rng(15)


def test_a_module_dict_is_a_dict_and_torchs_state():
    torch = pytest.importorskip("torch")

    def make(lib):
        modules = lib.nn.ModuleDict({"a": lib.nn.Linear(2, 3), "b": lib.nn.ReLU()})
        modules.update([("c", lib.nn.Linear(3, 1))])
        modules["d"] = lib.nn.Sequential()
        return modules

    ours, theirs = make(nnative), make(torch)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert list(ours) == list(ours.keys()) == ["a", "b", "c", "d"]
    assert len(ours) == 4
    assert "b" in ours
    assert [type(m).__name__ for m in ours.values()] == ["Linear", "ReLU", "Linear", "Sequential"]
    assert dict(ours.items())["a"] is ours["a"]
    relu = ours["b"]
    assert ours.pop("b") is relu
    del ours["d"]
    assert list(ours) == ["a", "c"]
    ours["a"] = nn.Tanh()
    assert list(ours) == ["a", "c"]
    ours.clear()
    assert len(ours) == 0


def test_what_a_module_dict_refuses():
    modules = nn.ModuleDict()
    with pytest.raises(KeyError):
        modules["a"]
    for key in ("keys", "x.y", ""):
        with pytest.raises(ValueError, match="ModuleDict"):
            modules[key] = nn.ReLU()
    with pytest.raises(TypeError, match="expected a Module"):
        modules["a"] = 3


def test_a_parameter_list_registers_and_trains():
    torch = pytest.importorskip("torch")
    values = [RNG.standard_normal((2, 3)), RNG.standard_normal(3)]
    ours = nn.ParameterList([nnative.Tensor(v) for v in values])
    theirs = torch.nn.ParameterList([torch.from_numpy(v) for v in values])
    assert list(ours.state_dict()) == list(theirs.state_dict()) == ["0", "1"]
    ours.append(nn.Parameter([1.0])).extend([nnative.zeros(2)])
    ours += [nnative.ones(1)]
    assert len(ours) == len(list(ours.parameters())) == 5
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in ours)
    ours[-1] = nnative.full((4,), 2.0)
    assert ours[4].shape == (4,)
    assert len(ours[1:3]) == 2
    (ours[0].sum() * 2).backward()
    np.testing.assert_array_equal(ours[0].grad, np.full((2, 3), 2.0))
    with pytest.raises(TypeError, match="expected a Tensor, got int"):
        ours.append(1)
    with pytest.raises(TypeError, match="expected several tensors"):
        ours.extend(nnative.ones(2))
    with pytest.raises(IndexError):
        ours[9]


def test_a_residual_adds_its_input_or_shortcut():
    x = nnative.Tensor(RNG.standard_normal((5, 4)).astype("float32"), requires_grad=True)
    body, shortcut = nn.Linear(4, 4), nn.Linear(4, 3)
    np.testing.assert_array_equal(nn.Residual(body)(x).detach(), (body(x) + x).detach())
    both = nn.Residual(nn.Linear(4, 3), shortcut)
    assert [name for name, _ in both.named_parameters()] == [
        "body.weight",
        "body.bias",
        "shortcut.weight",
        "shortcut.bias",
    ]
    np.testing.assert_array_equal(both(x).detach(), (both.body(x) + shortcut(x)).detach())
    nn.Residual(nn.Identity())(x).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full((5, 4), 2.0))
    with pytest.raises(ValueError, match=r"\[Residual\] expected body and shortcut of one shape, got \(5, 1\)"):
        nn.Residual(nn.Linear(4, 1))(x)


def test_a_dense_block_keeps_all_features():
    x = nnative.Tensor(RNG.standard_normal((5, 4)).astype("float32"), requires_grad=True)
    first, second = nn.Linear(4, 3), nn.Linear(7, 2)
    block = nn.DenseBlock(first, nn.Sequential(second, nn.ReLU()))
    y = block(x).numpy()
    assert y.shape == (5, 9)
    np.testing.assert_array_equal(y[:, :4], x.data)
    np.testing.assert_array_equal(y[:, 4:7], first(x).data)
    np.testing.assert_array_equal(y[:, 7:], np.maximum(second(nnative.Tensor(y[:, :7].copy())).data, 0))
    block(x).sum().backward()
    assert x.grad is not None
    images = nn.DenseBlock(nn.Identity(), dim=2)(nnative.zeros(2, 3, 4))
    assert images.shape == (2, 3, 8)
    with pytest.raises(ValueError, match="concatenate"):
        nn.DenseBlock(nn.Flatten(0))(x)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(6,), (2, 3), ()])
def test_bilinear_is_torchs(bias, shape, dtype):
    torch = pytest.importorskip("torch")
    ours = nn.Bilinear(4, 5, 3, bias, dtype=dtype)
    theirs = torch.nn.Bilinear(4, 5, 3, bias, dtype=getattr(torch, dtype))
    assert repr(ours) == repr(theirs)
    assert (np.abs(ours.weight.data) <= 0.5).all()
    ours.load_state_dict(theirs.state_dict())
    arrays = [RNG.standard_normal((*shape, n)).astype(dtype) for n in (4, 5)]
    a, b = ([make(v) for v in arrays] for make in (nnative.Tensor, torch.from_numpy))
    for t in (*a, *b):
        t.requires_grad = True
    y, z = ours(*a), theirs(*b)
    dy = RNG.standard_normal((*shape, 3)).astype(dtype)
    y.backward(dy), z.backward(torch.from_numpy(dy))
    close = {"rtol": 1e-4, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(y.numpy(), z.detach(), **close)
    for p, q in zip([*a, *ours.parameters()], [*b, *theirs.parameters()], strict=True):
        np.testing.assert_allclose(p.grad, q.grad, **close)


def test_what_bilinear_refuses():
    layer = nn.Bilinear(4, 5, 3)
    for one, two in (((2, 3), (2, 5)), ((2, 4), (3, 5)), ((), ())):
        with pytest.raises(ValueError, match=r"\[bilinear\] expected inputs of shape \(…, 4\) and \(…, 5\)"):
            layer(nnative.zeros(*one), nnative.zeros(*two))
    with pytest.raises(TypeError, match=r"\[bilinear\]"):
        layer(nnative.zeros(2, 4), nnative.zeros(2, 5, dtype="float64"))
    with pytest.raises(ValueError, match="in1_features to be an integer of at least 1"):
        nn.Bilinear(0, 5, 3)
    with pytest.raises(ValueError, match="weight of 3 dimensions"):
        nn.functional.bilinear(nnative.zeros(4), nnative.zeros(5), nnative.zeros(4, 5))


@pytest.mark.parametrize("bias", [True, False])
def test_maxout_is_the_largest_of_its_pieces(bias, gradcheck):
    layer = nn.Maxout(4, 5, 3, bias, dtype="float64")
    x = RNG.standard_normal((7, 4))
    pieces = x @ layer.weight.data.T + (layer.bias.data if bias else 0)
    np.testing.assert_allclose(layer(nnative.Tensor(x)).numpy(), pieces.reshape(7, 5, 3).max(2), rtol=1e-12)
    gradcheck(lambda a: nn.functional.maxout(a, 3), pieces)
    with pytest.raises(ValueError, match=r"\[maxout\] expected a last dimension divisible by 4"):
        nn.functional.maxout(nnative.zeros(2, 15), 4)
    with pytest.raises(ValueError, match="num_pieces to be an integer of at least 1"):
        nn.Maxout(4, 5, 0)


def test_two_pieces_of_maxout_are_the_absolute_value_and_the_relu():
    layer = nn.Maxout(1, 2, dtype="float64")
    layer.weight.data[:] = [[1], [-1], [1], [0]]
    layer.bias.data[:] = 0
    x = RNG.standard_normal((9, 1))
    np.testing.assert_array_equal(layer(nnative.Tensor(x)).numpy(), np.hstack([np.abs(x), np.maximum(x, 0)]))


@pytest.mark.parametrize(
    ("dim", "sizes", "shape"), [(1, (2, 3), (4, 6)), (-1, (3, -1), (2, 4, 6)), (0, (4, 1), (4,)), (1, (6,), (2, 6, 3))]
)
def test_unflatten_is_torchs(dim, sizes, shape):
    torch = pytest.importorskip("torch")
    ours, theirs = nn.Unflatten(dim, sizes), torch.nn.Unflatten(dim, sizes)
    assert repr(ours) == repr(theirs)
    x = RNG.standard_normal(shape)
    np.testing.assert_array_equal(ours(nnative.Tensor(x)).numpy(), theirs(torch.from_numpy(x)))


def test_what_unflatten_refuses():
    for sizes in ((4, 2), (-1, 4), (-2, -3), (), (-1, 0)):
        with pytest.raises(ValueError, match=r"\[unflatten\] expected sizes of 6 elements"):
            nn.Unflatten(1, sizes)(nnative.zeros(2, 6))
    for sizes in (6, (2.0, 3)):
        with pytest.raises(TypeError, match=r"\[Unflatten\] expected unflattened_size"):
            nn.Unflatten(1, sizes)
