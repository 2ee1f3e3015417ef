#!/usr/bin/env bash
# The thread pool under ThreadSanitizer (or, with an argument, under other flags: scripts/run_tsan.sh -O2).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flags=("$@")
[ ${#flags[@]} -gt 0 ] || flags=(-O1 -g -fsanitize=thread -DNNATIVE_TSAN)
"${CXX:-g++}" -std=c++20 -Wall -Wextra -Werror -Icpp "${flags[@]}" -pthread \
  tests/cpp/pool_stress.cpp cpp/runtime/pool.cpp cpp/runtime/cpus.cpp -o "$out/pool_stress"
TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}" timeout 300 "$out/pool_stress"
