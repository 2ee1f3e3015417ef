#include "runtime/schedule.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <unordered_map>

#include "runtime/pool.hpp"

namespace nnative {
namespace {

// What the turns so far did to one memory.
struct Use {
  std::size_t begin, end;
  bool written;
  int member;
  std::size_t segment;
};

class Uses {
 public:
  // The first segment in which a member may do this: the one of what it follows, or the next where another member did
  // that.
  std::size_t earliest(const Access& access, int member) const {
    const auto found = of_.find(access.memory);
    if (found == of_.end()) return 0;
    std::size_t segment = 0;
    for (const Use& use : found->second) {
      if (!use.written && !access.written) continue;
      if (use.end <= access.begin || access.end <= use.begin) continue;
      const bool own = use.member == member && member != Turn::kAll;
      segment = std::max(segment, use.segment + (own ? 0 : 1));
    }
    return segment;
  }
  void note(const Access& access, int member, std::size_t segment) {
    of_[access.memory].push_back({access.begin, access.end, access.written, member, segment});
  }

 private:
  std::unordered_map<std::size_t, std::vector<Use>> of_;
};

// One launch as the turns of those who run it.
std::vector<Turn> turns_of(const Step& step, int members) {
  std::vector<Turn> turns;
  if (members > 1 && step.divisible()) {
    for (int member = 0; member < members; ++member) {
      if (auto part = step.part(member, members)) turns.push_back({std::move(part), member, 1, 0, {}});
    }
  } else {
    const int size = members_for(step.cost.nanoseconds, members);
    turns.push_back({step.part(0, 1), size > 1 ? Turn::kAll : 0, size, 0, {}});
  }
  return turns;
}

}  // namespace

MemoryMap::MemoryMap(const std::vector<Memory>& memory)
    : memory_(memory), by_base_(memory.size()), instead_(memory.size()) {
  std::iota(by_base_.begin(), by_base_.end(), std::size_t{0});
  std::iota(instead_.begin(), instead_.end(), std::size_t{0});
  std::sort(by_base_.begin(), by_base_.end(), [&](auto a, auto b) { return memory_[a].base < memory_[b].base; });
}

std::size_t MemoryMap::memory_at(const void* pointer) const {
  const auto* address = static_cast<const std::byte*>(pointer);
  auto next = std::upper_bound(by_base_.begin(), by_base_.end(), address,
                               [&](const std::byte* p, std::size_t m) { return p < memory_[m].base; });
  if (next == by_base_.begin()) throw std::logic_error("a recorded pointer lies in no known array");
  const std::size_t m = *std::prev(next);
  if (static_cast<std::size_t>(address - memory_[m].base) > memory_[m].bytes)
    throw std::logic_error("a recorded pointer lies in no known array");
  return m;
}

std::vector<Access> MemoryMap::accesses(Step& step) const {
  std::vector<Access> accesses;
  step.visit([&](void*& pointer, const Touch& touch) {
    if (pointer == nullptr) return accesses.push_back({kNone, 0, 0, 0, false, false});
    const std::size_t m = memory_at(pointer);
    const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(pointer) - memory_[m].base);
    const bool whole = touch.bytes == kWhole;
    accesses.push_back({instead_[m], offset, whole ? 0 : offset, whole ? memory_[m].bytes : offset + touch.bytes,
                        touch.written, touch.pointwise});
  });
  return accesses;
}

void MemoryMap::work_in_place(const std::vector<std::unique_ptr<Step>>& steps) {
  std::vector<std::vector<Access>> accesses_of;
  std::vector<std::size_t> uses(memory_.size(), 0);
  for (const auto& step : steps) {
    accesses_of.push_back(accesses(*step));
    for (const Access& access : accesses_of.back()) {
      if (access.memory != kNone) ++uses[access.memory];
    }
  }
  const auto replaceable = [&](const Access& a) {
    if (!a.pointwise || a.memory == kNone || memory_[a.memory].kind != Memory::Kind::temporary) return false;
    return a.begin == 0 && a.end == memory_[a.memory].bytes;
  };
  for (const std::vector<Access>& all : accesses_of) {
    const auto result = std::find_if(all.begin(), all.end(), [](const Access& a) { return a.written; });
    if (result == all.end() || !replaceable(*result)) continue;
    // An operand with two uses: by the launch that computes it, and here.
    const auto operand = std::find_if(all.begin(), all.end(), [&](const Access& a) {
      return !a.written && replaceable(a) && uses[a.memory] == 2 && a.end == result->end;
    });
    if (operand != all.end()) instead_[result->memory] = instead_[operand->memory];
  }
}

std::vector<Turn> schedule(const std::vector<std::unique_ptr<Step>>& steps, const MemoryMap& memories, int members) {
  std::vector<Turn> all;
  Uses uses;
  std::size_t next_shared = 0;  // shared launches follow each other, since they share their scratch memory as well
  for (const auto& step : steps) {
    std::vector<Turn> turns = turns_of(*step, members);
    const bool shared = turns.front().member == Turn::kAll;
    std::size_t segment = shared ? next_shared : 0;
    for (Turn& turn : turns) {
      turn.accesses = memories.accesses(*turn.step);
      for (const Access& access : turn.accesses) segment = std::max(segment, uses.earliest(access, turn.member));
    }
    for (Turn& turn : turns) {
      turn.segment = segment;
      for (const Access& access : turn.accesses) {
        if (uses.earliest(access, turn.member) > segment) throw std::logic_error("parts of a launch overlap");
      }
      for (const Access& access : turn.accesses) uses.note(access, turn.member, segment);
      all.push_back(std::move(turn));
    }
    if (shared) next_shared = segment + 1;
  }
  std::stable_sort(all.begin(), all.end(), [](const Turn& a, const Turn& b) { return a.segment < b.segment; });
  return all;
}

}  // namespace nnative
