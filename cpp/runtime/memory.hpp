// Memory of large arrays: in huge pages, and kept for the next array of its size when an array goes. A training loop
// makes arrays of the same sizes again and again; to have the pages of each from the system, and cleared, takes several
// times as long as to write it.
#pragma once

#include <cstddef>

namespace nnative {

// Memory of whole cache lines, and of huge pages where it has several. For std::free.
void* allocate_pages(std::size_t bytes);

// Memory that is kept has at least so many bytes (smaller blocks are kept by malloc), all of it at most so many.
constexpr std::size_t kKeptBlockBytes = std::size_t{1} << 20, kKeptBytes = std::size_t{1} << 28;

// One array's memory. Both functions need the GIL.
struct Block {
  void* memory;
  std::size_t bytes;
};
Block take_block(std::size_t bytes);
void give_block(const Block& block);

}  // namespace nnative
