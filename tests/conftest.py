"""Fixtures that run a test on every instruction set, dtype and number of threads."""

from __future__ import annotations

import os

import pytest

from nnative import _native


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
