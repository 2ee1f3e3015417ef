#include "bindings/array.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "runtime/memory.hpp"

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
  constexpr std::size_t kLong = 1024;
  py::ssize_t size = dtype.itemsize();
  bool odd = false;
  for (const py::ssize_t extent : shape) odd |= extent < 0 || __builtin_mul_overflow(size, extent, &size);
  const auto bytes = static_cast<std::size_t>(size);
  if (odd || bytes < kLong) return {dtype, shape};  // NumPy also explains what is wrong with a shape
  if (bytes < kKeptBlockBytes) {
    // Not posix_memalign, which looks for its own beginning in larger memory each time: malloc takes an eighth of that.
    constexpr std::uintptr_t kLine = 64;
    void* memory = std::malloc(bytes + kLine - 1);
    if (memory == nullptr) throw std::bad_alloc();
    const auto first = (reinterpret_cast<std::uintptr_t>(memory) + kLine - 1) / kLine * kLine;
    return {dtype, shape, reinterpret_cast<void*>(first), py::capsule(memory, [](void* p) { std::free(p); })};
  }
  auto block = std::make_unique<Block>(take_block(bytes));
  void* memory = block->memory;
  const py::capsule owner(block.release(), [](void* p) {
    const std::unique_ptr<Block> owned(static_cast<Block*>(p));
    give_block(*owned);
  });
  return {dtype, shape, memory, owner};
}

}  // namespace nnative
