// Dropout (Srivastava et al. 2014) and Gaussian noise that are made, never stored: what happens to an element is a
// function of (seed, stream, element), so that backward makes it again.
//
// p is a multiple of 2⁻¹⁶ here, t = p · 2¹⁶. An element is dropped when a random number of 16 bits is below t, which is
// decided for 2048 elements side by side, one bit at a time from the lowest set bit of t to the highest: bit b of all
// their numbers is one group of random words (random.hpp), group 16 · (element / 2048) + 15 − b of the stream, one
// minus the bit each. Thus p = ½ takes one random bit an element and other values up to 16.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

template <class T>
struct DropoutKernels {
  // y (size) = `instead` where dropped, else scale · x + shift, where a shift of −0 leaves the sign of zeros; state (2)
  // is seed and stream, `before` elements of the whole array lie before these, threshold is t from 0 to 2¹⁶
  void (*dropout)(const Team&, T* y, const T* x, const std::uint64_t* state, Index before, Index size,
                  std::uint32_t threshold, T scale, T shift, T instead);
  // y (size) = x · (1 + std · z) where `factor`, else x + std · z, with the standard normal numbers z that a fill of
  // floats has for seed and stream, also for double
  void (*gaussian)(const Team&, T* y, const T* x, const std::uint64_t* state, Index before, Index size, T std,
                   bool factor);
};

}  // namespace nnative
