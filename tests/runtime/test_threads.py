"""How many threads there are: defaults, limits, settings."""

from __future__ import annotations

import os

import numpy as np
import pytest
import threadpoolctl

import nnative
from nnative import _native

CPUS = len(os.sched_getaffinity(0))


def expected_default():
    quota = _native._quota_cpus("")
    return min(CPUS, quota) if quota else CPUS


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("1", 1), ("2", 2), ("2,1", 2), ("9" * 30, None), ("0", None), ("-3", None), ("many", None), ("", None)],
)
def test_omp_num_threads(value, wanted, run_python):
    expected = expected_default()
    printed = run_python("import nnative; print(nnative.get_num_threads())", OMP_NUM_THREADS=value)
    assert int(printed) == (expected if wanted is None else min(wanted, expected))


def test_the_default_follows_affinity(run_python):
    code = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}}); import nnative; " + (
        "info = nnative.cpu_info(); print(info['threads'], info['cpus'])"
    )
    assert run_python(code) == "1 1"


def write(root, files):
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text + "\n")


V2 = {"proc/self/cgroup": "0::/"}
NESTED = {"proc/self/cgroup": "0::/user/job"}
V1 = {"proc/self/cgroup": "5:memory:/x\n4:cpu,cpuacct:/docker/abc\n0::/"}
GROUP = "sys/fs/cgroup/"


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({}, 0),
        (V2, 0),
        (V2 | {GROUP + "cpu.max": "max 100000"}, 0),
        (V2 | {GROUP + "cpu.max": "200000 100000"}, 2),
        (V2 | {GROUP + "cpu.max": "150000 100000"}, 2),
        (V2 | {GROUP + "cpu.max": "20000 100000"}, 1),
        (V2 | {GROUP + "cpu.max": "nonsense"}, 0),
        (V2 | {GROUP + "cpu.max": "100000 0"}, 0),
        (NESTED | {GROUP + "user/job/cpu.max": "300000 100000"}, 3),
        (NESTED | {GROUP + "user/job/cpu.max": "max 100000", GROUP + "user/cpu.max": "400000 100000"}, 4),
        (NESTED | {GROUP + "user/job/cpu.max": "800000 100000", GROUP + "user/cpu.max": "400000 100000"}, 4),
        (NESTED | {GROUP + "cpu.max": "500000 100000"}, 5),
        (V1 | {GROUP + "cpu/cpu.cfs_quota_us": "-1", GROUP + "cpu/cpu.cfs_period_us": "100000"}, 0),
        (V1 | {GROUP + "cpu/cpu.cfs_quota_us": "250000", GROUP + "cpu/cpu.cfs_period_us": "100000"}, 3),
        (
            V1
            | {
                GROUP + "cpu/docker/abc/cpu.cfs_quota_us": "100000",
                GROUP + "cpu/docker/abc/cpu.cfs_period_us": "50000",
                GROUP + "cpu/cpu.cfs_quota_us": "-1",
                GROUP + "cpu/cpu.cfs_period_us": "100000",
            },
            2,
        ),
    ],
)
def test_cpu_quota(tmp_path, files, cpus):
    write(tmp_path, files)
    assert _native._quota_cpus(str(tmp_path)) == cpus


@pytest.mark.parametrize("n", [0, -1, 1025, 10**30])
def test_set_num_threads_refuses_numbers_out_of_range(n):
    before = nnative.get_num_threads()
    with pytest.raises(ValueError, match=rf"\[set_num_threads\] expected 1 to 1024 threads, got {n}"):
        nnative.set_num_threads(n)
    assert nnative.get_num_threads() == before


@pytest.mark.parametrize("n", [True, 2.0, "2", None, np.float64(1), [1]])
def test_set_num_threads_refuses_other_types(n):
    with pytest.raises(TypeError, match=r"\[set_num_threads\] expected an integer, got"):
        nnative.set_num_threads(n)


def test_set_num_threads_takes_any_integer(threads):
    nnative.set_num_threads(np.int64(threads + 1))
    assert nnative.get_num_threads() == threads + 1


def test_cpu_info():
    info = nnative.cpu_info()
    assert list(info) == ["model", "cpus", "threads", "isa", "available"]
    assert info["cpus"] == CPUS
    assert info["available"] == [name for name, supported in _native.isas() if supported]
    assert isinstance(info["model"], str)
    assert info["model"]


def test_threadpoolctl_sees_and_limits(threads):
    def seen():
        return [lib["num_threads"] for lib in threadpoolctl.threadpool_info() if lib["user_api"] == "nnative"]

    assert seen() == [threads]
    with threadpoolctl.threadpool_limits(1):
        assert nnative.get_num_threads() == 1
        assert seen() == [1]
    with threadpoolctl.threadpool_limits({"nnative": 7}):
        assert nnative.get_num_threads() == 7
    assert nnative.get_num_threads() == threads


@pytest.mark.parametrize("first", ["threadpoolctl, nnative", "nnative, threadpoolctl"])
def test_threadpoolctl_in_either_order(first, run_python):
    code = f"import {first}\nwith threadpoolctl.threadpool_limits(1): print(nnative.get_num_threads())"
    assert run_python(code) == "1"


def test_import_without_threadpoolctl(run_python):
    code = "import sys; sys.modules['threadpoolctl'] = None; import nnative; print(nnative.get_num_threads() > 0)"
    assert run_python(code) == "True"
