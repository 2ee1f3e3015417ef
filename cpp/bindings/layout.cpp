#include "bindings/layout.hpp"

namespace nnative {
namespace {

bool same_contiguous(const py::array& a, const py::array& b) {
  return a.ndim() == b.ndim() && usable(b) && std::equal(a.shape(), a.shape() + a.ndim(), b.shape());
}

template <int K>
[[noreturn]] void fail_broadcast(const char* kernel, const std::array<const py::array*, K>& arrays) {
  std::string shapes;
  for (const py::array* array : arrays) {
    if (array != nullptr) shapes += (shapes.empty() ? "" : " and ") + shape_text(*array);
  }
  throw py::value_error(std::string("[") + kernel + "] expected shapes that broadcast, got " + shapes);
}

// Adds a dimension outside those that the layout has, or makes the outermost one longer.
template <int K>
void add_dimension(const char* kernel, Layout<K>& layout, Index extent, const Index (&stride)[K]) {
  if (extent == 1) return;
  if (const int last = layout.ndim - 1; last >= 0) {
    bool merges = true;
    for (int k = 0; k < K; ++k) merges &= stride[k] == layout.stride[k][last] * layout.shape[last];
    if (merges) {
      layout.shape[last] *= extent;
      return;
    }
  }
  if (layout.ndim == kMaxDims)
    throw py::value_error(std::string("[") + kernel + "] more than " + std::to_string(kMaxDims) + " dimensions");
  layout.shape[layout.ndim] = extent;
  for (int k = 0; k < K; ++k) layout.stride[k][layout.ndim] = stride[k];
  ++layout.ndim;
}

}  // namespace

Operand operand(const char* kernel, const char* name, py::handle value) {
  if (py::isinstance<py::array>(value)) return {py::reinterpret_borrow<py::array>(value), false, 0};
  if (PyFloat_Check(value.ptr()) || PyLong_Check(value.ptr())) {
    const double number = PyFloat_AsDouble(value.ptr());
    if (number == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    return {py::reinterpret_steal<py::array>(py::handle()), true, number};
  }
  throw py::type_error(std::string("[") + kernel + "] expected an array or a number for " + name + ", got " +
                       py::str(py::type::handle_of(value).attr("__name__")).cast<std::string>());
}

template <int K>
Broadcast<K> broadcast(const char* kernel, const std::array<const py::array*, K>& arrays) {
  Broadcast<K> result{{}, {}};
  Layout<K>& layout = result.layout;
  const py::array* first = nullptr;
  bool plain = true;
  py::ssize_t ndim = 0;
  for (const py::array* array : arrays) {
    if (array == nullptr) continue;
    if (first == nullptr) first = array;
    plain = plain && same_contiguous(*first, *array);
    ndim = std::max(ndim, array->ndim());
  }
  if (plain && first != nullptr) {
    result.shape.assign(first->shape(), first->shape() + first->ndim());
    layout.ndim = 1;
    layout.shape[0] = first->size();
    for (int k = 0; k < K; ++k) layout.stride[k][0] = arrays[static_cast<std::size_t>(k)] != nullptr;
    return result;
  }
  result.shape.assign(static_cast<std::size_t>(ndim), 1);
  for (py::ssize_t d = ndim - 1; d >= 0; --d) {
    Index extent = 1, stride[K] = {};
    for (const py::array* array : arrays) {
      const py::ssize_t own = array == nullptr ? -1 : d - (ndim - array->ndim());
      if (own < 0 || array->shape(own) == 1) continue;
      if (extent != 1 && array->shape(own) != extent) fail_broadcast<K>(kernel, arrays);
      extent = array->shape(own);
    }
    for (std::size_t k = 0; k < K; ++k) {
      const py::array* array = arrays[k];
      const py::ssize_t own = array == nullptr ? -1 : d - (ndim - array->ndim());
      if (own < 0 || array->shape(own) == 1) continue;
      const py::ssize_t bytes = array->strides(own), item = array->itemsize();
      if (item == 0 || bytes % item != 0) fail_type(kernel, "strides of whole elements", *array);
      stride[k] = bytes / item;
    }
    result.shape[static_cast<std::size_t>(d)] = extent;
    add_dimension<K>(kernel, layout, extent, stride);
  }
  if (layout.ndim == 0) {
    layout.ndim = 1;
    layout.shape[0] = 1;
    for (int k = 0; k < K; ++k) layout.stride[k][0] = 1;
  }
  return result;
}

template Broadcast<1> broadcast<1>(const char*, const std::array<const py::array*, 1>&);
template Broadcast<2> broadcast<2>(const char*, const std::array<const py::array*, 2>&);
template Broadcast<3> broadcast<3>(const char*, const std::array<const py::array*, 3>&);

}  // namespace nnative
