"""Module: what it registers, how it is walked, stored, loaded, copied and printed."""

import copy
import pickle
import re

import numpy as np
import pytest

import nnative
from nnative import nn


class Block(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.scale = nn.Parameter([1.0])
        self.register_buffer("count", np.zeros((), np.int64))
        self.register_buffer("cache", nnative.zeros(2), persistent=False)
        self.register_buffer("nothing", None)

    def forward(self, x):
        return nn.functional.relu(self.linear(x)) * self.scale


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
        self.again = self.blocks[0]
        self.number = 3

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


BLOCK = ["scale", "count", "linear.weight", "linear.bias"]
STATE = [f"{block}.{name}" for block in ("blocks.0", "blocks.1") for name in BLOCK]
STATE += ["head.1.weight", *(f"again.{name}" for name in BLOCK)]


def test_registration_by_attribute():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [n for n in STATE[:9] if "count" not in n]
    assert [n for n, _ in net.named_buffers()] == [
        "blocks.0.count",
        "blocks.0.cache",
        "blocks.1.count",
        "blocks.1.cache",
    ]
    assert [n for n, _ in net.named_children()] == ["blocks", "head", "again"]
    assert [n for n, _ in net.named_modules()] == [
        "", "blocks", "blocks.0", "blocks.0.linear", "blocks.1", "blocks.1.linear", "head", "head.0", "head.1",
    ]  # fmt: skip
    assert list(net.state_dict()) == STATE
    assert [n for n, _ in net.blocks[0].named_parameters(prefix="p", recurse=False)] == ["p.scale"]
    assert len(list(net.parameters())) == 7
    assert len(list(net.buffers())) == 4


def test_shared_parameters_are_yielded_once():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert len(list(net.parameters())) == 3
    assert len(net.state_dict()) == 4


def test_attributes_are_replaced_and_deleted():
    block = Block()
    block.scale = nn.Parameter([2.0])
    assert block.scale.item() == 2
    del block.scale
    del block.linear
    del block.count
    assert list(block.parameters()) == []
    assert list(block.state_dict()) == []
    assert not hasattr(block, "scale")
    block.count = 3
    assert list(block.buffers(recurse=False)) == [block.cache]
    with pytest.raises(AttributeError):
        del block.scale
    linear = nn.Linear(2, 2)
    linear.bias = None
    assert list(linear.state_dict()) == ["weight"]
    assert linear(nnative.ones(1, 2)).shape == (1, 2)


def test_a_buffer_keeps_its_place_when_replaced():
    block = Block()
    block.count = nnative.tensor(5)
    assert block.state_dict()["count"].item() == 5
    block.count = nn.Parameter([1.0])
    assert "count" in dict(block.named_parameters())
    assert "count" not in dict(block.named_buffers())


@pytest.mark.parametrize(
    ("name", "value", "expected", "got"),
    [
        ("scale", np.ones(1), "Parameter", "ndarray"),
        ("scale", nnative.ones(1), "Parameter", "Tensor"),
        ("linear", 3, "Module", "int"),
        ("count", np.ones(1), "Tensor", "ndarray"),
    ],
)
def test_assigning_something_else_is_an_error(name, value, expected, got):
    with pytest.raises(
        TypeError, match=rf"\[Module\] expected a {expected} or None for the attribute '{name}', got {got}"
    ):
        setattr(Block(), name, value)


def test_name_clashes():
    block = Block()
    for add in (
        lambda: setattr(block, "train", nn.Parameter([1.0])),
        lambda: block.add_module("forward", nn.ReLU()),
        lambda: block.register_buffer("parameters", nnative.ones(1)),
        lambda: block.register_parameter("training", nn.Parameter([1.0])),
    ):
        with pytest.raises(ValueError, match=r"\[Block\] '\w+' is an attribute of the class"):
            add()
    block.plain = 3
    for add in (
        lambda: block.register_buffer("plain", nnative.ones(1)),
        lambda: block.register_parameter("linear", nn.Parameter([1.0])),
        lambda: block.add_module("scale", nn.ReLU()),
    ):
        with pytest.raises(ValueError, match=r"\[Block\] '\w+' is already an attribute"):
            add()
    for name in ("", "a.b"):
        with pytest.raises(ValueError, match="without dots"):
            block.add_module(name, nn.ReLU())
    for add in (
        lambda: block.add_module("x", 3),
        lambda: block.register_parameter("x", nnative.ones(1)),
        lambda: block.register_buffer(3, nnative.ones(1)),
    ):
        with pytest.raises(TypeError, match="got "):
            add()
    block.register_parameter("later", None)
    block.later = nn.Parameter([1.0])
    assert "later" in dict(block.named_parameters())


def test_modes_reach_all_modules():
    net = Net()
    assert net.training
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())
    with pytest.raises(TypeError, match=r"\[train\]"):
        net.train("yes")


