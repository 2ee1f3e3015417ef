// Which instruction set's kernels run: the best that CPU and operating system support, or the one NNATIVE_ISA names.
#pragma once

#include <string>
#include <vector>

#include "kernels/table.hpp"

namespace nnative {

struct InstructionSet {
  const char* name;
  bool supported;
  const KernelTable* table;
};

// All sets of this build, slowest first.
const std::vector<InstructionSet>& instruction_sets();
const KernelTable& active_table();
// Throws std::invalid_argument for a name that is unknown or not supported here.
void set_isa(const std::string& name);

template <class T>
const Kernels<T>& kernels();
template <>
inline const Kernels<float>& kernels<float>() {
  return active_table().f32;
}
template <>
inline const Kernels<double>& kernels<double>() {
  return active_table().f64;
}

}  // namespace nnative
