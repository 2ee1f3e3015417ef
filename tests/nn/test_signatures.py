"""Layers and functions take PyTorch's arguments, in its order, under its names and with its defaults."""

import inspect

import numpy as np
import pytest

import nnative
from nnative import nn

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")

# What differs, and why.
OTHER_CONSTRUCTORS = {
    "Dropout": "keep and mode follow",
    "Hardtanh": "without PyTorch's deprecated names",
    "Parameter": "dtype follows",
}
OTHER_FUNCTIONS = {
    "batch_norm": "num_batches_tracked follows",
    "dropout": "keep and mode follow",
    "log_softmax": "dtype is the input's",
    "softmax": "dtype is the input's",
    "softmin": "dtype is the input's",
}
LEFT_OUT = {"self", "device", "_weight", "_freeze"}
OLD = {"size_average", "reduce"}  # of functions, where what comes after weight is given by name


def shared(namespace, theirs):
    return [name for name in namespace.__all__ if hasattr(theirs, name)]


CLASSES = [name for name in shared(nn, torch.nn) if inspect.isclass(getattr(nn, name))]
FUNCTIONS = shared(nn.functional, torch.nn.functional)


def parameters(callable_, left_out=LEFT_OUT):
    """Return names and defaults; None where there is no signature to compare with."""
    try:
        found = inspect.signature(callable_).parameters.values()
    except ValueError:  # a builtin
        return None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in found):
        return None
    return [(p.name, p.default) for p in found if p.name not in left_out]


@pytest.mark.parametrize("name", CLASSES)
def test_constructors(name):
    theirs = parameters(getattr(torch.nn, name))
    if theirs is None:
        return
    ours = parameters(getattr(nn, name))
    assert (ours == theirs) == (name not in OTHER_CONSTRUCTORS), ours


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    theirs = parameters(getattr(torch.nn.functional, name), LEFT_OUT | OLD)
    if theirs is None:
        return
    assert (parameters(getattr(nn.functional, name)) == theirs) == (name not in OTHER_FUNCTIONS)


@pytest.mark.parametrize("name", CLASSES)
def test_layers_are_called_by_the_same_names(name):
    theirs = getattr(torch.nn, name)
    theirs = parameters(theirs.forward) if hasattr(theirs, "forward") else None
    ours = parameters(getattr(nn, name).forward) if theirs else None
    if ours is not None:
        assert ours == theirs


@pytest.mark.parametrize("name", [name for name in CLASSES if name.endswith("Loss")])
def test_losses_are_called_by_the_same_names(name):
    rng = np.random.default_rng(0)
    arrays = {key: rng.uniform(0.1, 0.9, (5, 3)) for key, _ in parameters(getattr(torch.nn, name).forward)}
    if name in ("NLLLoss", "MultiMarginLoss"):
        arrays["target"] = np.array([0, 2, 1, 0, 0])
    if name == "MultiLabelMarginLoss":
        arrays["target"] = np.array([[0, -1, -1]] * 5)
    if name == "CosineEmbeddingLoss":
        arrays["target"] = np.array([1.0, -1, 1, -1, 1])
    ours, theirs = (getattr(lib.nn, name)(reduction="sum") for lib in (nnative, torch))
    a = ours(**{key: nnative.Tensor(value) for key, value in arrays.items()}).item()
    b = theirs(**{key: torch.tensor(value) for key, value in arrays.items()}).item()
    assert a == pytest.approx(b, rel=1e-10)


def test_linear_and_bilinear_functions_which_have_no_signature_in_torch():
    assert parameters(nn.functional.linear) == [("input", inspect._empty), ("weight", inspect._empty), ("bias", None)]
    x, w, v = np.ones((2, 4)), np.full((3, 4), 0.5), np.ones((3, 4, 4))
    for lib, tensor in ((nnative, nnative.Tensor), (torch, torch.tensor)):
        assert lib.nn.functional.linear(input=tensor(x), weight=tensor(w), bias=None).sum().item() == 12
        product = lib.nn.functional.bilinear(input1=tensor(x), input2=tensor(x), weight=tensor(v), bias=None)
        assert product.sum().item() == 96


def test_embeddings_of_a_given_table():
    assert parameters(nn.Embedding.from_pretrained) == parameters(torch.nn.Embedding.from_pretrained)