def test_zero_grad_and_requires_grad():
    net = Net()
    net(nnative.ones(2, 4)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(not p.grad.any() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.blocks.requires_grad_(False)
    net(nnative.ones(2, 4)).sum().backward()
    assert [n for n, p in net.named_parameters() if p.grad is not None] == ["head.1.weight"]


def test_apply_visits_children_first():
    seen = []
    nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU())).apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "ReLU", "Sequential", "Sequential"]


def test_conversion_keeps_the_parameters():
    net = Net()
    before = list(net.parameters())
    net(nnative.ones(2, 4)).sum().backward()
    assert net.double() is net
    after = list(net.parameters())
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert {p.dtype for p in after} == {p.grad.dtype for p in after} == {np.dtype("float64")}
    assert net.blocks[0].count.dtype == np.int64
    assert net.blocks[0].cache.dtype == np.float64
    assert net(nnative.ones(2, 4, dtype="float64")).dtype == np.float64
    assert {p.dtype for p in net.float().parameters()} == {np.dtype("float32")}
    with pytest.raises(TypeError, match=r"\[to\] expected float32 or float64, got int64"):
        net.to("int64")


def test_state_goes_round():
    a, b = Net(), Net()
    a.blocks[0].count.data[...] = 7
    state = a.state_dict()
    assert np.shares_memory(state["blocks.0.scale"].data, a.blocks[0].scale.data)
    assert not state["blocks.0.scale"].requires_grad
    result = b.load_state_dict({k: v.numpy() for k, v in state.items()})
    assert result == ([], [])
    x = nnative.ones(3, 4)
    np.testing.assert_array_equal(a(x), b(x))
    assert b.blocks[0].count.item() == 7
    assert not np.shares_memory(a.head[1].weight.data, b.head[1].weight.data)


def test_every_misfit_is_listed_and_nothing_is_loaded():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = {k: v.clone() for k, v in net.state_dict().items()}
    state = {
        "0.weight": np.zeros((3, 2), np.float32),
        "0.bias": np.zeros(4, np.float32),
        "1.weight": np.zeros((1, 3)),
        "other": np.zeros(1),
    }
    with pytest.raises(ValueError, match=r"\[load_state_dict\] .* Sequential, nothing was loaded") as info:
        net.load_state_dict(state)
    assert str(info.value).splitlines()[1:] == [
        "  missing: 1.bias",
        "  unexpected: other",
        "  0.bias: expected shape (3,), got (4,)",
        "  1.weight: expected float32, got float64",
    ]
    with pytest.raises(ValueError, match="expected shape"):
        net.load_state_dict(state, strict=False)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    result = net.load_state_dict({"0.weight": state["0.weight"], "other": 1}, strict=False)
    assert result.missing_keys == ["0.bias", "1.weight", "1.bias"]
    assert result.unexpected_keys == ["other"]
    assert not net[0].weight.data.any()


def test_loading_into_read_only_memory_or_from_something_else():
    linear = nn.Linear(2, 1)
    weight = np.ones((1, 2), np.float32)
    weight.flags.writeable = False
    linear.weight = nn.Parameter(weight)
    with pytest.raises(ValueError, match=r"weight: .* read-only"):
        linear.load_state_dict(nn.Linear(2, 1).state_dict())
    with pytest.raises(TypeError, match=r"\[load_state_dict\] expected a dict .* got list"):
        linear.load_state_dict([1])
    with pytest.raises(ValueError, match="weight: expected shape"):
        nn.Linear(2, 1).load_state_dict({"weight": "text", "bias": None})


