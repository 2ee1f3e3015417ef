// What every kernel file shares: fused multiply-add, sharing of work, sums in a fixed order. Everything is in an
// anonymous namespace, since each instruction set compiles its own copy.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "runtime/team.hpp"

namespace nnative {
namespace {

// Virtual lanes of every sum outside matrix products: the same on all instruction sets, so sums have the same bits.
constexpr Index kLanes = 16;
// Elements a chunk of a shared sum holds, whatever the team's size.
constexpr Index kChunk = 4096;

struct Range {
  Index begin, end;
};

constexpr Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }
constexpr Index round_up(Index a, Index b) { return ceil_div(a, b) * b; }
template <class T>
constexpr T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}

// This member's share of `total` items, in whole multiples of `grain` (the last share takes the remainder).
inline Range share(const Team& team, Index total, Index grain = 1) {
  if (team.size == 1) return {0, total};
  const Index units = ceil_div(total, grain);
  const Index begin = units * team.rank / team.size, end = units * (team.rank + 1) / team.size;
  return {min(begin * grain, total), min(end * grain, total)};
}

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
constexpr bool kFusedMultiplyAdd = true;
#else
constexpr bool kFusedMultiplyAdd = false;
#endif

// a·b + c with one rounding; the x86-64 baseline has no such instruction and rounds twice.
template <class T>
inline T fma(T a, T b, T c) {
  if constexpr (!kFusedMultiplyAdd) {
    return a * b + c;
  } else if constexpr (std::is_same_v<T, float>) {
    return __builtin_fmaf(a, b, c);
  } else {
    return __builtin_fma(a, b, c);
  }
}

// One instruction; __builtin_sqrt alone would take a float through double.
template <class T>
inline T sqrt(T x) {
  if constexpr (std::is_same_v<T, float>) {
    return __builtin_sqrtf(x);
  } else {
    return __builtin_sqrt(x);
  }
}

// Σ term(i) for i in [0, n): element i goes to lane i mod kLanes, then the lanes are added pairwise.
template <class T, class Term>
inline T lane_sum(Index n, Term term) {
  T lane[kLanes] = {};
  const Index whole = n / kLanes * kLanes;
  for (Index i = 0; i < whole; i += kLanes) {
#pragma omp simd
    for (Index l = 0; l < kLanes; ++l) lane[l] += term(i + l);
  }
  for (Index i = whole; i < n; ++i) lane[i - whole] += term(i);
  for (Index half = kLanes / 2; half > 0; half /= 2) {
    for (Index l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

}  // namespace
}  // namespace nnative
