"""Native kernels and their NumPy references are held together by name, signature and result."""

import pytest

from nnative import _native, check, reference


def test_every_kernel_has_a_reference_and_example_arguments():
    assert sorted(_native.kernels()) == sorted(reference.functions())


@pytest.mark.parametrize("kernel", _native.kernels())
def test_kernel_equals_reference(kernel, isa, dtype, threads):
    for n in check.SIZES:
        error = check.run_case(kernel, dtype, n, seed=n)
        assert error <= 1, f"{kernel}, {isa}, {dtype}, {threads} threads, n={n}: {error:.3g} times the tolerance"
