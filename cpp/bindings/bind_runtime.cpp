#include <pybind11/stl.h>

#include <atomic>
#include <chrono>
#include <tuple>

#include "bindings/array.hpp"
#include "runtime/cpus.hpp"
#include "runtime/pace.hpp"
#include "runtime/stalls.hpp"

// For threadpoolctl, which finds these in the shared object: see python/nnative/threads.py.
extern "C" {
[[gnu::visibility("default")]] int nnative_get_num_threads();
[[gnu::visibility("default")]] void nnative_set_num_threads(int threads);
int nnative_get_num_threads() { return nnative::num_threads(); }
void nnative_set_num_threads(int threads) { nnative::set_num_threads(std::clamp(threads, 1, nnative::kMaxThreads)); }
}

namespace nnative {
namespace {

void checked_set_num_threads(int threads) {
  if (threads < 1 || threads > kMaxThreads)
    throw py::value_error("[set_num_threads] expected 1 to " + std::to_string(kMaxThreads) + " threads, got " +
                          std::to_string(threads));
  set_num_threads(threads);
}

struct Probe {
  int barriers;
  std::atomic<int> members, flushing;
};

void probe_member(void* context, const Team& team) {
  Probe& probe = *static_cast<Probe*>(context);
  volatile float denormal = 1e-38f;
  probe.members.fetch_add(1, std::memory_order_relaxed);
  if (denormal * 0.1f == 0) probe.flushing.fetch_add(1, std::memory_order_relaxed);
  for (int i = 0; i < probe.barriers; ++i) barrier(team);
}

// For tests and benchmarks: (members, members that flush denormals) of the last of `launches` teams that each meet at
// `barriers` barriers, and the nanoseconds that a launch took.
std::tuple<int, int, double> probe_team(int threads, int launches, int barriers) {
  const GilReleased released;
  Probe probe{barriers, 0, 0};
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < launches; ++i) {
    probe.members = probe.flushing = 0;
    run_team(threads, {}, probe_member, &probe);
  }
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  return {probe.members, probe.flushing, elapsed.count() / launches};
}

// For tests: the threads, 1 or 2, of each of a series of runs, were run i to take alone[i] or shared[i] nanoseconds,
// and `waking` more where the run before was alone.
std::vector<int> probe_pace(const std::vector<double>& alone, const std::vector<double>& shared, double waking,
                            bool brief) {
  Pace pace;
  std::vector<int> chosen;
  for (std::size_t i = 0; i < std::min(alone.size(), shared.size()); ++i) {
    const bool asleep = i > 0 && chosen.back() == 1;
    chosen.push_back(pace.choose(2, brief));
    const double time = chosen.back() == 1 ? alone[i] : shared[i] + (asleep ? waking : 0);
    pace.note(1, std::chrono::duration<double, std::nano>(time));
  }
  return chosen;
}

// For tests: until when launches are to be made alone after each of a series of launches (end, duration, of that
// waiting).
std::vector<std::int64_t> probe_stalls(
    const std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t>>& launches) {
  Stalls stalls;
  std::vector<std::int64_t> until;
  for (const auto& [now, took, waited] : launches) {
    stalls.note(now, took, waited);
    until.push_back(stalls.until());
  }
  return until;
}

}  // namespace

void bind_runtime(py::module_& module) {
  module.attr("__version__") = NNATIVE_VERSION;
  module.def("isa", [] { return active_table().isa; });
  module.def("set_isa", &set_isa, py::arg("name"));
  module.def("isas", [] {
    std::vector<std::pair<std::string, bool>> sets;
    for (const InstructionSet& set : instruction_sets()) sets.emplace_back(set.name, set.supported);
    return sets;
  });
  module.def("num_threads", &num_threads);
  module.def("default_num_threads", &default_num_threads);
  module.def("set_num_threads", &checked_set_num_threads, py::arg("threads"));
  module.def("kernels", [module] { return py::list(module.attr("_kernels")); });
  module.def("_probe_team", &probe_team, py::arg("threads"), py::arg("launches") = 1, py::arg("barriers") = 0);
  module.def("_probe_pace", &probe_pace, py::arg("alone"), py::arg("shared"), py::arg("waking"), py::arg("brief"));
  module.def("_probe_stalls", &probe_stalls, py::arg("launches"));
  module.def("_threads_for", &threads_for, py::arg("nanoseconds"));
  module.def("_quota_cpus", &quota_cpus, py::arg("root"));
}

}  // namespace nnative
