// How K arrays are read side by side. Plain data: bindings fill it, kernels walk it.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

constexpr int kMaxDims = 8;

// Dimensions from the innermost outwards, those that can be walked as one merged into one; strides in elements, 0 where
// an array is repeated. At least one dimension.
template <int K>
struct Layout {
  int ndim;
  Index shape[kMaxDims];
  Index stride[K][kMaxDims];
};

}  // namespace nnative
