// A team of threads that run one kernel together. Plain data and free functions only: kernels are compiled once per
// instruction set, and an inline member function here could be linked from the wrong set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nnative {

using Index = std::int64_t;

struct Barrier;

// What one member of the team knows. Every member calls the kernel with its own rank; each computes its share.
struct Team {
  int rank;      // 0 … size-1
  int size;      // members
  void* shared;  // scratch that all members see, Scratch::shared bytes
  void* own;     // scratch of this member, Scratch::own bytes
  Barrier* sync;
};

// Scratch memory of a kernel in bytes, stated by a function beside the kernel from the sizes of the launch.
struct Scratch {
  std::size_t shared = 0;
  std::size_t own = 0;
};

// All members wait for each other; what any wrote before is visible to all after.
void barrier(const Team& team);

}  // namespace nnative
