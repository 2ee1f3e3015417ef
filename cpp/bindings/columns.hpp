// Lists of arrays, one for each parameter, as optimizers and what works on all parameters take them.
#pragma once

#include "bindings/array.hpp"

namespace nnative {

// A list with one array for each parameter; `name` is for messages.
struct Column {
  const char* kernel;
  const char* name;
  const py::list* list;

  Column(const char* kernel_, const char* name_, const py::list& list_, std::size_t count)
      : kernel(kernel_), name(name_), list(&list_) {
    if (list->size() != count)
      throw py::value_error(std::string("[") + kernel + "] expected " + std::to_string(count) + " arrays in " + name +
                            ", got " + std::to_string(list->size()));
  }

  py::handle item(std::size_t i) const { return PyList_GET_ITEM(list->ptr(), static_cast<py::ssize_t>(i)); }
  std::string name_of(std::size_t i) const { return std::string(name) + "[" + std::to_string(i) + "]"; }
};

inline Index size_of(const py::detail::PyArray_Proxy* array) {
  Index size = 1;
  for (int d = 0; d < array->nd; ++d) size *= array->dimensions[d];
  return size;
}

// Items along the first axis; a number is one.
inline Index rows_of(const py::detail::PyArray_Proxy* array) { return array->nd == 0 ? 1 : array->dimensions[0]; }

// The i-th item, which must be an array.
inline const py::detail::PyArray_Proxy* array_at(const Column& column, std::size_t i) {
  const py::handle item = column.item(i);
  if (!py::isinstance<py::array>(item))
    throw py::type_error(std::string("[") + column.kernel + "] expected an array for " + column.name_of(i));
  return py::detail::array_proxy(item.ptr());
}

// Data of the i-th array: contiguous, of dtype T without const, of `size` elements, writable unless T is const. A step
// on a small network looks at some thirty arrays, so the usual case is a comparison of pointers and the checks of
// array.hpp are left to explain the rest.
template <class T>
T* element(const Column& column, std::size_t i, Index size) {
  using Value = std::remove_const_t<T>;
  using Api = py::detail::npy_api;
  constexpr int kFlags = Api::NPY_ARRAY_C_CONTIGUOUS_ | Api::NPY_ARRAY_ALIGNED_ |
                         (std::is_const_v<T> ? 0 : static_cast<int>(Api::NPY_ARRAY_WRITEABLE_));
  const auto* proxy = array_at(column, i);
  if (proxy->descr == native_descriptor<Value>() && (proxy->flags & kFlags) == kFlags && size_of(proxy) == size) {
    if (recorder != nullptr) recorder->note_used(column.kernel, py::reinterpret_borrow<py::array>(column.item(i)));
    return reinterpret_cast<T*>(proxy->data);
  }
  auto array = py::reinterpret_borrow<py::array>(column.item(i));
  const std::string name = column.name_of(i);
  if constexpr (std::is_const_v<T>) {
    return input<Value>(column.kernel, name.c_str(), array, size);
  } else {
    return output<T>(column.kernel, name.c_str(), array, size);
  }
}

// Slots of float arrays and of double arrays.
template <template <class> class Slot>
struct Slots {
  std::vector<Slot<float>> f32;
  std::vector<Slot<double>> f64;

  // Calls make(zero, i, size) for each array of the first column, zero being a float or a double by its dtype, to make
  // its slot: everything is checked before any kernel runs.
  template <class Make>
  Slots(const Column& arrays, Make make) {
    for (std::size_t i = 0; i < arrays.list->size(); ++i) {
      const auto* proxy = array_at(arrays, i);
      if (proxy->descr == native_descriptor<double>()) {
        add(f64, arrays, make(double{}, i, size_of(proxy)));
      } else {
        add(f32, arrays, make(float{}, i, size_of(proxy)));
      }
    }
  }

 private:
  template <class S>
  static void add(std::vector<S>& slots, const Column& arrays, S slot) {
    if (slots.empty()) slots.reserve(arrays.list->size());
    slots.push_back(slot);
  }
};

template <class Slot>
double elements(const std::vector<Slot>& slots) {
  double count = 0;
  for (const Slot& slot : slots) count += static_cast<double>(slot.size);
  return count;
}

}  // namespace nnative
