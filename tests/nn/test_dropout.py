"""Dropout keeps its expectation in both modes, draws from the default generator, and leaves alone what it should."""

import numpy as np
import pytest

import nnative
from nnative import nn, random

X = np.random.default_rng(2).standard_normal((40, 50)).astype("float32")


@pytest.mark.parametrize("p", [0.5, 0.25, 0.1])
def test_the_expectation_is_the_input_in_inverted_and_its_share_in_classic_mode(p):
    random.manual_seed(1)
    x = nnative.ones(400_000)
    error = 5 * np.sqrt(p / (1 - p) / 400_000)
    assert nn.Dropout(p)(x).mean().item() == pytest.approx(1.0, abs=error)
    classic = nn.Dropout(p, mode="classic")
    assert classic(x).mean().item() == pytest.approx(1 - p, abs=error)
    assert set(classic(x).tolist()) == {0.0, 1.0}
    np.testing.assert_allclose(classic.eval()(x).numpy(), np.full(400_000, 1 - p), rtol=1e-6)


def test_kept_elements_are_scaled_as_torch_does():
    torch = pytest.importorskip("torch")
    y, z = nn.Dropout(0.3)(nnative.Tensor(X)).numpy(), torch.nn.Dropout(0.3)(torch.from_numpy(X)).numpy()
    both = (y != 0) & (z != 0)
    np.testing.assert_allclose(y[both], z[both], rtol=1e-6)
    assert repr(nn.Dropout(0.3)) == repr(torch.nn.Dropout(0.3))
    assert repr(nn.Dropout()) == repr(torch.nn.Dropout())


@pytest.mark.parametrize("mode", ["inverted", "classic"])
def test_the_gradient_has_the_mask_of_the_result(mode, dtype):
    x = nnative.Tensor(np.ones((70, 90), dtype), requires_grad=True)
    y = nn.Dropout(0.4, mode=mode)(x)
    nn.functional.dropout(y, 0.5)  # another stream in between
    y.backward(np.full((70, 90), 3, dtype))
    np.testing.assert_allclose(x.grad, 3 * y.numpy(), rtol=1e-6)


def test_the_seed_decides_and_each_call_has_its_own_mask():
    layer, x = nn.Dropout(0.5), nnative.Tensor(X)
    random.manual_seed(9)
    first, second = layer(x).numpy(), layer(x).numpy()
    assert random.default_generator.stream == 2
    state = random.default_generator.get_state()
    third = layer(x).numpy()
    assert (first != second).any()
    random.manual_seed(9)
    np.testing.assert_array_equal(layer(x).numpy(), first)
    random.default_generator.set_state(state)
    np.testing.assert_array_equal(layer(x).numpy(), third)


def test_evaluation_and_p_zero_are_the_identity_and_take_no_stream():
    x, before = nnative.Tensor(X), random.default_generator.stream
    assert nn.Dropout(0.5).eval()(x) is x
    assert nn.Dropout(0.0)(x) is x
    assert nn.functional.dropout(x, 0.5, False) is x
    assert random.default_generator.stream == before


def test_p_one_gives_zeros():
    x = nnative.Tensor(np.array([1.0, np.inf, np.nan]), requires_grad=True)
    y = nn.Dropout(1.0)(x)
    y.backward(np.ones(3))
    np.testing.assert_array_equal(y.numpy(), np.zeros(3))
    np.testing.assert_array_equal(x.grad, np.zeros(3))


def test_keep_is_one_minus_p():
    assert nn.Dropout(keep=0.75).p == 0.25
    random.manual_seed(3)
    a = nn.functional.dropout(nnative.Tensor(X), keep=0.8)
    random.manual_seed(3)
    np.testing.assert_array_equal(a, nn.functional.dropout(nnative.Tensor(X), 1.0 - 0.8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 0.5, "keep": 0.5}, r"\[dropout\] expected p or keep"),
        ({"p": 1.5}, r"\[dropout\] expected p between 0 and 1, got 1.5"),
        ({"p": float("nan")}, "expected p between 0 and 1"),
        ({"keep": -0.1}, "expected keep between 0 and 1"),
        ({"mode": "fast"}, "expected mode to be 'inverted' or 'classic'"),
    ],
)
def test_wrong_arguments_are_errors(arguments, message):
    for make in (nn.Dropout, lambda **a: nn.functional.dropout(nnative.Tensor(X), **a)):
        with pytest.raises(ValueError, match=message):
            make(**arguments)


def test_anything_but_a_float_tensor_is_an_error():
    with pytest.raises(TypeError, match=r"\[dropout\] expected a Tensor"):
        nn.functional.dropout(X)
    with pytest.raises(TypeError, match="float32 or float64"):
        nn.functional.dropout(nnative.Tensor(np.arange(3)))
