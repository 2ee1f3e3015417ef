#include "bindings/array.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstdlib>
#include <new>

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

py::array allocate(const py::dtype& dtype, const std::vector<py::ssize_t>& shape) {
  constexpr std::size_t kLine = 64, kLong = 1024, kHugePage = std::size_t{1} << 21;
  py::ssize_t size = dtype.itemsize();
  bool odd = false;
  for (const py::ssize_t extent : shape) odd |= extent < 0 || __builtin_mul_overflow(size, extent, &size);
  auto bytes = static_cast<std::size_t>(size);
  if (odd || bytes < kLong) return {dtype, shape};  // NumPy also explains what is wrong with a shape
  bytes = (bytes + kLine - 1) / kLine * kLine;
  void* memory = std::aligned_alloc(bytes < 2 * kHugePage ? kLine : kHugePage, bytes);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  if (bytes >= 2 * kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);  // as NumPy does: fewer page faults
#endif
  return {dtype, shape, memory, py::capsule(memory, [](void* p) { std::free(p); })};
}

}  // namespace nnative
