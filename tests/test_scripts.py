"""The checks that CI relies on find what they are for."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


def load(name):
    spec = importlib.util.spec_from_file_location(f"nnative_scripts_{name}", SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# check_symbols


def symbol_problems(tmp_path, source):
    if not (shutil.which("c++") and shutil.which("nm")):
        pytest.skip("needs a compiler and nm")
    (tmp_path / "kernel.cpp").write_text(source)
    subprocess.run(["c++", "-std=c++20", "-O1", "-c", "kernel.cpp", "-o", "kernel.o"], cwd=tmp_path, check=True)
    command = ["nm", "--demangle", "--format=posix", "kernel.o"]
    listing = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    return load("check_symbols").problems(listing, "avx2")


CLEAN = """
namespace nnative { struct Team { int rank; }; void barrier(const Team&);
namespace avx2 { namespace { void kernel(const Team& team) { barrier(team); } }
extern void (*const table)(const Team&); void (*const table)(const Team&) = kernel; } }
"""


def test_clean_object(tmp_path):
    assert symbol_problems(tmp_path, CLEAN) == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            "inline float twice(float x) { return 2 * x; } float (*volatile p)(float) = twice;",
            "weak symbol: twice(float)",
        ),
        ("template <class T> inline T value = 1; int* p = &value<int>;", "weak symbol: value<int>"),
        (
            "#include <cmath>\nfloat f(float x) { return std::exp(x); }",
            "undefined symbol outside the allowed ones: expf",
        ),
        ("int* f() { return new int(1); }", "undefined symbol outside the allowed ones: operator new(unsigned long)"),
        ("namespace nnative { int f() { return 1; } }", "global symbol outside nnative::avx2: nnative::f()"),
        (
            "namespace nnative::avx512 { extern const int t; const int t = 1; }",
            "global symbol outside nnative::avx2: nnative::avx512::t",
        ),
        (
            "namespace nnative::avx512 { void g(); } void f() { nnative::avx512::g(); }",
            "undefined symbol outside the allowed ones: nnative::avx512::g()",
        ),
        (
            "static void f(float* y) { const auto g = [=](long i) __attribute__((noinline)) { return y[i] + 1; };"
            " for (long i = 0; i < 8; ++i) y[i] = g(i); } void (*volatile p)(float*) = f;",
            "function called for each element: f(float*)::{lambda(long)#1}::operator()(long) const",
        ),
    ],
)
def test_unsafe_symbols_are_found(tmp_path, source, problem):
    assert problem in symbol_problems(tmp_path, source)


# readme_commands


def test_readme_commands():
    text = "a\n```bash\nfirst\n  more\n```\n```python\nno\n```\n```bash\nsecond\n```\n"
    assert load("readme_commands").commands(text) == ["first\n  more\n", "second\n"]


# check_wheel


def wheel(tmp_path, extra=None, without=()):
    check_wheel = load("check_wheel")
    names = [*check_wheel.REQUIRED, "nnative/_native.cpython-311-x86_64-linux-gnu.so", "nnative-1.dist-info/LICENSE"]
    files = {name: b"x" for name in names if name not in without} | (extra or {})
    path = tmp_path / "nnative-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return check_wheel.problems(path)


def test_wheel_in_order(tmp_path):
    assert wheel(tmp_path) == []


@pytest.mark.parametrize(
    ("extra", "without", "problem"),
    [
        ({"cpp/kernels/linear.cpp": b""}, (), "holds cpp/kernels/linear.cpp, outside the package"),
        ({"nnative/linear.hpp": b""}, (), "holds nnative/linear.hpp"),
        ({"nnative/big.bin": b"\0" * 8_000_001}, (), "installs to 8.0 MB, more than 8 MB"),
        ({}, ("nnative/py.typed",), "lacks nnative/py.typed"),
        ({}, ("nnative/_native.cpython-311-x86_64-linux-gnu.so",), "lacks the compiled module nnative/_native.*.so"),
    ],
)
def test_wheel_out_of_order(tmp_path, extra, without, problem):
    assert wheel(tmp_path, extra, without) == [problem]
