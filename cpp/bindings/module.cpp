#include "bindings/array.hpp"

namespace nnative {
void bind_runtime(py::module_&);
void bind_linear(py::module_&);
void bind_activation(py::module_&);
void bind_loss(py::module_&);
void bind_optim(py::module_&);
void bind_optim_adaptive(py::module_&);
void bind_lists(py::module_&);
void bind_random(py::module_&);
void bind_elementwise(py::module_&);
void bind_reduce(py::module_&);
void bind_shape(py::module_&);
void bind_gather(py::module_&);
void bind_norm(py::module_&);
void bind_row_norm(py::module_&);
void bind_dropout(py::module_&);
void bind_program(py::module_&);
void bind_tape(py::module_&);
void bind_thread_state(py::module_&);
}  // namespace nnative

PYBIND11_MODULE(_native, module) {
  using namespace nnative;
  module.attr("_kernels") = pybind11::list();
  for (const Registrar bind : {bind_runtime, bind_linear, bind_activation, bind_loss, bind_optim, bind_optim_adaptive,
                               bind_lists, bind_random, bind_elementwise, bind_reduce, bind_shape, bind_gather,
                               bind_norm, bind_row_norm, bind_dropout, bind_program, bind_tape, bind_thread_state})
    bind(module);
}
