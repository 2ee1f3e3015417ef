// What bindings share: dtype dispatch, checks that memory safety needs, allocation of results.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings/launch.hpp"
#include "runtime/dispatch.hpp"

namespace nnative {

namespace py = pybind11;

// Registers the functions of one family with the module; module.cpp lists them.
using Registrar = void (*)(py::module_&);

// Adds a kernel's Python face to the module and its name to `_native.kernels()`.
template <class Function, class... Extra>
void def_kernel(py::module_& module, const char* name, Function function, const Extra&... extra) {
  module.def(name, function, extra...);
  module.attr("_kernels").template cast<py::list>().append(name);
}

// What kernels take: C-contiguous and aligned.
constexpr int kUsable =
    static_cast<int>(py::array::c_style) | static_cast<int>(py::detail::npy_api::NPY_ARRAY_ALIGNED_);
inline bool usable(const py::array& array) { return (array.flags() & kUsable) == kUsable; }

// Shape as text for messages: (32, 784).
std::string shape_text(const py::array& array);

[[noreturn]] void fail_type(const char* kernel, const char* what, const py::array& array);
[[noreturn]] void fail_shape(const char* kernel, const char* what, const py::array& array, const std::string& expected);

// Calls f with a float or a double according to the dtype of `array`, which names the kernel's T.
template <class F>
auto with_dtype(const char* kernel, const py::array& array, F&& f) {
  switch (array.dtype().num()) {
    case py::detail::npy_api::NPY_FLOAT_:
      return f(float{});
    case py::detail::npy_api::NPY_DOUBLE_:
      return f(double{});
    default:
      fail_type(kernel, "float32 or float64 array", array);
  }
}

// The dtype object that arrays made by NumPy share.
template <class T>
PyObject* native_descriptor() {
  static PyObject* const descriptor = py::dtype::of<T>().release().ptr();
  return descriptor;
}

// Data of an array that must be C-contiguous, aligned, of dtype T and of `size` elements (any number when size < 0).
// The usual dtype is recognised by its address, which keeps a call on a small network short.
template <class T>
const T* input(const char* kernel, const char* name, const py::array& array, Index size = -1) {
  const bool same = py::detail::array_proxy(array.ptr())->descr == native_descriptor<T>();
  if (!usable(array) || (!same && !py::isinstance<py::array_t<T>>(array))) fail_type(kernel, name, array);
  if (size >= 0 && array.size() != size) fail_shape(kernel, name, array, std::to_string(size) + " elements");
  if (recorder != nullptr) recorder->note_used(kernel, array);
  return static_cast<const T*>(array.data());
}

// The same for an array that the kernel writes.
template <class T>
T* output(const char* kernel, const char* name, py::array& array, Index size = -1) {
  input<T>(kernel, name, array, size);
  if (!array.writeable()) fail_type(kernel, name, array);
  return static_cast<T*>(array.mutable_data());
}

// Rows and columns of an array that must be two-dimensional.
struct Shape2 {
  Index rows, cols;
};
Shape2 shape2(const char* kernel, const char* name, const py::array& array);

// Items along the first axis and elements of each; a number is one item.
inline Shape2 leading(const py::array& array) {
  const Index items = array.ndim() == 0 ? 1 : array.shape(0);
  return {items, items == 0 ? 0 : array.size() / items};
}

// An array of this shape. Long ones begin at a cache line, unlike NumPy's.
py::array allocate(const py::dtype& dtype, const std::vector<py::ssize_t>& shape);

template <class T>
py::array_t<T> empty(const std::vector<py::ssize_t>& shape) {
  // Not through the constructor, which has NumPy convert the array to what it is.
  auto array = py::reinterpret_steal<py::array_t<T>>(
      allocate(py::reinterpret_borrow<py::dtype>(native_descriptor<T>()), shape).release());
  if (recorder != nullptr) recorder->note_fresh(array);
  return array;
}
template <class T>
py::array_t<T> empty_like(const py::array& array) {
  return empty<T>(std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()));
}

}  // namespace nnative
