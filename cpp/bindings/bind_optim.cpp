#include "bindings/updates.hpp"

namespace nnative {

void bind_optim(py::module_& module) {
  constexpr Field::Kind array = Field::array, cell = Field::cell, optional = Field::optional_array;
  constexpr Field steps{"steps", cell}, exp_avgs{"exp_avgs", array};

  rule<SgdHyper>(module, "sgd_step", {{"momentum_buffers", optional}, {"steps", Field::optional_cell}},
                 [](const auto& k) { return k.optim->sgd; });
  rule<AsgdHyper>(module, "asgd_step",
                  {{"axs", array}, steps, {"next_etas", cell}, {"next_mus", cell}, {"etas", cell}, {"mus", cell}},
                  [](const auto& k) { return k.optim->asgd; });
  rule<RpropHyper>(module, "rprop_step", {{"prevs", array}, {"step_sizes", array}, steps},
                   [](const auto& k) { return k.optim->rprop; });
  rule<LionHyper>(module, "lion_step", {exp_avgs}, [](const auto& k) { return k.optim->lion; });
  rule<FtrlHyper>(module, "ftrl_step", {{"zs", array}, {"ns", array}}, [](const auto& k) { return k.optim->ftrl; });
}

}  // namespace nnative
