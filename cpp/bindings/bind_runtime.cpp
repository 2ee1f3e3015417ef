#include <pybind11/stl.h>

#include "bindings/array.hpp"

namespace nnative {

void bind_runtime(py::module_& module) {
  try {
    active_table();
  } catch (const std::invalid_argument& error) {
    throw py::import_error(error.what());
  }
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
  module.def(
      "set_num_threads",
      [](int threads) {
        if (threads < 1 || threads > 1024)
          throw py::value_error("[set_num_threads] expected 1 to 1024 threads, got " + std::to_string(threads));
        set_num_threads(threads);
      },
      py::arg("threads"));
  module.def("kernels", [module] { return py::list(module.attr("_kernels")); });
}

}  // namespace nnative
