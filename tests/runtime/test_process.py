"""The pool across fork, at exit and beside signals."""

from __future__ import annotations

import pytest

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
def test_a_forked_child_computes_and_so_does_its_parent(name, code, run_python):
    assert run_python(FORK + code + "\nprint('parent', _native._probe_team(2, 50, 2)[0])") == "child 2\nparent 2"


def test_multiprocessing_with_fork(run_python):
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
def test_the_interpreter_exits_cleanly(code, run_python):
    result = run_python("import time, threading; from nnative import _native; " + code, check=False, timeout=20)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_workers_leave_signals_to_the_main_thread(run_python):
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


@pytest.mark.parametrize("size", [3, 300_000], ids=["with the GIL", "without"])
def test_exit_while_daemon_threads_work(run_python, size):
    for _ in range(5):
        run_python(f"""
            import threading, time
            import numpy as np, nnative

            def work():
                x = nnative.Tensor(np.ones({size}, np.float32), requires_grad=True)
                while True:
                    (x * 2.0 + 1.0).sum().backward()

            for _ in range(3):
                threading.Thread(target=work, daemon=True).start()
            time.sleep(0.1)
        """)


def test_exit_while_daemon_threads_record(run_python):
    for _ in range(5):
        run_python("""
            import threading, time
            import numpy as np, nnative

            layer = nnative.nn.Linear(8, 8)
            step = nnative.compile(lambda x: layer(x).sum())
            x = np.ones((60, 8), np.float32)

            def work():
                while True:
                    for rows in range(1, 60):
                        step(x[:rows])

            for _ in range(3):
                threading.Thread(target=work, daemon=True).start()
            time.sleep(0.15)
        """)
