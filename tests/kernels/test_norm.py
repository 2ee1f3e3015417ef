"""Batch normalisation where the comparison with the reference does not look: accuracy, bits, running statistics."""

import numpy as np
import pytest

from nnative import _native

RNG = np.random.default_rng(4)


def train(x, weight=None, bias=None, running=(None, None, None), momentum=0.1):
    return _native.batch_norm_forward(x, *running, weight, bias, momentum, 1e-5)


@pytest.mark.parametrize("shape", [(300, 70), (130, 1000), (5, 7, 33), (40, 3), (2, 3, 9001)])
def test_threads_and_instruction_sets_give_the_same_bits(shape, dtype, set_threads, fma_isas):
    x, dy = (RNG.standard_normal(shape).astype(dtype) for _ in range(2))
    weight, bias = (RNG.standard_normal(shape[1]).astype(dtype) for _ in range(2))
    results = set()
    for isa in fma_isas:
        _native.set_isa(isa)
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            running = (np.zeros(shape[1], dtype), np.ones(shape[1], dtype), np.array(3))
            y, mean, invstd = train(x, weight, bias, running)
            arrays = [y, mean, invstd, *running]
            for training in (True, False):
                arrays += _native.batch_norm_backward(dy, x, mean, invstd, weight, training, True)
            arrays += _native.batch_norm_infer(x, running[0], running[1], weight, bias, 1e-5)
            results.add(b"".join(a.tobytes() for a in arrays))
    assert len(results) == 1


@pytest.mark.parametrize("shape", [(1000, 20), (50, 20, 20), (2, 3, 9001)])
@pytest.mark.parametrize("centre", [0.0, 1e3, -1e4])
def test_a_far_mean_does_not_spoil_the_variance(isa, shape, centre):
    x = (RNG.standard_normal(shape) + centre).astype("float32")
    axes = (0,) if x.ndim == 2 else (0, 2)
    exact = x.astype("float64")
    _, mean, invstd = train(x)
    np.testing.assert_allclose(mean, exact.mean(axes), rtol=2e-7, atol=1e-7)
    np.testing.assert_allclose(invstd, 1 / np.sqrt(exact.var(axes) + 1e-5), rtol=3e-6 + abs(centre) * 1e-8)


@pytest.mark.parametrize("rows", [slice(0, 1), slice(0, 8), slice(64, 68), slice(100, 101), slice(64, 128)])
def test_outliers_do_not_spoil_the_variance(isa, rows):
    """Differences are taken from the mean of a piece's first rows, wherever that lies."""
    x = RNG.standard_normal((500, 40)).astype("float32")
    x[rows] += 1e4
    _, _, invstd = train(x)
    np.testing.assert_allclose(invstd, 1 / np.sqrt(x.astype("float64").var(0) + 1e-5), rtol=3e-6)


def test_a_constant_channel_is_zero(dtype):
    x = np.full((200, 5), 0.1, dtype)
    y, mean, invstd = train(x)
    np.testing.assert_allclose(y, np.zeros_like(x), atol=1e-4)
    np.testing.assert_allclose(mean, x[0], rtol=1e-6)
    np.testing.assert_allclose(invstd, 1 / np.sqrt(1e-5), rtol=1e-4)


def test_running_statistics_follow_momentum_and_the_plain_average(isa, dtype, threads):
    batches = RNG.standard_normal((5, 30, 21)).astype(dtype)
    mean, var = batches.mean(1), batches.var(1, ddof=1)
    followed = (np.zeros(21, dtype), np.ones(21, dtype), np.array(0))
    averaged = (np.zeros(21, dtype), np.ones(21, dtype), np.array(0))
    want_mean, want_var = np.zeros(21), np.ones(21)
    for k, x in enumerate(batches):
        train(x, running=followed, momentum=0.3)
        train(x, running=averaged, momentum=None)
        want_mean, want_var = 0.7 * want_mean + 0.3 * mean[k], 0.7 * want_var + 0.3 * var[k]
    np.testing.assert_allclose(followed[0], want_mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(followed[1], want_var, rtol=1e-5)
    np.testing.assert_allclose(averaged[0], mean.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(averaged[1], var.mean(0), rtol=1e-5)
    assert followed[2] == averaged[2] == 5


def test_sizes_that_do_not_fit_are_errors():
    x = np.ones((4, 3), "float32")
    with pytest.raises(ValueError, match="more than one value"):
        train(x[:1])
    with pytest.raises(ValueError, match="weight"):
        train(x, weight=np.ones(4, "float32"))
    with pytest.raises(TypeError, match="running_mean"):
        train(x, running=(np.zeros(3), np.ones(3), None))
    with pytest.raises(ValueError, match="count"):
        train(x, running=(np.zeros(3, "float32"), np.ones(3, "float32"), None), momentum=None)
