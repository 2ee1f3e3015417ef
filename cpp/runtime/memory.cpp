#include "runtime/memory.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <new>

namespace nnative {
namespace {

struct Kept {
  std::deque<Block> blocks;  // the oldest first
  std::size_t bytes = 0;
};

Kept& kept() {
  static auto* const all = new Kept;  // arrays may outlive static objects
  return *all;
}

}  // namespace

void* allocate_pages(std::size_t bytes) {
  constexpr std::size_t kLine = 64, kHugePage = std::size_t{1} << 21;
  const bool huge = bytes >= 2 * kHugePage;
  bytes = (bytes + kLine - 1) / kLine * kLine;
  void* memory = nullptr;  // not aligned_alloc, which wants a multiple of the alignment
  if (posix_memalign(&memory, huge ? kHugePage : kLine, bytes) != 0) throw std::bad_alloc();
#if defined(__linux__)
  if (huge) madvise(memory, bytes, MADV_HUGEPAGE);  // as NumPy does: fewer page faults
#endif
  return memory;
}

Block take_block(std::size_t bytes) {
  auto& [blocks, total] = kept();
  const auto fits = std::find_if(blocks.rbegin(), blocks.rend(), [=](const Block& b) { return b.bytes == bytes; });
  if (fits == blocks.rend()) return {allocate_pages(bytes), bytes};
  const Block block = *fits;
  blocks.erase(std::next(fits).base());
  total -= bytes;
  return block;
}

void give_block(const Block& block) {
  auto& [blocks, total] = kept();
  blocks.push_back(block);
  total += block.bytes;
  for (; total > kKeptBytes; blocks.pop_front()) {
    total -= blocks.front().bytes;
    std::free(blocks.front().memory);
  }
}

}  // namespace nnative
