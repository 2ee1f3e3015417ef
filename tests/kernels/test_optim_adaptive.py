"""Kernels of Adam and its kin where the example arguments of the reference check do not reach."""

import numpy as np
import pytest

from nnative import _native
from nnative.reference.optim_adaptive import ADAM_HYPER, EXAMPLES


@pytest.mark.parametrize("kernel", EXAMPLES)
def test_bits_depend_on_neither_threads_nor_instruction_set(kernel, same_bits):
    same_bits(kernel)


def test_bias_corrections_at_large_steps(dtype):
    for t in (1, 2, 1000, 10**6, 2**53):
        p, g = np.zeros(3, dtype), np.ones(3, dtype)
        m, v, step = np.zeros(3, dtype), np.ones(3, dtype), np.array(float(t - 1))
        hyper = np.array((1.0, (0.9, 0.999), 0, 0, 0, 0), ADAM_HYPER)
        _native.adam_step([p], [g], [m], [v], [], [step], hyper)
        expected = -0.1 / (1 - 0.9**t) * np.sqrt(1 - 0.999**t)
        assert step == t
        np.testing.assert_allclose(p, expected, rtol=4 * np.finfo(dtype).eps + 1e-13)
