// How bindings start a kernel: cost decides the number of threads, then every member calls the kernel.
#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "runtime/pool.hpp"

namespace nnative {

// Estimated time on one core in nanoseconds, from arithmetic and traffic; rough numbers do, only the order matters.
struct Work {
  double nanoseconds;
  static Work flops(double count) { return {count / 60}; }
  static Work bytes(double count) { return {count / 12}; }
};

// Runs kernel(team, args...) on as many threads as the work deserves; long work runs without the GIL.
template <class... Parameters, class... Arguments>
void launch(Work work, Scratch scratch, void (*kernel)(const Team&, Parameters...), Arguments... arguments) {
  constexpr double kReleaseGil = 20000;
  struct Call {
    void (*kernel)(const Team&, Parameters...);
    std::tuple<Parameters...> parameters;
  } call{kernel, std::tuple<Parameters...>(arguments...)};
  std::optional<pybind11::gil_scoped_release> release;
  if (work.nanoseconds > kReleaseGil) release.emplace();
  run_team(
      threads_for(work.nanoseconds), scratch,
      [](void* context, const Team& team) {
        auto& [function, parameters] = *static_cast<Call*>(context);
        std::apply([&, f = function](auto... p) { f(team, p...); }, parameters);
      },
      &call);
}

template <class... Parameters, class... Arguments>
void launch(Work work, void (*kernel)(const Team&, Parameters...), Arguments... arguments) {
  launch(work, Scratch{}, kernel, arguments...);
}

}  // namespace nnative
