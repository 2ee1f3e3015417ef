"""Module.summary: counts and output shapes."""

import itertools

import numpy as np
import pytest

import nnative
from nnative import nn


def perceptron(inputs, hidden, outputs, layers=1):
    sizes = [inputs, *[hidden] * layers, outputs]
    modules = [m for a, b in itertools.pairwise(sizes) for m in (nn.Linear(a, b), nn.Sigmoid())]
    return nn.Sequential(*modules[:-1])


@pytest.mark.parametrize(("n", "p", "m"), [(2, 3, 1), (784, 128, 10)])
def test_parameter_counts_of_the_lectures(n, p, m):
    one, three = perceptron(n, p, m).summary((n,)), perceptron(n, p, m, layers=3).summary((n,))
    assert (one.weights, one.biases) == (n * p + p * m, p + m)
    assert (three.weights, three.biases) == (n * p + 2 * p**2 + p * m, 3 * p + m)
    assert three.parameters == three.trainable == three.weights + three.biases


def test_lines_and_table():
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2, bias=False)
    )
    model[1].weight.requires_grad = False
    summary = model.summary((2, 3))
    assert [(line.name, line.output_shape, line.weights, line.biases) for line in summary.lines] == [
        ("0", ("N", 6), 0, 0),
        ("1", ("N", 4), 24, 4),
        ("2", ("N", 4), 4, 4),
        ("3", ("N", 4), 0, 0),
        ("4", ("N", 2), 8, 0),
    ]
    assert (summary.parameters, summary.trainable) == (44, 20)
    lines = str(summary).splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "weights", "biases"]
    assert lines[3].split() == ["1", "Linear", "(N,", "4)", "24", "4"]
    assert lines[-1] == "44 parameters: 36 weights, 8 biases; 20 trainable"


def test_the_model_is_as_it_was():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    model[2].eval()
    before = [np.array(v) for v in model.state_dict().values()]
    stream = nnative.random.default_generator.stream
    model.summary((3,))
    with pytest.raises(ValueError, match="expected input of 3 features"):
        model.summary((4,))
    assert [m.training for m in model] == [True, True, False]
    assert nnative.random.default_generator.stream == stream
    for a, b in zip(before, model.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_shared_parameters_several_inputs_and_layers_that_are_not_called():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(3, 3, dtype="float64")
            self.tied = nn.Linear(3, 3, dtype="float64")
            self.tied.weight = self.a.weight
            self.unused = nn.Linear(5, 5)
            self.scale = nn.Parameter(np.ones(1))

        def forward(self, x, y):
            return self.tied(self.a(x)) * self.scale + y

    summary = Net().summary([(3,), (1,)])
    assert [(line.name, line.output_shape, line.weights, line.biases) for line in summary.lines] == [
        ("", ("N", 3), 1, 0),
        ("a", ("N", 3), 9, 3),
        ("tied", ("N", 3), 0, 3),
        ("unused", None, 25, 5),
    ]
    assert summary.parameters == sum(p.numel() for p in Net().parameters())


def test_a_shape_that_is_none_is_an_error():
    for shape in (784, (3, -1), [3], ("a",)):
        with pytest.raises(ValueError, match=r"^\[summary\] expected the shape of one input"):
            nn.Linear(3, 1).summary(shape)
