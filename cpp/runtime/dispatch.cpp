#include "runtime/dispatch.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace nnative {

#define NNATIVE_DECLARE_SET(isa)  \
  namespace isa {                 \
  extern const KernelTable table; \
  }
#ifdef NNATIVE_HAVE_BASELINE
NNATIVE_DECLARE_SET(baseline)
#endif
#ifdef NNATIVE_HAVE_AVX2
NNATIVE_DECLARE_SET(avx2)
#endif
#ifdef NNATIVE_HAVE_AVX512
NNATIVE_DECLARE_SET(avx512)
#endif

namespace {

std::vector<InstructionSet> detect() {
  std::vector<InstructionSet> sets;
  sets.push_back({"baseline", true, &baseline::table});
  // __builtin_cpu_supports also asks the operating system (XGETBV) whether it saves the wide registers.
#ifdef NNATIVE_HAVE_AVX2
  sets.push_back({"avx2", static_cast<bool>(__builtin_cpu_supports("x86-64-v3")), &avx2::table});
#endif
#ifdef NNATIVE_HAVE_AVX512
  sets.push_back({"avx512", static_cast<bool>(__builtin_cpu_supports("x86-64-v4")), &avx512::table});
#endif
  return sets;
}

const KernelTable* find(const std::string& name) {
  std::string known;
  for (const InstructionSet& set : instruction_sets()) {
    if (name == set.name) {
      if (!set.supported) throw std::invalid_argument("instruction set '" + name + "' is not supported by this CPU");
      return set.table;
    }
    known += known.empty() ? set.name : std::string(", ") + set.name;
  }
  throw std::invalid_argument("unknown instruction set '" + name + "'; this build has: " + known);
}

const KernelTable* initial() {
  if (const char* forced = std::getenv("NNATIVE_ISA"); forced != nullptr && *forced != '\0') {
    try {
      return find(forced);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(std::string("NNATIVE_ISA: ") + error.what());
    }
  }
  const KernelTable* best = nullptr;
  for (const InstructionSet& set : instruction_sets())
    if (set.supported) best = set.table;
  return best;
}

std::atomic<const KernelTable*>& active() {
  static std::atomic<const KernelTable*> table{initial()};
  return table;
}

}  // namespace

const std::vector<InstructionSet>& instruction_sets() {
  static const std::vector<InstructionSet> sets = detect();
  return sets;
}

const KernelTable& active_table() { return *active().load(std::memory_order_relaxed); }

void set_isa(const std::string& name) { active().store(find(name)); }

}  // namespace nnative
