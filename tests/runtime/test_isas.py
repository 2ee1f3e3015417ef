"""Which instruction set the kernels use."""

from __future__ import annotations

import pytest

import nnative
from nnative import _native

SUPPORTED = [name for name, supported in _native.isas() if supported]


@pytest.mark.parametrize("name", SUPPORTED)
def test_the_environment_forces_an_instruction_set(name, run_python):
    assert run_python("import nnative; print(nnative.cpu_info()['isa'])", NNATIVE_ISA=name) == name


@pytest.mark.parametrize("name", ["avx3", "AVX2", "avx512,avx2", " "])
def test_an_unknown_instruction_set_is_an_error_at_first_use(name, run_python):
    result = run_python("import nnative; nnative.zeros(2) + 1", check=False, NNATIVE_ISA=name)
    assert result.returncode != 0
    known = ", ".join(n for n, _ in _native.isas())
    assert result.stderr.splitlines()[-1] == (
        f"ValueError: NNATIVE_ISA: unknown instruction set '{name}'; this build has: {known}"
    )


@pytest.mark.parametrize("name", [name for name, supported in _native.isas() if not supported])
def test_an_unsupported_instruction_set_is_an_error_at_first_use(name, run_python):
    result = run_python("import nnative; nnative.zeros(2) + 1", check=False, NNATIVE_ISA=name)
    assert result.returncode != 0
    assert "is not supported by this CPU" in result.stderr


@pytest.mark.parametrize("value", [None, ""])
def test_the_best_supported_set_is_the_default(value, run_python):
    env = {} if value is None else {"NNATIVE_ISA": value}
    assert run_python("import nnative; print(nnative.cpu_info()['isa'])", **env) == SUPPORTED[-1]


def test_support_agrees_with_the_kernel():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        flags = next((set(line.split()) for line in lines if line.startswith("flags")), None)
    if flags is None:
        pytest.skip("no x86 CPU")
    needed = {"baseline": set(), "avx2": {"avx2", "fma", "bmi2", "f16c"}, "avx512": {"avx512f", "avx512vl", "avx512bw"}}
    assert {name: needed[name] <= flags for name, _ in _native.isas()} == dict(_native.isas())


def test_set_isa_switches_within_a_process(isa):
    assert _native.isa() == isa
    assert nnative.cpu_info()["isa"] == isa


def test_set_isa_refuses_an_unknown_name():
    before = _native.isa()
    with pytest.raises(ValueError, match="unknown instruction set 'sse9'; this build has: baseline"):
        _native.set_isa("sse9")
    assert _native.isa() == before
