// How bindings start a kernel: cost decides the number of threads, every member of the team calls the kernel, and while
// a recording is under way the launch is also appended to it.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <optional>
#include <tuple>

#include "bindings/recorder.hpp"
#include "runtime/pool.hpp"

namespace nnative {

// Estimated time on one core in nanoseconds, from arithmetic and traffic; rough numbers do, only the order matters.
struct Work {
  double nanoseconds;
  static Work flops(double count) { return {count / 60}; }
  static Work bytes(double count) { return {count / 12}; }
};

// Work that takes longer than this runs without the GIL.
constexpr double kReleaseGilNanoseconds = 20000;

template <class... Parameters, class... Arguments>
void launch(Work work, const Scratch& scratch, void (*kernel)(const Team&, Parameters...), Arguments... arguments) {
  using Call = KernelStep<Parameters...>;
  const Cost cost{work.nanoseconds, scratch};
  const std::tuple<Parameters...> parameters(arguments...);
  if (recorder != nullptr) {
    auto step = std::make_unique<Call>(cost, kernel, parameters);
    step->own_bundles();
    recorder->append(std::move(step));
  }
  const Call call(cost, kernel, parameters);
  std::optional<pybind11::gil_scoped_release> release;
  if (work.nanoseconds > kReleaseGilNanoseconds) release.emplace();
  run_team(
      threads_for(work.nanoseconds), scratch,
      [](void* context, const Team& team) { static_cast<const Call*>(context)->run(team); }, const_cast<Call*>(&call));
}

template <class... Parameters, class... Arguments>
void launch(Work work, void (*kernel)(const Team&, Parameters...), Arguments... arguments) {
  launch(work, Scratch{}, kernel, arguments...);
}

}  // namespace nnative
