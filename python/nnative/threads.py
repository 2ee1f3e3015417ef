"""How many threads kernels use, what CPU and instruction set they run on, and threadpoolctl's view of both."""

from __future__ import annotations

import functools
import operator
import os
import sys
from typing import Any

from nnative import _native

__all__ = ["cpu_info", "get_num_threads", "register_threadpoolctl", "set_num_threads"]

_MAX_THREADS = 1024


def set_num_threads(n: int) -> None:
    """Set the number of threads that a kernel may use, for the whole process.

    Work too small to share stays on the calling thread all the same. Results have the same bits for every number.

    Parameters
    ----------
    n : int
        1 to 1024. More than the process has CPUs is allowed and slow.

    Raises
    ------
    TypeError
        If ``n`` is not an integer.
    ValueError
        If ``n`` is below 1 or above 1024.

    Examples
    --------
    >>> import nnative
    >>> before = nnative.get_num_threads()
    >>> nnative.set_num_threads(2)
    >>> nnative.get_num_threads()
    2
    >>> nnative.set_num_threads(before)
    """
    try:
        if isinstance(n, bool):
            raise TypeError
        threads = operator.index(n)
    except TypeError:
        raise TypeError(f"[set_num_threads] expected an integer, got {n!r} of type {type(n).__name__}") from None
    if not 1 <= threads <= _MAX_THREADS:
        raise ValueError(f"[set_num_threads] expected 1 to {_MAX_THREADS} threads, got {threads}")
    _native.set_num_threads(threads)


def get_num_threads() -> int:
    """Return the number of threads that a kernel may use.

    Unless `set_num_threads` or threadpoolctl said otherwise, it is the least of the process's CPU affinity, the
    container's CPU quota (rounded up) and ``OMP_NUM_THREADS``.

    Examples
    --------
    >>> import nnative
    >>> nnative.get_num_threads() >= 1
    True
    """
    return _native.num_threads()


def cpu_info() -> dict[str, Any]:
    """Return what kernels run on.

    Returns
    -------
    dict
        ``model``: the CPU's name; ``cpus``: CPUs that this process's affinity mask allows; ``threads``: see
        `get_num_threads`; ``isa``: the instruction set in use; ``available``: the sets that this build has and this CPU
        supports, slowest first. The environment variable ``NNATIVE_ISA`` forces one of them.

    Examples
    --------
    >>> import nnative
    >>> info = nnative.cpu_info()
    >>> info["isa"] in info["available"]
    True
    """
    return {
        "model": _cpu_model(),
        "cpus": _affinity_cpus(),
        "threads": get_num_threads(),
        "isa": _native.isa(),
        "available": [name for name, supported in _native.isas() if supported],
    }


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() in ("model name", "Model", "cpu"):
                    return value.strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine()


def _affinity_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def watch_for_threadpoolctl() -> None:
    """Register with threadpoolctl now, if it is imported, or else at its import (which takes 4 ms)."""
    if "threadpoolctl" in sys.modules:
        register_threadpoolctl()
    else:
        sys.meta_path.insert(0, _Watch())


class _Watch:
    """An import finder that waits for threadpoolctl, lets the other finders find it, and has nnative registered."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "threadpoolctl":
            return None
        sys.meta_path.remove(self)
        found = (finder.find_spec(name, path, target) for finder in sys.meta_path)
        spec = next((s for s in found if s is not None), None)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                run(module)
                register_threadpoolctl()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


@functools.cache
def register_threadpoolctl() -> bool:
    """Make nnative known to `threadpoolctl`, so that ``threadpool_limits`` and ``threadpool_info`` cover it.

    ``import nnative`` sees to it that this is called as soon as threadpoolctl is imported, before or after nnative. A
    second call does nothing.

    Returns
    -------
    bool
        Whether threadpoolctl is installed and can be extended.

    Examples
    --------
    >>> import threadpoolctl, nnative
    >>> with threadpoolctl.threadpool_limits(1, user_api="nnative"):
    ...     nnative.get_num_threads()
    1
    """
    try:
        import threadpoolctl
    except ImportError:
        return False
    if not hasattr(threadpoolctl, "register"):
        return False

    class NnativeController(threadpoolctl.LibController):  # type: ignore[misc, unused-ignore]
        """The number of threads of nnative's kernels."""

        user_api = "nnative"
        internal_api = "nnative"
        filename_prefixes = ("_native",)
        check_symbols = ("nnative_get_num_threads", "nnative_set_num_threads")

        def get_num_threads(self) -> int:
            return int(self.dynlib.nnative_get_num_threads())

        def set_num_threads(self, num_threads: int) -> None:
            self.dynlib.nnative_set_num_threads(num_threads)

        def get_version(self) -> str:
            return _native.__version__

        def set_additional_attributes(self) -> None:
            self.architecture = _native.isa()

    threadpoolctl.register(NnativeController)
    return True
