"""The runtime: instruction sets, numbers of threads, teams, fork, exit. Most of it needs a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
import threadpoolctl

import nnative
from nnative import _native

SUPPORTED = [name for name, supported in _native.isas() if supported]
CPUS = len(os.sched_getaffinity(0))


def run_python(code, timeout=60, check=True, **env):
    """Run code in a fresh interpreter; return what it printed (or the whole result with check=False)."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("NNATIVE_ISA", "OMP_NUM_THREADS")}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=inherited | env,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check:
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()
    return result


# Instruction sets


@pytest.mark.parametrize("name", SUPPORTED)
def test_the_environment_forces_an_instruction_set(name):
    assert run_python("import nnative; print(nnative.cpu_info()['isa'])", NNATIVE_ISA=name) == name


@pytest.mark.parametrize("name", ["avx3", "AVX2", "avx512,avx2", " "])
def test_an_unknown_instruction_set_is_an_error_at_first_use(name):
    result = run_python("import nnative; nnative.zeros(2) + 1", check=False, NNATIVE_ISA=name)
    assert result.returncode != 0
    known = ", ".join(n for n, _ in _native.isas())
    assert result.stderr.splitlines()[-1] == (
        f"ValueError: NNATIVE_ISA: unknown instruction set '{name}'; this build has: {known}"
    )


@pytest.mark.parametrize("name", [name for name, supported in _native.isas() if not supported])
def test_an_unsupported_instruction_set_is_an_error_at_first_use(name):
    result = run_python("import nnative; nnative.zeros(2) + 1", check=False, NNATIVE_ISA=name)
    assert result.returncode != 0
    assert "is not supported by this CPU" in result.stderr


@pytest.mark.parametrize("value", [None, ""])
def test_the_best_supported_set_is_the_default(value):
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


# The number of threads


def default_threads(**env):
    return int(run_python("import nnative; print(nnative.get_num_threads())", **env))


def expected_default():
    quota = _native._quota_cpus("")
    return min(CPUS, quota) if quota else CPUS


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("1", 1), ("2", 2), ("2,1", 2), ("9" * 30, None), ("0", None), ("-3", None), ("many", None), ("", None)],
)
def test_omp_num_threads(value, wanted):
    expected = expected_default()
    assert default_threads(OMP_NUM_THREADS=value) == (expected if wanted is None else min(wanted, expected))


def test_the_default_follows_affinity():
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
    assert info["available"] == SUPPORTED
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
def test_threadpoolctl_in_either_order(first):
    code = f"import {first}\nwith threadpoolctl.threadpool_limits(1): print(nnative.get_num_threads())"
    assert run_python(code) == "1"


def test_import_without_threadpoolctl():
    code = "import sys; sys.modules['threadpoolctl'] = None; import nnative; print(nnative.get_num_threads() > 0)"
    assert run_python(code) == "True"


# Teams


def test_teams_are_whole(threads):
    for _ in range(20):
        assert _native._probe_team(threads, 10, 3)[0] == threads


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_denormals_are_flushed_inside_and_kept_outside(threads):
    members, flushing, _ = _native._probe_team(threads)
    assert members == flushing == threads
    assert np.float32(1e-38) * np.float32(0.1) != 0


@pytest.mark.skipif(_native.isas()[-1][0] == "baseline", reason="rounding mode constants are x86's")
def test_the_callers_rounding_mode_comes_back():
    code = """
    import ctypes
    from nnative import _native
    libm = ctypes.CDLL("libm.so.6")
    libm.fesetround(0x800)  # upward
    _native._probe_team(2)
    print(libm.fegetround() == 0x800)
    """
    assert run_python(code) == "True"


def test_small_work_stays_on_the_calling_thread(threads):
    assert _native._threads_for(0) == _native._threads_for(1000) == 1
    assert _native._threads_for(1e12) == threads
    counts = [_native._threads_for(10.0**power) for power in range(13)]
    assert all(1 <= count <= threads for count in counts)


def test_sleeping_workers_are_woken_for_less_work_than_they_are_kept_for():
    code = """
    import time
    from nnative import _native
    _native.set_num_threads(2)
    print(_native._threads_for(15000), _native._threads_for(50000))
    deadline = time.monotonic() + 10
    counts = set()
    while 2 not in counts and time.monotonic() < deadline:
        _native._probe_team(2, 100)
        counts.add(_native._threads_for(15000))  # right after a launch the worker is still awake
    time.sleep(0.1)
    print(max(counts), _native._threads_for(15000))
    """
    result = run_python(code)
    if result == "1 2\n1 1" and os.getloadavg()[0] > CPUS:
        pytest.skip("the machine is too busy for a worker to stay awake")
    assert result == "1 2\n2 1"


