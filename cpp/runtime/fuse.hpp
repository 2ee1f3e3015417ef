// Rewrites a recorded program into one that does the same with less traffic, with the same bits.
//
//   linear_forward, then relu_forward of its result alone      the product's epilogue applies relu
//   linear_backward_input, then relu_backward of its result    the product's epilogue applies the mask
//   the same with the backward of dropout between them         the same
//   add, then relu_forward of its result alone                 the addition applies relu
//   cross_entropy_forward, then its backward                   one pass makes losses and gradients
//   linear_backward_weight of two sums, by two members         each sums up the rows that it computed
//   fill of a small array that nothing else writes             the array is filled once
//   linear_forward by a frozen weight                          the weight is packed once
#pragma once

#include <memory>
#include <vector>

#include "runtime/schedule.hpp"

namespace nnative {

struct FuseOptions {
  bool fuse;    // all rules but the last
  bool frozen;  // the last: what the program only reads from outside never changes
};

struct FreeMemory {
  void operator()(std::byte* p) const;
};
using OwnedMemory = std::unique_ptr<std::byte, FreeMemory>;
OwnedMemory allocate_lines(std::size_t bytes);  // at a cache line

// Memory with numbers that never change.
struct Constant {
  std::size_t memory;
  OwnedMemory bytes;
};

// Changes steps that so many members run, and appends to `memory` what they use besides. Returns the constants, which
// take the place of memory.
std::vector<Constant> fuse(std::vector<std::unique_ptr<Step>>& steps, std::vector<Memory>& memory,
                           const FuseOptions& options, int members);

}  // namespace nnative
