"""Layers and functions take PyTorch's arguments, in its order and with its defaults."""

import inspect

import pytest

from nnative import nn

LAYERS = [
    "AlphaDropout",
    "BatchNorm1d",
    "Bilinear",
    "Embedding",
    "GroupNorm",
    "LayerNorm",
    "ModuleDict",
    "ParameterList",
    "RMSNorm",
    "Unflatten",
]
FUNCTIONS = ["alpha_dropout", "bilinear", "embedding", "group_norm", "layer_norm", "rms_norm"]
LEFT_OUT = {"device", "_weight", "_freeze"}


def arguments(callable_):
    return [(p.name, p.default) for p in inspect.signature(callable_).parameters.values() if p.name not in LEFT_OUT]


@pytest.mark.parametrize("name", LAYERS)
def test_constructors(name):
    torch = pytest.importorskip("torch")
    assert arguments(getattr(nn, name)) == arguments(getattr(torch.nn, name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    torch = pytest.importorskip("torch")
    if name == "bilinear":  # PyTorch's has no signature
        expected = [("input1", inspect._empty), ("input2", inspect._empty), ("weight", inspect._empty), ("bias", None)]
    else:
        expected = arguments(getattr(torch.nn.functional, name))
    assert arguments(getattr(nn.functional, name)) == expected


def test_embeddings_of_a_given_table():
    torch = pytest.importorskip("torch")
    assert arguments(nn.Embedding.from_pretrained) == arguments(torch.nn.Embedding.from_pretrained)
