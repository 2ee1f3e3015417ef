#!/usr/bin/env bash
# The suite under AddressSanitizer and UndefinedBehaviorSanitizer, in a virtual environment of its own.
# Arguments go to pytest: scripts/run_asan.sh tests/kernels
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
environment=build/asan-venv
[ -d "$environment" ] || "${PYTHON:-python3}" -m venv "$environment"
# shellcheck source=/dev/null
. "$environment/bin/activate"
pip install --quiet ".[test]" -C build-dir=build/asan -C cmake.define.NNATIVE_ASAN=ON -C cmake.build-type=RelWithDebInfo

compiler=${CXX:-g++}
preload=$("$compiler" -print-file-name=libasan.so):$("$compiler" -print-file-name=libubsan.so)
export ASAN_OPTIONS="detect_leaks=0:abort_on_error=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
# Python's own allocator would hide what its small objects do.
LD_PRELOAD=$preload PYTHONMALLOC=malloc python -m pytest -p no:cacheprovider "$@"
