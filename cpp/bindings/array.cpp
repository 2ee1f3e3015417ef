#include "bindings/array.hpp"

namespace nnative {

std::string shape_text(const py::array& array) { return py::str(array.attr("shape")).cast<std::string>(); }

void fail_type(const char* kernel, const char* what, const py::array& array) {
  std::string state;
  if (!(array.flags() & py::array::c_style)) state += ", not C-contiguous";
  if (!(array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_)) state += ", misaligned";
  if (!array.writeable()) state += ", read-only";
  throw py::type_error(std::string("[") + kernel + "] unsuitable array for " + what + ": dtype " +
                       py::str(array.dtype()).cast<std::string>() + ", shape " + shape_text(array) + state);
}

void fail_shape(const char* kernel, const char* what, const py::array& array, const std::string& expected) {
  throw py::value_error(std::string("[") + kernel + "] expected " + what + " with " + expected + ", got shape " +
                        shape_text(array));
}

Shape2 shape2(const char* kernel, const char* name, const py::array& array) {
  if (array.ndim() != 2) fail_shape(kernel, name, array, "2 dimensions");
  return {array.shape(0), array.shape(1)};
}

}  // namespace nnative
