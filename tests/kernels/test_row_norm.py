"""Normalisation within a sample where the comparison with the reference does not look: accuracy, bits, sizes."""

import itertools

import numpy as np
import pytest

from nnative import _native

RNG = np.random.default_rng(8)
SIZES = [(300, 1, 70, 1), (65, 1, 1000, 1), (9, 4, 6, 33), (200, 5, 16, 1), (1, 1, 5000, 1), (3, 2, 1, 700)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("centred", [True, False])
def test_threads_and_instruction_sets_give_the_same_bits(sizes, centred, dtype, set_threads, fma_isas):
    x, dy = (RNG.standard_normal(sizes).astype(dtype) for _ in range(2))
    weight, bias = (RNG.standard_normal(sizes[1] * sizes[2]).astype(dtype) for _ in range(2))
    results = set()
    for isa in fma_isas:
        _native.set_isa(isa)
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            y, mean, invstd = _native.row_norm_forward(x, weight, bias, sizes, 1e-5, centred)
            grads = _native.row_norm_backward(dy, x, mean, invstd, weight, sizes, True, True, True)
            alone = _native.row_norm_backward(dy, x, mean, invstd, weight, sizes, True, False, False)
            assert alone[0].tobytes() == grads[0].tobytes()
            results.add(b"".join(a.tobytes() for a in (y, invstd, *grads)))
    assert len(results) == 1


@pytest.mark.parametrize("length", [10, 100, 5000])
@pytest.mark.parametrize("centre", [0.0, 1e3, -1e4])
def test_a_far_mean_does_not_spoil_the_variance(isa, length, centre):
    x = (RNG.standard_normal((50, length)) + centre).astype("float32")
    exact = x.astype("float64")
    _, mean, invstd = _native.row_norm_forward(x, None, None, (50, 1, length, 1), 1e-5, True)
    np.testing.assert_allclose(mean, exact.mean(1), rtol=2e-7, atol=1e-7)
    np.testing.assert_allclose(invstd, 1 / np.sqrt(exact.var(1) + 1e-5), rtol=3e-6 + abs(centre) * 1e-8)


def test_a_row_does_not_depend_on_its_batch(isa, dtype, threads):
    x, weight, bias = RNG.standard_normal((300, 70)).astype(dtype), *RNG.standard_normal((2, 70)).astype(dtype)
    whole = _native.row_norm_forward(x, weight, bias, (300, 1, 70, 1), 1e-5, True)[0]
    for n in (0, 17, 299):
        alone = _native.row_norm_forward(x[n : n + 1], weight, bias, (1, 1, 70, 1), 1e-5, True)[0]
        np.testing.assert_array_equal(alone[0], whole[n])


@pytest.mark.parametrize("wanted", list(itertools.product([True, False], repeat=3)))
@pytest.mark.parametrize("sizes", [(20, 3, 7, 1), (4, 3, 5, 6)])
def test_each_gradient_alone_is_that_of_all(wanted, sizes, dtype):
    x, dy = (RNG.standard_normal(sizes).astype(dtype) for _ in range(2))
    weight = RNG.standard_normal(sizes[1] * sizes[2]).astype(dtype)
    _, mean, invstd = _native.row_norm_forward(x, weight, None, sizes, 1e-5, True)
    every = _native.row_norm_backward(dy, x, mean, invstd, weight, sizes, True, True, True)
    some = _native.row_norm_backward(dy, x, mean, invstd, weight, sizes, *wanted)
    for want, one, reference in zip(wanted, some, every, strict=True):
        if want:
            np.testing.assert_array_equal(one, reference)
        else:
            assert one is None


@pytest.mark.parametrize("sizes", [(0, 3, 4, 5), (3, 0, 4, 5), (3, 1, 0, 5), (3, 1, 4, 0)])
def test_nothing_gives_nothing(sizes, dtype):
    x, channels = np.zeros(sizes, dtype), sizes[1] * sizes[2]
    y, mean, invstd = _native.row_norm_forward(x, None, None, sizes, 1e-5, True)
    assert y.shape == sizes
    dx, dweight, dbias = _native.row_norm_backward(x, x, mean, np.ones_like(invstd), None, sizes, True, True, True)
    assert dx.shape == sizes
    np.testing.assert_array_equal(dweight, np.zeros(channels))
    np.testing.assert_array_equal(dbias, np.zeros(channels))


def test_sizes_that_do_not_fit_are_errors():
    x = np.ones((4, 6), "float32")
    for sizes in ((4, 1, 5, 1), (-4, 1, -6, 1), (2**62, 2**62, 0, 1)):
        with pytest.raises(ValueError, match="four sizes"):
            _native.row_norm_forward(x, None, None, sizes, 1e-5, True)
    with pytest.raises(ValueError, match="weight"):
        _native.row_norm_forward(x, np.ones(4, "float32"), None, (4, 1, 6, 1), 1e-5, True)
    with pytest.raises(TypeError, match="bias"):
        _native.row_norm_forward(x, None, np.ones(6), (4, 1, 6, 1), 1e-5, True)
    with pytest.raises(ValueError, match="invstd"):
        _native.row_norm_backward(x, x, None, np.ones(3, "float32"), None, (4, 1, 6, 1), True, True, True)
