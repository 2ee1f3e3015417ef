// Operands that broadcast or have strides: from NumPy's arrays to the layouts that kernels walk.
#pragma once

#include <array>

#include "bindings/array.hpp"
#include "kernels/layout.hpp"

namespace nnative {

using Shape = std::vector<py::ssize_t>;

// An array of any strides, or a Python number, which stands for an array that repeats it.
struct Operand {
  py::array array;  // of no meaning for a number
  bool is_number;
  double number;
};
Operand operand(const char* kernel, const char* name, py::handle value);

template <int K>
struct Broadcast {
  Shape shape;
  Layout<K> layout;
};

// The common shape of K arrays (null: a number) and how each is walked. Throws where shapes do not broadcast, where
// strides are not whole elements and beyond kMaxDims dimensions that cannot be merged.
template <int K>
Broadcast<K> broadcast(const char* kernel, const std::array<const py::array*, K>& arrays);
extern template Broadcast<1> broadcast<1>(const char*, const std::array<const py::array*, 1>&);
extern template Broadcast<2> broadcast<2>(const char*, const std::array<const py::array*, 2>&);
extern template Broadcast<3> broadcast<3>(const char*, const std::array<const py::array*, 3>&);

// Data of an array of dtype T with any strides.
template <class T>
const T* strided_input(const char* kernel, const char* name, const py::array& array) {
  if (!py::isinstance<py::array_t<T>>(array) || !(array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_))
    fail_type(kernel, name, array);
  if (recorder != nullptr) recorder->note_used(kernel, array);
  return static_cast<const T*>(array.data());
}

// The same for an operand; null for a number.
template <class T>
const T* operand_data(const char* kernel, const char* name, const Operand& operand) {
  return operand.is_number ? nullptr : strided_input<T>(kernel, name, operand.array);
}

inline const py::array* array_or_null(const Operand& operand) { return operand.is_number ? nullptr : &operand.array; }

// Calls f with a float or a double according to the dtype of the first array among operands.
template <class F>
auto with_dtype_of(const char* kernel, std::initializer_list<const Operand*> operands, F&& f) {
  for (const Operand* operand : operands) {
    if (!operand->is_number) return with_dtype(kernel, operand->array, f);
  }
  throw py::type_error(std::string("[") + kernel + "] expected at least one array");
}

inline double elements(const Shape& shape) {
  double size = 1;
  for (const py::ssize_t extent : shape) size *= static_cast<double>(extent);
  return size;
}

}  // namespace nnative
