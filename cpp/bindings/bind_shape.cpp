#include <pybind11/stl.h>

#include "bindings/layout.hpp"
#include "bindings/movable.hpp"

namespace nnative {
namespace {

void launch_copy(const char* kernel, std::byte* out, const py::array& out_array, const py::array& x) {
  const std::byte* from = bytes(kernel, "x", x);
  const Broadcast<2> both = broadcast<2>(kernel, {&out_array, &x});
  if (both.shape.size() != static_cast<std::size_t>(out_array.ndim()) ||
      !std::equal(both.shape.begin(), both.shape.end(), out_array.shape()))
    fail_shape(kernel, "x", x, "a shape that broadcasts to " + shape_text(out_array));
  const auto item = static_cast<Index>(x.itemsize());
  launch(Work{0.15 * static_cast<double>(item) * elements(both.shape)}, active_table().shape->copy, out, from,
         both.layout, item);
}

py::array copy(const py::array& x) {
  check_movable("copy", "x", x);
  py::array out = empty_of(x.dtype(), Shape(x.shape(), x.shape() + x.ndim()));
  launch_copy("copy", static_cast<std::byte*>(out.mutable_data()), out, x);
  return out;
}

void assign(py::array out, const py::array& x) {
  bytes("assign", "out", out);
  if (!out.writeable() || !out.dtype().equal(x.dtype())) fail_type("assign", "out", out);
  launch_copy("assign", static_cast<std::byte*>(out.mutable_data()), out, x);
}

py::array empty_array(const Shape& shape, const py::dtype& dtype) { return empty_of(dtype, shape); }

}  // namespace

void bind_shape(py::module_& module) {
  using py::arg;
  module.def("empty", &empty_array, arg("shape"), arg("dtype"));
  def_kernel(module, "copy", &copy, arg("x"));
  def_kernel(module, "assign", &assign, arg("out"), arg("x"));
}

}  // namespace nnative
