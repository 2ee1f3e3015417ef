// What launches over many arrays share; their slots describe an array each and have its `size`.
#pragma once

#include "kernels/rows.hpp"

namespace nnative {
namespace {

// −1, 0 or 1; NaN of NaN
template <class T>
[[gnu::always_inline]] inline T sign_of(T x) {
  const T below = x < T{0} ? T(-1) : x;
  return x > T{0} ? T(1) : below;
}

// The larger of two; NaN where one of them is
template <class T>
[[gnu::always_inline]] inline T larger(T a, T b) {
  return (a >= b) | (a != a) ? a : b;
}

// Scales a row whose Euclidean norm is larger to max_norm.
template <class T>
inline void limit_norm(T* row, Index size, double max_norm) {
  const double norm = sqrt(row_sum<double>(size, [=](Index i) {
    const double x = row[i];
    return x * x;
  }));
  if (!(norm > max_norm)) return;
  const T factor = static_cast<T>(max_norm / norm);
  for_each({0, size}, [=](Index i) { row[i] *= factor; });
}

// Calls update(slot, begin, end) for this member's share of all elements of all slots laid end to end.
template <class Slot, class Update>
inline void for_share(const Team& team, const Slot* slots, Index count, Update update) {
  constexpr Index kGrain = 256;
  Index total = 0;
  for (Index i = 0; i < count; ++i) total += slots[i].size;
  const Range mine = share(team, total, kGrain);
  Index start = 0;
  for (Index i = 0; i < count && start < mine.end; ++i) {
    const Index begin = max(mine.begin - start, Index{0}), end = min(mine.end - start, slots[i].size);
    if (begin < end) update(slots[i], begin, end);
    start += slots[i].size;
  }
}

// The chunks that all slots are cut into; each lies in one slot.
template <class Slot>
inline Index chunks_of(const Slot* slots, Index count) {
  Index chunks = 0;
  for (Index i = 0; i < count; ++i) chunks += ceil_div(slots[i].size, kChunk);
  return chunks;
}

// Calls visit(number, slot, chunk) for this member's share of the chunks.
template <class Slot, class Visit>
inline void for_chunks(const Team& team, const Slot* slots, Index count, Visit visit) {
  const Range mine = share(team, chunks_of(slots, count));
  Index first = 0;
  for (Index i = 0; i < count && first < mine.end; ++i) {
    const Index size = slots[i].size, chunks = ceil_div(size, kChunk);
    const Index end = min(mine.end - first, chunks);
    for (Index c = max(mine.begin - first, Index{0}); c < end; ++c)
      visit(first + c, slots[i], Range{c * kChunk, min((c + 1) * kChunk, size)});
    first += chunks;
  }
}

}  // namespace
}  // namespace nnative