@pytest.mark.skipif(CPUS < 2, reason="one CPU: no worker")
def test_brief_launches_do_not_wait_for_busy_cpus():
    code = """
    import os, subprocess, sys, time
    from nnative import _native
    cpus = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cpus)
    _native.set_num_threads(2)

    def threads_once(alone):
        deadline = time.monotonic() + 20
        while (_native._threads_for(9e5) == 1) != alone and time.monotonic() < deadline:
            _native._probe_team(2, 100)
        return _native._threads_for(9e5), _native._threads_for(1e8)

    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        print(*threads_once(alone=True))
    finally:
        for hog in hogs:
            hog.kill(), hog.wait()
    print(*threads_once(alone=False))
    """
    assert run_python(code) == "1 2\n2 2"


def test_python_threads_launch_side_by_side():
    seen = []

    def launch():
        for _ in range(200):
            members, flushing, _ = _native._probe_team(2, 5, 2)
            seen.append((members, flushing))

    callers = [threading.Thread(target=launch) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert len(seen) == 800
    assert set(seen) <= {(1, 1), (2, 2)}  # whole, or alone while another thread holds the pool


def test_oversubscribed_teams_do_not_crawl():
    threads = 2 * CPUS + 1

    def cpu_seconds():  # the time on the clock would be that of whatever else runs here; bench_runtime.py has it
        start = time.process_time()
        _native._probe_team(threads, 1, 200)
        return (time.process_time() - start) / 200

    best = min(cpu_seconds() for _ in range(5))
    # Members that spin out their patience of 100 µs keep all CPUs busy for above 200 µs at every barrier; those that
    # give way take some 10 µs on each.
    assert best < 100e-6 * CPUS, f"a barrier of {threads} threads took {best * 1e6:.1f} µs of CPU time"


def test_threads_that_the_system_refuses_are_done_without():
    code = """
    import resource
    from nnative import _native
    size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (size + (4 << 20), hard))  # no room for a thread's stack
    few = _native._probe_team(4)[0]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    print(few, _native._probe_team(4, 1, 2)[0])
    """
    if "libasan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("AddressSanitizer needs the address space")
    assert run_python(code) == "1 4"


# Fork and exit

FORK = """
import os, sys, threading
from nnative import _native

def child():
    members = _native._probe_team(2, 50, 2)[0]
    sys.stdout.write(f"child {members}\\n")
    sys.stdout.flush()
    os._exit(0)

def fork():
    pid = os.fork()
    if pid == 0:
        child()
    assert os.waitpid(pid, 0)[1] == 0

"""


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("before the pool was used", "fork()"),
        ("after the pool was used", "_native._probe_team(2, 50)\nfork()"),
        ("from a thread", "_native._probe_team(2)\nt = threading.Thread(target=fork); t.start(); t.join()"),
        (
            "while another thread holds the pool",
            "t = threading.Thread(target=_native._probe_team, args=(2, 1, 20000)); t.start(); fork(); t.join()",
        ),
        (
            "from a child",
            "_native._probe_team(2)\npid = os.fork()\nif pid == 0:\n    _native._probe_team(2); fork(); os._exit(0)\n"
            "assert os.waitpid(pid, 0)[1] == 0",
        ),
    ],
)
def test_a_forked_child_computes_and_so_does_its_parent(name, code):
    assert run_python(FORK + code + "\nprint('parent', _native._probe_team(2, 50, 2)[0])") == "child 2\nparent 2"


def test_multiprocessing_with_fork():
    code = """
    import multiprocessing
    from nnative import _native
    _native._probe_team(2)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(sorted(members for members, _, _ in pool.map(_native._probe_team, [2] * 6)))
    """
    assert run_python(code) == "[2, 2, 2, 2, 2, 2]"


@pytest.mark.parametrize(
    "code",
    [
        "_native._probe_team(3); time.sleep(0.05)",  # workers asleep
        "_native._probe_team(3)",  # workers awake
        "threading.Thread(target=_native._probe_team, args=(2, 10**9), daemon=True).start(); time.sleep(0.05)",
    ],
)
def test_the_interpreter_exits_cleanly(code):
    result = run_python("import time, threading; from nnative import _native; " + code, check=False, timeout=20)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_workers_leave_signals_to_the_main_thread():
    code = """
    import os, signal, threading, time
    from nnative import _native
    _native._probe_team(3)
    masks = {}
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/status") as lines:
            masks[int(task)] = int(next(l for l in lines if l.startswith("SigBlk")).split()[1], 16)
    blocked = 1 << (signal.SIGINT - 1)
    main = masks.pop(os.getpid())
    print(bool(main & blocked), sum(bool(mask & blocked) for mask in masks.values()))
    """
    assert run_python(code, OPENBLAS_NUM_THREADS="1") == "False 2"
