// Loops in blocks of kLanes elements, the last one masked, and sums and maxima over such blocks. The bits of a result
// depend on its own elements only: not on the vector width, nor on what lies before or behind in memory.
#pragma once

#include "kernels/math.hpp"

namespace nnative {
namespace {

// Calls body(i, l) for each i of the range, l being its place in its block; iterations of a block must not depend on
// each other.
template <class Body>
[[gnu::always_inline]] inline void for_each_lane(Range range, Body body) {
  Index i = range.begin;
  for (; i + kLanes <= range.end; i += kLanes) {
#pragma omp simd
    for (Index l = 0; l < kLanes; ++l) body(i + l, l);
  }
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
  for_each_lane(range, [body](Index i, Index) { body(i); });
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

// Σ term(i) for i in [0, n), in the order of lane_sum.
template <class T, class Term>
[[gnu::always_inline]] inline T row_sum(Index n, Term term) {
  T lane[kLanes] = {};
  for_each_lane({0, n}, [&lane, term](Index i, Index l) { lane[l] += term(i); });
  return add_lanes(lane);
}

template <class T>
[[gnu::always_inline]] inline T row_max(const T* x, Index n) {
  T lane[kLanes];
  for (T& value : lane) value = -kInfinity<T>;
  for_each_lane({0, n}, [&lane, x](Index i, Index l) { lane[l] = lane[l] < x[i] ? x[i] : lane[l]; });
  return max_lanes(lane);
}

// The maximum of a row and Σ e^(x − maximum), which softmax, log-softmax and cross-entropy share.
template <class T>
struct RowSum {
  T max, sum;
};

// The same for a row of one block, whose exponentials stay in registers; behind the row they are 0.
template <class T>
[[gnu::always_inline]] inline RowSum<T> exp_block(T (&block)[kLanes], const T* x, Index C) {
#pragma omp simd
  for (int l = 0; l < static_cast<int>(kLanes); ++l) block[l] = l < C ? x[l] : -kInfinity<T>;
  const T max = max_lanes(block);
#pragma omp simd
  for (int l = 0; l < static_cast<int>(kLanes); ++l) block[l] = exp_negative(block[l] - max);
  return {max, add_lanes(block)};
}

template <class T>
[[gnu::always_inline]] inline RowSum<T> exp_sum_row(const T* x, Index C) {
  if (C <= kLanes) {
    T block[kLanes];
    return exp_block(block, x, C);
  }
  const T max = row_max(x, C);
  return {max, row_sum<T>(C, [=](Index i) { return exp_negative(x[i] - max); })};
}

// y (C) = softmax of x (C)
template <class T>
[[gnu::always_inline]] inline RowSum<T> softmax_row(T* y, const T* x, Index C) {
  if (C <= kLanes) {
    T block[kLanes];
    const RowSum<T> row = exp_block(block, x, C);
    const T inverse = T{1} / row.sum;
#pragma omp simd
    for (int l = 0; l < static_cast<int>(kLanes); ++l)
      if (l < C) y[l] = block[l] * inverse;
    return row;
  }
  const T max = row_max(x, C);
  const T sum = row_sum<T>(C, [=](Index i) { return y[i] = exp_negative(x[i] - max); });
  const T inverse = T{1} / sum;
  for_each({0, C}, [=](Index i) { y[i] *= inverse; });
  return {max, sum};
}

// A member's rows: enough of them together that two members rarely write to one cache line.
template <class T>
inline Range share_rows(const Team& team, Index N, Index C) {
  constexpr Index line = 64 / sizeof(T);
  return share(team, N, C >= line ? 1 : line);
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
