#include "bindings/array.hpp"

namespace nnative {

void bind_optim(py::module_& module) { static_cast<void>(module); }

}  // namespace nnative
