// How bindings start a kernel: cost decides the number of threads, every member of the team calls the kernel, and while
// a recording is under way the launch is also appended to it.
#pragma once

#include <pybind11/pybind11.h>

#include <array>
#include <memory>
#include <optional>
#include <tuple>

#include "bindings/python.hpp"
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

// Arguments may carry their roles (runtime/step.hpp) where the launch consists of items.
template <class... Parameters, class... Arguments>
void launch(Work work, const Scratch& scratch, void (*kernel)(const Team&, Parameters...), Arguments... arguments) {
  const Cost cost{work.nanoseconds, scratch};
  const std::tuple<Parameters...> parameters(parameter(arguments)...);
  if (recorder != nullptr) {
    auto step = step_of(cost, kernel, arguments...);
    step->own_bundles();
    recorder->append(std::move(step));
  }
  struct Context {
    void (*kernel)(const Team&, Parameters...);
    const std::tuple<Parameters...>& parameters;
  } context{kernel, parameters};
  std::optional<GilReleased> released;
  if (work.nanoseconds > kReleaseGilNanoseconds) released.emplace();
  run_team(
      threads_for(work.nanoseconds), scratch,
      [](void* pointer, const Team& team) {
        const auto& c = *static_cast<const Context*>(pointer);
        std::apply([&](const auto&... argument) { c.kernel(team, argument...); }, c.parameters);
      },
      &context);
}

template <class... Parameters, class... Arguments>
void launch(Work work, void (*kernel)(const Team&, Parameters...), Arguments... arguments) {
  launch(work, Scratch{}, kernel, arguments...);
}

}  // namespace nnative
