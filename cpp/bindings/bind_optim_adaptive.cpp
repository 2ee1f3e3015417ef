#include "bindings/updates.hpp"

namespace nnative {

void bind_optim_adaptive(py::module_& module) {
  constexpr Field::Kind array = Field::array, cell = Field::cell, optional = Field::optional_array;
  constexpr Field steps{"steps", cell}, exp_avgs{"exp_avgs", array}, exp_avg_sqs{"exp_avg_sqs", array};

  rule<AdamHyper>(module, "adam_step", {exp_avgs, exp_avg_sqs, {"max_exp_avg_sqs", optional}, steps},
                  [](const auto& k) { return k.optim_adaptive->adam; });
  rule<NadamHyper>(module, "nadam_step", {exp_avgs, exp_avg_sqs, steps, {"mu_products", cell}},
                   [](const auto& k) { return k.optim_adaptive->nadam; });
  rule<RadamHyper>(module, "radam_step", {exp_avgs, exp_avg_sqs, steps},
                   [](const auto& k) { return k.optim_adaptive->radam; });
  rule<AdamaxHyper>(module, "adamax_step", {exp_avgs, {"exp_infs", array}, steps},
                    [](const auto& k) { return k.optim_adaptive->adamax; });
  rule<AdagradHyper>(module, "adagrad_step", {{"sums", array}, steps},
                     [](const auto& k) { return k.optim_adaptive->adagrad; });
  rule<AdadeltaHyper>(module, "adadelta_step", {{"square_avgs", array}, {"acc_deltas", array}, steps},
                      [](const auto& k) { return k.optim_adaptive->adadelta; });
  rule<RmspropHyper>(module, "rmsprop_step",
                     {{"square_avgs", array}, {"grad_avgs", optional}, {"momentum_buffers", optional}, steps},
                     [](const auto& k) { return k.optim_adaptive->rmsprop; });
}

}  // namespace nnative
