// Arrays that may be None, as arguments and as results.
#pragma once

#include <pybind11/stl.h>

#include "bindings/array.hpp"

namespace nnative {

using Optional = std::optional<py::array>;

// Data of an array of `size` elements, null for None.
template <class T>
const T* optional_input(const char* kernel, const char* name, const Optional& array, Index size) {
  return array ? input<T>(kernel, name, *array, size) : nullptr;
}

// The same for an array that the kernel writes.
template <class T>
T* optional_output(const char* kernel, const char* name, Optional& array, Index size) {
  return array ? output<T>(kernel, name, *array, size) : nullptr;
}

// A result that is allocated where it is wanted, and None with null data elsewhere.
template <class T>
struct OptionalResult {
  py::object array = py::none();
  T* data = nullptr;

  OptionalResult(bool wanted, const std::vector<py::ssize_t>& shape) {
    if (!wanted) return;
    auto made = empty<T>(shape);
    data = made.mutable_data();
    array = std::move(made);
  }
};

}  // namespace nnative
