// Loops in blocks of kLanes elements, the last one masked, and sums and maxima over such blocks. The bits of a result
// depend on its own elements only: not on the vector width, nor on what lies before or behind in memory.
#pragma once

#include "kernels/math.hpp"
#include "kernels/vector.hpp"

namespace nnative {
namespace {

// Calls body(i, l) for each i of the blocks that the range holds whole, l being its place in its block, and returns
// where they end; iterations of a block must not depend on each other.
template <class Body>
[[gnu::always_inline]] inline Index for_each_whole_lane(Range range, Body body) {
  Index i = range.begin;
  for (; i + kLanes <= range.end; i += kLanes) {
#pragma omp simd
    for (Index l = 0; l < kLanes; ++l) body(i + l, l);
  }
  return i;
}

// Calls body(i, l) for each i of the range in the same way.
template <class Body>
[[gnu::always_inline]] inline void for_each_lane(Range range, Body body) {
  const Index i = for_each_whole_lane(range, body);
  // A fixed count with a condition becomes one masked block; a loop of `rest` rounds would run element by element.
  if (const Index rest = range.end - i; rest > 0) {
#pragma omp simd
    for (int l = 0; l < static_cast<int>(kLanes); ++l)
      if (l < rest) body(i + l, l);
  }
}

// Calls body(i) for each i of the range; iterations must not depend on each other.
template <class Body>
[[gnu::always_inline]] inline void for_each(Range range, Body body) {
  for_each_lane(range, [body](Index i, Index) __attribute__((always_inline)) { body(i); });
}

// A loop over arrays that lie in memory calls what it reads into the second-level cache so many bytes before: the
// hardware stops at the end of a page, and where several arrays are read it comes too late. In a first-level cache of
// 8 ways, rows 4 KB apart would take the places of the sums they are added to: half as long again on Zen 4.
constexpr Index kCalledBytes = 4096;

// Calls the block of kLanes elements `further` elements behind `from`, which need not be there.
template <class T>
[[gnu::always_inline]] inline void call_block(const T* from, Index further) {
  const auto at = reinterpret_cast<std::uintptr_t>(from) + static_cast<std::uintptr_t>(further) * sizeof(T);
  for (std::uintptr_t byte = 0; byte < kLanes * sizeof(T); byte += 64)
    __builtin_prefetch(reinterpret_cast<const void*>(at + byte), 0, 2);
}

// As for_each, calling `further` elements ahead of from[i] … on the way.
template <class Body, class... From>
[[gnu::always_inline]] inline void for_each_calling(Range range, Index further, Body body, const From*... from) {
  Index i = range.begin;
  for (; i + kLanes <= range.end; i += kLanes) {
    (call_block(from + i, further), ...);
#pragma omp simd
    for (Index l = 0; l < kLanes; ++l) body(i + l);
  }
  for_each({i, range.end}, body);
}

// Combines the lanes pairwise: l with l + 8, then with l + 4, 2, 1.
template <Index count, class T, class Combine>
[[gnu::always_inline]] inline T combine_lanes(const T* lane, Combine combine) {
  if constexpr (count == 1) {
    return *lane;
  } else {
    T half[count / 2];
#pragma omp simd
    for (int l = 0; l < count / 2; ++l) half[l] = combine(lane[l], lane[l + count / 2]);
    return combine_lanes<count / 2>(half, combine);
  }
}

template <class T>
[[gnu::always_inline]] inline T add_lanes(const T (&lane)[kLanes]) {
  return combine_lanes<kLanes>(lane, [](T a, T b) { return a + b; });
}

// NaN loses against any number, −∞ is the maximum of nothing.
template <class T>
[[gnu::always_inline]] inline T max_lanes(const T (&lane)[kLanes]) {
  return combine_lanes<kLanes>(lane, [](T a, T b) { return a < b ? b : a; });
}

// lane[l] = term(l) of the last, partial block, `none` beyond it. What is stored through a mask is slow to come back
// from memory: rows of 17 took twice as long as rows of 16 when their last lane went that way.
template <class T, class Term>
[[gnu::always_inline]] inline void last_block(T (&lane)[kLanes], Index rest, T none, Term term) {
#pragma omp simd
  for (int l = 0; l < static_cast<int>(kLanes); ++l) lane[l] = l < rest ? term(l) : none;
}

// Σ term(i) for i in [0, n), in the order of lane_sum.
template <class T, class Term>
[[gnu::always_inline]] inline T row_sum(Index n, Term term) {
  T lane[kLanes] = {}, last[kLanes];
  const Index whole = for_each_whole_lane({0, n}, [&lane, term](Index i, Index l) { lane[l] += term(i); });
  if (whole < n) {
    last_block(last, n - whole, T{0}, [=](Index l) { return term(whole + l); });
    for_each_whole_lane({0, kLanes}, [&](Index, Index l) { lane[l] += last[l]; });
  }
  return add_lanes(lane);
}

// The maximum of a row and Σ e^(x − maximum), which softmax, log-softmax and cross-entropy share.
template <class T>
struct RowSum {
  T max, sum;
};

// kLanes numbers in registers: an array that a loop adds to stays in memory with some compilers.
template <class T>
struct HeldLanes {
  static constexpr Index kWide = kWidth<T>;
  Vector<T> part[kLanes / kWide];