@pytest.mark.parametrize("function", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent_and_complete(function):
    net = Net().eval()
    other = function(net)
    assert list(other.state_dict()) == STATE
    assert other.again is other.blocks[0]
    assert other.number == 3
    assert not any(m.training for m in other.modules())
    np.testing.assert_array_equal(net(nnative.ones(2, 4)), other(nnative.ones(2, 4)))
    other.head[1].weight.data[...] = 0
    assert net.head[1].weight.data.any()


def test_a_module_without_forward_or_super_init():
    class Bare(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(2, 2)

    bare = Bare()
    assert len(list(bare.parameters())) == 2
    with pytest.raises(NotImplementedError, match=r"\[Bare\] a module needs a forward method"):
        bare(1)


def test_containers():
    layers = nn.ModuleList()
    layers.append(nn.ReLU()).extend([nn.Tanh(), nn.Sigmoid()])
    layers.insert(0, nn.Identity())
    assert [type(m).__name__ for m in layers] == ["Identity", "ReLU", "Tanh", "Sigmoid"]
    assert [n for n, _ in layers.named_children()] == ["0", "1", "2", "3"]
    assert isinstance(layers[-1], nn.Sigmoid)
    assert isinstance(layers[1:3], nn.ModuleList)
    assert len(layers[1:3]) == 2
    del layers[1]
    assert [n for n, _ in layers.named_children()] == ["0", "1", "2"]
    layers[0] = nn.Flatten()
    assert isinstance(layers[0], nn.Flatten)
    with pytest.raises(IndexError, match=r"\[ModuleList\] expected an index of 3 modules, got 3"):
        layers[3]
    with pytest.raises(TypeError, match=r"\[add_module\] expected a Module"):
        layers.append(3)
    net = nn.Sequential({"first": nn.Linear(2, 3), "second": nn.Linear(3, 1)})
    assert net(nnative.ones(5, 2)).shape == (5, 1)
    assert next(iter(net.state_dict())) == "first.weight"
    assert nn.Sequential()(3) == 3


def test_linear_checks_its_sizes_and_input():
    for bad in (-1, 2.0, "3"):
        with pytest.raises(ValueError, match=r"\[Linear\] expected in_features"):
            nn.Linear(bad, 1)
    with pytest.raises(ValueError, match=re.escape("[linear] expected input of 784 features, got shape (32, 28, 28)")):
        nn.Linear(784, 10)(nnative.zeros(32, 28, 28))
    with pytest.raises(TypeError, match=r"\[linear\] .* got float64 and float32"):
        nn.Linear(3, 1)(np.zeros((2, 3)))
    with pytest.raises(TypeError, match=r"\[linear\] .* int64"):
        nn.Linear(3, 1)(nnative.tensor([[1, 2, 3]]))
    assert nn.Linear(3, 1)(np.zeros((0, 3), np.float32)).shape == (0, 1)
    assert nn.Linear(3, 1, dtype="float64").weight.dtype == np.float64


def test_linear_starts_within_pytorchs_bound():
    linear = nn.Linear(100, 50)
    for p in linear.parameters():
        assert np.abs(p.data).max() <= 0.1
        assert np.abs(p.data).max() > 0.08


def test_losses_check_their_reduction():
    for loss in (nn.MSELoss, nn.CrossEntropyLoss):
        with pytest.raises(
            ValueError, match=rf"\[{loss.__name__}\] expected reduction to be one of 'mean', .*'none', got 'avg'"
        ):
            loss(reduction="avg")
        with pytest.raises(TypeError, match=r"expected size_average to be a bool or None, got 'sum': write reduction="):
            nn.MSELoss("sum")


def test_properties_of_a_module_can_be_set():
    class Scaled(nn.Module):
        @property
        def scale(self):
            return self._scale

        @scale.setter
        def scale(self, value):
            self._scale = 2 * value

        @property
        def broken(self):
            return self.missing

    module = Scaled()
    module.scale = 3
    assert module.scale == 6
    with pytest.raises(AttributeError, match="'missing'"):
        module.broken  # noqa: B018


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda module: pickle.loads(pickle.dumps(module))])
def test_the_mode_is_there_from_the_beginning_and_goes_with_copies(copied):
    class Bare(nn.Module):
        def __init__(self):
            pass

    assert Bare().training
    assert copied(nn.Dropout()).training
    assert not copied(nn.Dropout().eval()).training
