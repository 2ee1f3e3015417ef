// Elements moved without arithmetic, of any dtype of 1, 2, 4 or 8 bytes.
#pragma once

#include "kernels/layout.hpp"

namespace nnative {

struct ShapeKernels {
  // out = in, both strided; `item` is the size of an element in bytes, the layout's strides are in elements
  void (*copy)(const Team&, std::byte* out, const std::byte* in, Layout<2> layout, Index item);
};

}  // namespace nnative
