"""Fixtures that run a test on every instruction set, dtype and number of threads."""

from __future__ import annotations

import os

import numpy as np
import pytest

from nnative import Tensor, _native, check, reference


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run tests marked slow (or set NNATIVE_SLOW=1)")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow") or os.environ.get("NNATIVE_SLOW") == "1":
        return
    skip = pytest.mark.skip(reason="slow: run with --slow or NNATIVE_SLOW=1")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(params=[name for name, _ in _native.isas()])
def isa(request):
    """Switch to each instruction set of the build; skip what this CPU does not have."""
    if not dict(_native.isas())[request.param]:
        pytest.skip(f"this CPU has no {request.param}")
    before = _native.isa()
    _native.set_isa(request.param)
    yield request.param
    _native.set_isa(before)


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = _native.num_threads()
    _native.set_num_threads(request.param)
    yield request.param
    _native.set_num_threads(before)


@pytest.fixture
def gradcheck():
    """Return a function that compares gradients with central differences: ``gradcheck(function, *float64_arrays)``."""

    def check(function, *arrays):
        tensors = [Tensor(np.array(a, np.float64), requires_grad=True) for a in arrays]
        result = function(*tensors)
        seed = np.asarray(np.random.default_rng(7).standard_normal(result.shape))
        result.backward(seed)
        for k, tensor in enumerate(tensors):
            expected = np.zeros_like(tensor.data)
            for i in np.ndindex(tensor.shape):
                centre, step = tensor.data[i], 1e-6 * max(1.0, abs(tensor.data[i]))
                ends = []
                for tensor.data[i] in (centre + step, centre - step):
                    ends.append(float((function(*tensors).data * seed).sum()))
                tensor.data[i] = centre
                expected[i] = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(tensor.grad, expected, rtol=1e-6, atol=1e-7, err_msg=f"argument {k}")

    return check


@pytest.fixture
def set_threads():
    """Give `set_num_threads` and restore the number of threads afterwards."""
    before = _native.num_threads()
    yield _native.set_num_threads
    _native.set_num_threads(before)


@pytest.fixture
def fma_isas():
    """Name the instruction sets that promise equal bits and restore the active one afterwards."""
    before = _native.isa()
    yield [name for name, supported in _native.isas() if supported and name != "baseline"]
    _native.set_isa(before)


def _bits(value):
    if isinstance(value, list | tuple):
        return [_bits(v) for v in value]
    return value.tobytes() if isinstance(value, np.ndarray) else value


@pytest.fixture(params=[60_001, 60_002])
def same_bits(request, dtype, fma_isas, set_threads):
    """Return a function that compares a kernel over instruction sets and threads: results, and what changes in place.

    The example arguments of its reference check, large enough to be shared.
    """
    if not fma_isas:
        pytest.skip("the baseline, without fused multiply-add, is exempt")
    examples = reference.examples()

    def check_bits(kernel):
        expected = None
        for isa in fma_isas:
            _native.set_isa(isa)
            for threads in (1, 2, 3):
                set_threads(threads)
                args = examples[kernel](check.Maker(dtype), request.param)
                got = _bits(getattr(_native, kernel)(*args)), _bits(args)
                expected = got if expected is None else expected
                assert got == expected, (isa, threads)

    return check_bits
