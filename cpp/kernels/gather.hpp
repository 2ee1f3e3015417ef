// Rows picked by index.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

template <class T>
struct GatherKernels {
  // out (N, bytes) = table (·, bytes)[index (N)], rows of any dtype
  void (*rows)(const Team&, std::byte* out, const std::byte* table, const std::int64_t* index, Index N, Index bytes);
  // out (N, C) = scale · table (·, C)[index (N)], from bytes
  void (*scaled_bytes)(const Team&, T* out, const std::uint8_t* table, const std::int64_t* index, Index N, Index C,
                       T scale);
};

}  // namespace nnative
