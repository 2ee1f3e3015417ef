// Walks a layout row by row, a row being a run along the innermost dimension.
#pragma once

#include "kernels/layout.hpp"
#include "kernels/simd.hpp"

namespace nnative {
namespace {

template <int K>
inline Index size_of(const Layout<K>& layout) {
  Index size = 1;
  for (int d = 0; d < layout.ndim; ++d) size *= layout.shape[d];
  return size;
}

// Calls row(first, count, offset) for the elements of a range in row-major order: `count` elements from number `first`
// on, array k at offset[k] with stride layout.stride[k][0].
template <int K, class Row>
[[gnu::always_inline]] inline void walk(const Layout<K>& layout, Range range, Row row) {
  if (range.begin >= range.end) return;
  Index coordinate[kMaxDims], offset[K] = {};
  Index rest = range.begin;
  for (int d = 0; d < layout.ndim; ++d) {
    coordinate[d] = rest % layout.shape[d];
    rest /= layout.shape[d];
    for (int k = 0; k < K; ++k) offset[k] += coordinate[d] * layout.stride[k][d];
  }
  for (Index first = range.begin;;) {
    const Index count = min(layout.shape[0] - coordinate[0], range.end - first);
    row(first, count, offset);
    first += count;
    if (first >= range.end) return;
    for (int k = 0; k < K; ++k) offset[k] -= coordinate[0] * layout.stride[k][0];
    coordinate[0] = 0;
    for (int d = 1; d < layout.ndim; ++d) {
      const bool carry = ++coordinate[d] == layout.shape[d];
      const Index back = carry ? layout.shape[d] - 1 : -1;
      for (int k = 0; k < K; ++k) offset[k] -= back * layout.stride[k][d];
      if (!carry) break;
      coordinate[d] = 0;
    }
  }
}

}  // namespace
}  // namespace nnative