  [[gnu::always_inline]] explicit HeldLanes(T value) {
    for (Vector<T>& lanes : part) lanes = broadcast(value);
  }
  // Combines each with that of the block at x.
  template <class Combine>
  [[gnu::always_inline]] void take(const T* x, Combine combine) {
#pragma GCC unroll 8
    for (Index v = 0; v < kLanes / kWide; ++v) part[v] = combine(part[v], load(x + v * kWide));
  }
  [[gnu::always_inline]] void put(T* lane) const {
#pragma GCC unroll 8
    for (Index v = 0; v < kLanes / kWide; ++v) store(lane + v * kWide, part[v]);
  }
};

constexpr Index kBeside = 16 * kLanes;

// The same. e^(x − maximum) of the block at i goes to place(i), but that of the last one to `last`, 0 beyond the row.
// beside(range) is called for some of the blocks before the last one at a time: other work, while the exponentials
// leave memory idle.
template <class T, class Place, class Beside>
[[gnu::always_inline]] inline RowSum<T> exp_row(T (&last)[kLanes], const T* x, Index C, Place place, Beside beside) {
  const Range before{0, (C - 1) / kLanes * kLanes}, block{0, kLanes};
  last_block(last, C - before.end, -kInfinity<T>, [=](Index l) { return x[before.end + l]; });
  T max = max_lanes(last), lane[kLanes];
  if (before.end > 0) {
    HeldLanes<T> largest(-kInfinity<T>);
    for (Index i = 0; i < before.end; i += kLanes)
      largest.take(x + i, [](Vector<T> a, Vector<T> b) -> Vector<T> { return a < b ? b : a; });
    largest.put(lane);
    const T most = max_lanes(lane);
    max = max < most ? most : max;
  }
  for_each_whole_lane(block, [&](Index, Index l) { last[l] = exp_negative(last[l] - max); });
  HeldLanes<T> sum(T{0});
  const auto add = [](Vector<T> a, Vector<T> b) { return a + b; };
  for (Index begin = 0; begin < before.end; begin += kBeside) {
    const Range some{begin, min(begin + kBeside, before.end)};
    beside(some);
    for (Index i = some.begin; i < some.end; i += kLanes) {
      T* e = place(i);
#pragma omp simd
      for (Index l = 0; l < kLanes; ++l) e[l] = exp_negative(x[i + l] - max);
      sum.take(e, add);
    }
  }
  sum.take(last, add);
  sum.put(lane);
  return {max, add_lanes(lane)};
}
template <class T, class Place>
[[gnu::always_inline]] inline RowSum<T> exp_row(T (&last)[kLanes], const T* x, Index C, Place place) {
  return exp_row(last, x, C, place, [](Range) {});
}

template <class T>
[[gnu::always_inline]] inline RowSum<T> exp_sum_row(const T* x, Index C) {
  T last[kLanes], block[kLanes];
  return exp_row(last, x, C, [&block](Index) { return block; });
}

// y (C) = softmax of x (C)
template <class T>
[[gnu::always_inline]] inline RowSum<T> softmax_row(T* y, const T* x, Index C) {
  T last[kLanes];
  const RowSum<T> row = exp_row(last, x, C, [y](Index i) { return y + i; });
  const T inverse = T{1} / row.sum;
  const Index whole = (C - 1) / kLanes * kLanes, rest = C - whole;
  for_each_whole_lane({0, whole}, [=](Index i, Index) { y[i] *= inverse; });
#pragma omp simd
  for (int l = 0; l < static_cast<int>(kLanes); ++l)
    if (l < rest) y[whole + l] = last[l] * inverse;
  return row;
}

// A member's rows: enough of them together that two members rarely write to one cache line.
template <class T>
inline Range share_rows(const Team& team, Index N, Index C) {
  constexpr Index line = 64 / sizeof(T);
  return share(team, N, C >= line ? 1 : line);
}

// Columns that one member sums together over each of some pieces of rows. Long runs are read fastest; shorter ones
// where the members would not all have some. Columns do not meet: no bit depends on it.
constexpr Index kColumnsAtOnce = 1024;
inline Index columns_at_once(const Team& team, Index pieces, Index C) {
  Index width = kColumnsAtOnce;
  while (width > 128 && pieces * ceil_div(C, width) < 2 * team.size) width /= 2;
  return width;
}

// out (1) = scale · Σ term(i) for i in [0, size), in chunks; team.shared holds `chunks` numbers at `partial`.
template <class T, class Term>
inline void shared_sum(const Team& team, T* out, T* partial, Index size, T scale, Term term) {
  const Index chunks = ceil_div(size, kChunk);
  const Range mine = share(team, chunks);
  for (Index c = mine.begin; c < mine.end; ++c) {
    const Index first = c * kChunk;
    partial[c] = row_sum<T>(min(kChunk, size - first), [=](Index i) { return term(first + i); });
  }
  barrier(team);
  if (team.rank == 0) *out = scale * row_sum<T>(chunks, [=](Index c) { return partial[c]; });
}

}  // namespace
}  // namespace nnative
