// Places of the largest or smallest elements of rows and columns: the first of equal ones, and NaN before any number.
#pragma once

#include "kernels/rows.hpp"

namespace nnative {
namespace {

// Whether a takes the place of b, which lies before it.
template <bool largest, class T>
[[gnu::always_inline]] inline bool beats(T a, T b) {
  return !(largest ? a <= b : a >= b) && b == b;
}

// The first i of [0, n) with is(i), of which there is one.
template <class Is>
[[gnu::always_inline]] inline Index find_first(Index n, Is is) {
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    int any = 0;
#pragma omp simd reduction(| : any)
    for (Index l = 0; l < kLanes; ++l) any |= is(i + l);
    if (any != 0) break;
  }
  while (!is(i)) ++i;
  return i;
}

// The better of two numbers; b where either is NaN.
template <bool largest, class T>
[[gnu::always_inline]] inline T better(T a, T b) {
  return (largest ? b < a : a < b) ? a : b;
}

// What every number beats.
template <bool largest, class T>
constexpr T kWorst = largest ? -kInfinity<T> : kInfinity<T>;

template <class T>
using Place = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;  // as wide as the elements

// Of a row of at most kLanes, without a branch: their outcome is as random as the elements.
template <bool largest, class T>
inline Index extreme_of_short_row(const T* x, Index n) {
  constexpr auto count = static_cast<Place<T>>(kLanes);
  T lane[kLanes];
  last_block(lane, n, kWorst<largest, T>, [x](Index l) { return x[l]; });
  const T best = combine_lanes<kLanes>(lane, better<largest, T>);
  Place<T> place[kLanes];
#pragma omp simd
  for (Place<T> l = 0; l < count; ++l) place[l] = lane[l] != lane[l] ? l - count : lane[l] == best ? l : count;
  const Place<T> least = combine_lanes<kLanes>(place, min<Place<T>>);
  return least < 0 ? least + count : least;
}

// Of one row: the extreme first, then where it is.
template <bool largest, class T>
inline Index extreme_of_row(const T* x, Index n) {
  if (n <= kLanes) return extreme_of_short_row<largest>(x, n);
  T lane[kLanes], odd[kLanes] = {};
  for (T& value : lane) value = kWorst<largest, T>;
  const Index whole = for_each_whole_lane({0, n}, [&lane, &odd, x](Index i, Index l) {
    lane[l] = better<largest>(x[i], lane[l]);
    odd[l] = x[i] == x[i] ? odd[l] : T{1};
  });
  T best = combine_lanes<kLanes>(lane, better<largest, T>);
  bool nan = add_lanes(odd) > T{0};
  for (Index i = whole; i < n; ++i) {
    best = better<largest>(x[i], best);
    nan |= x[i] != x[i];
  }
  if (nan) return find_first(n, [x](Index i) { return x[i] != x[i]; });
  return find_first(n, [x, best](Index i) { return x[i] == best; });
}

// Rows are cut into pieces of so many elements, columns into pieces of so many rows, which members share.
constexpr Index kRowPiece = 1 << 14, kColumnPiece = 128;

inline Index pieces_of(Index N, Index B) { return ceil_div(N, B == 1 ? kRowPiece : kColumnPiece); }

// What is found in each piece: places (A,pieces,B) and the elements there.
template <class T>
struct Found {
  std::int64_t* place;
  T* value;
};

template <class T>
inline Scratch extremes_scratch(Index A, Index N, Index B) {
  const Index pieces = pieces_of(N, B);
  if (pieces == 1) return {};
  return {.shared = static_cast<std::size_t>(A * pieces * B) * (sizeof(std::int64_t) + sizeof(T)), .own = 0};
}

// Of up to kColumnsAtOnce neighbouring columns: `rows` elements of each from place `first` on, `stride` apart. value
// may be null.
template <bool largest, class T>
inline void extremes_of_columns(Found<T> found, const T* x, Index first, Index rows, Index stride, Index columns) {
  T best[kColumnsAtOnce];
  Place<T> place[kColumnsAtOnce];
  T* b = best;
  Place<T>* at = place;
  for_each({0, columns}, [=](Index c) { b[c] = x[c]; });
  for_each({0, columns}, [=](Index c) { at[c] = 0; });
  for (Index n = 1; n < rows; ++n) {
    const T* row = x + n * stride;
    const auto here = static_cast<Place<T>>(n);
    for_each({0, columns}, [=](Index c) {
      const bool taken = beats<largest>(row[c], b[c]);
      b[c] = taken ? row[c] : b[c];
      at[c] = taken ? here : at[c];
    });
  }
  for_each({0, columns}, [=](Index c) { found.place[c] = first + at[c]; });
  if (found.value != nullptr) for_each({0, columns}, [=](Index c) { found.value[c] = b[c]; });
}

// index (A,B) of x (A,N,B)
template <bool largest, class T>
inline void extremes(const Team& team, std::int64_t* index, const T* x, Index A, Index N, Index B) {
  const Index pieces = pieces_of(N, B), units = A * pieces;
  auto* const places = static_cast<std::int64_t*>(team.shared);
  const Found<T> all =
      pieces == 1 ? Found<T>{index, nullptr} : Found<T>{places, reinterpret_cast<T*>(places + units * B)};
  if (B == 1) {
    const Range mine = share(team, units);
    for (Index unit = mine.begin; unit < mine.end; ++unit) {
      const Index begin = unit % pieces * kRowPiece;
      const T* row = x + unit / pieces * N;
      all.place[unit] = begin + extreme_of_row<largest>(row + begin, min(kRowPiece, N - begin));
      if (pieces > 1) all.value[unit] = row[all.place[unit]];
    }
  } else {
    const Index width = columns_at_once(team, units, B), blocks = ceil_div(B, width);
    const Range mine = share(team, units * blocks);
    for (Index item = mine.begin; item < mine.end; ++item) {
      const Index unit = item / blocks, column = item % blocks * width, first = unit % pieces * kColumnPiece;
      const Found<T> found{all.place + unit * B + column, pieces == 1 ? nullptr : all.value + unit * B + column};
      extremes_of_columns<largest>(found, x + (unit / pieces * N + first) * B + column, first,
                                   min(kColumnPiece, N - first), B, min(width, B - column));
    }
  }
  if (pieces == 1) return;
  barrier(team);
  const Range mine = share(team, A * B, kLanes);
  for (Index result = mine.begin; result < mine.end; ++result) {
    const Index from = result / B * pieces * B + result % B;
    Index best = from;
    for (Index next = from + B; next < from + pieces * B; next += B) {
      if (beats<largest>(all.value[next], all.value[best])) best = next;
    }
    index[result] = all.place[best];
  }
}

}  // namespace
}  // namespace nnative
