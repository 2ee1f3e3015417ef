// Arrays of any dtype whose elements are moved without arithmetic.
#pragma once

#include "bindings/array.hpp"

namespace nnative {

// Elements that may be moved as bytes: numbers and bools of 1, 2, 4 or 8 bytes.
inline void check_movable(const char* kernel, const char* name, const py::array& array) {
  const char kind = array.dtype().kind();
  const py::ssize_t item = array.itemsize();
  const bool number = kind == 'f' || kind == 'i' || kind == 'u' || kind == 'b';
  if (!number || item > 8 || !(array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_)) fail_type(kernel, name, array);
}

// A result of any dtype.
inline py::array empty_of(const py::dtype& dtype, const std::vector<py::ssize_t>& shape) {
  py::array array = allocate(dtype, shape);
  if (recorder != nullptr) recorder->note_fresh(array);
  return array;
}

// Data of an array that is moved, of any strides.
inline const std::byte* bytes(const char* kernel, const char* name, const py::array& array) {
  check_movable(kernel, name, array);
  if (recorder != nullptr) recorder->note_used(kernel, array);
  return static_cast<const std::byte*>(array.data());
}

}  // namespace nnative
