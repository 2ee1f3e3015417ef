// Philox4x32-10 fills (Salmon et al. 2011). Element e of a fill is a function of (seed, stream, e) alone: no state, no
// order.
//
// The key is the seed, the counter is (block, stream), both 64 bits, low word first. A block gives four words. Word w
// of a fill is word (w mod 64) / 16 of block (w / 64) · 16 + w mod 16: sixteen blocks lie side by side, so that no
// instruction set has to transpose them. A float takes one word; a double takes words w and w + 16.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

template <class T>
struct RandomKernels {
  // out (size) uniform in [low, high), or low where low = high; 24 random bits for float, 53 for double
  void (*uniform)(const Team&, T* out, Index size, std::uint64_t seed, std::uint64_t stream, T low, T high);
  // out (size) normal with the given mean and standard deviation
  void (*normal)(const Team&, T* out, Index size, std::uint64_t seed, std::uint64_t stream, T mean, T std);
  // out (size), size < 2³²: 0 … size-1 shuffled, every order equally likely; the first member works alone
  void (*permutation)(const Team&, std::int64_t* out, Index size, std::uint64_t seed, std::uint64_t stream);
  // uniform with seed and stream from state (2), as take_stream writes them
  void (*uniform_from)(const Team&, T* out, const std::uint64_t* state, Index size, T low, T high);
  // out (N,4): the words of each counter (N,4) under the key (2)
  void (*philox)(const Team&, std::uint32_t* out, const std::uint32_t* counter, const std::uint32_t* key, Index N);
  // state (2) = cell (2), seed and stream; the cell goes on to the next stream
  void (*take_stream)(const Team&, std::uint64_t* state, std::uint64_t* cell);
};

}  // namespace nnative
