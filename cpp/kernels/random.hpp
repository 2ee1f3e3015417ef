// Philox4x32-10 fills. Element e of a fill is a function of (seed, stream, e) alone: no state, no order.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

template <class T>
struct RandomKernels {
  // out (size) uniform in [low, high)
  void (*uniform)(const Team&, T* out, Index size, std::uint64_t seed, std::uint64_t stream, T low, T high);
  // out (size) normal with the given mean and standard deviation
  void (*normal)(const Team&, T* out, Index size, std::uint64_t seed, std::uint64_t stream, T mean, T std);
};

}  // namespace nnative
