// Who runs which launches of a program when.
//
// Launches that consist of items are cut into one part for each member. Members meet at a barrier only where one needs
// what another wrote (or overwrites what another reads): between two barriers lies a segment. Every launch goes to the
// earliest segment that its arrays allow, so the rows of a batch travel through a whole network, forward and back,
// without one barrier, and all weight gradients and their updates follow in the next segment.
#pragma once

#include <memory>
#include <vector>

#include "runtime/step.hpp"

namespace nnative {

// Memory that the launches of a program touch.
struct Memory {
  enum class Kind {
    input,      // an argument of the recorded function: another address at every call
    external,   // lives outside: parameters, optimizer state, what the caller kept
    temporary,  // lives within the program: moves into the arena
    result,     // the same, but read by the caller after the last step
    output,     // a large result, which the caller gives its memory: another address at every call
  };
  std::byte* base;
  std::size_t bytes;
  Kind kind;
  bool wanted = false;  // by the caller after the last step, of whatever kind it is
};

// An array pointer of a launch: it points at byte `offset` of memory number `memory`, bytes [begin, end) are touched.
struct Access {
  std::size_t memory, offset, begin, end;
  bool written, pointwise;
};

// The memories of a program by address.
class MemoryMap {
 public:
  explicit MemoryMap(const std::vector<Memory>& memory);
  // The arrays of a step in the order of its visit; null pointers have memory kNone.
  std::vector<Access> accesses(Step& step) const;

  // Which memory a pointer lies in.
  std::size_t memory_at(const void* pointer) const;
  // Lets pointwise results take the memory of an operand that nothing else reads.
  void work_in_place(const std::vector<std::unique_ptr<Step>>& steps);

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

 private:
  std::vector<Memory> memory_;
  std::vector<std::size_t> by_base_;
  std::vector<std::size_t> instead_;  // which memory is used for one
};

// A launch, or a part of one, on its turn.
struct Turn {
  std::unique_ptr<Step> step;
  int member;  // kAll: the first `size` members share the launch
  int size;
  std::size_t segment;
  std::vector<Access> accesses;

  static constexpr int kAll = -1;
};

// The turns of a team of `members`, by segment and within it in the order of the steps.
std::vector<Turn> schedule(const std::vector<std::unique_ptr<Step>>& steps, const MemoryMap& memories, int members);

}  // namespace nnative
