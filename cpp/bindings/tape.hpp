// What other bindings need of the tape.
#pragma once

#include <pybind11/pybind11.h>

namespace nnative {

// A tensor of a plain array, which is shared and not checked.
pybind11::object wrapped(PyObject* array);

}  // namespace nnative
