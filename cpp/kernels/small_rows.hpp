// Exponentials of rows of at most kFewClasses, kLanes rows at a time: a vector holds one class of all rows, not a part
// of one row that leaves it partly empty. The bits are those of softmax_row.
#pragma once

#include "kernels/rows.hpp"
#include "kernels/vector.hpp"

namespace nnative {
namespace {

// Two blocks of kLanes.
constexpr Index kFewClasses = 2 * kLanes;

// side[c][l] = x[l][c] of x (count,C); rows behind the last are 0
template <class T>
inline void to_side_by_side(T (*side)[kLanes], const T* x, Index count, Index C) {
  constexpr Index W = kWidth<T>;
  for (Index r = 0; r < kLanes; r += W) {
    const Index rows = max(min(W, count - r), Index{0});
    for (Index c = 0; c < C; c += W) {
      load_transposed_partial(x + r * C + c, C, rows, min(W, C - c),
                              [=](Index l, Vector<T> its) { store(side[c + l] + r, its); });
    }
  }
}

// The reverse, of `count` rows. Vectors are stored whole wherever they end within y: what they write of the next row,
// its own vectors write again, since the last ones of each row come first.
template <class T>
inline void to_rows(T* y, const T (*side)[kLanes], Index count, Index C) {
  constexpr Index W = kWidth<T>;
  for (Index r = 0; r < count; r += W) {
    for (Index c = (C - 1) / W * W; c >= 0; c -= W) {
      Vector<T> square[W];
#pragma GCC unroll 16
      for (Index i = 0; i < W; ++i) square[i] = load(side[c + i] + r);
      transpose<T>(square);
      const Index rows = min(W, count - r), end = count * C - W;
      Index i = 0, to = r * C + c;
      for (; i < rows && to <= end; ++i, to += C) store(y + to, square[i]);
      for (; i < rows; ++i, to += C) store_partial(y + to, square[i], min(W, C - c));
    }
  }
}

// Combines kLanes classes of each row as combine_lanes does, c with c + 8, then with c + 4, 2, 1.
template <class T, class Combine>
inline void combine_classes(T* result, const T (*side)[kLanes], Combine combine) {
  for (Index l = 0; l < kLanes; l += kWidth<T>) {
    Vector<T> half[kLanes / 2];
#pragma GCC unroll 8
    for (Index c = 0; c < kLanes / 2; ++c) half[c] = combine(load(side[c] + l), load(side[c + kLanes / 2] + l));
#pragma GCC unroll 3
    for (Index step = kLanes / 4; step > 0; step /= 2) {
#pragma GCC unroll 4
      for (Index c = 0; c < step; ++c) half[c] = combine(half[c], half[c + step]);
    }
    store(result + l, half[0]);
  }
}

template <class T>
inline void set_classes(T (*side)[kLanes], Range classes, T value) {
  for (Index c = classes.begin; c < classes.end; ++c) {
    T* x = side[c];
    for_each({0, kLanes}, [=](Index l) { x[l] = value; });
  }
}

// The largest of each row. As in exp_row, what is not a number is passed over in the block before the last.
template <class T>
inline void largest_classes(T* largest, const T (*side)[kLanes], Index blocks) {
  const auto larger = [](Vector<T> a, Vector<T> b) -> Vector<T> { return a < b ? b : a; };
  combine_classes(largest, side + (blocks - 1) * kLanes, larger);
  if (blocks == 1) return;
  alignas(64) T numbers[kLanes][kLanes], most[kLanes];
  for (Index c = 0; c < kLanes; ++c) {
    const T* x = side[c];
    T* number = numbers[c];
    for_each({0, kLanes}, [=](Index l) { number[l] = -kInfinity<T> < x[l] ? x[l] : -kInfinity<T>; });
  }
  combine_classes(most, numbers, larger);
  for_each({0, kLanes}, [=, &most](Index l) { largest[l] = largest[l] < most[l] ? most[l] : largest[l]; });
}

// The sum of each row: class c and c + kLanes first.
template <class T>
inline void sum_classes(T* sum, const T (*side)[kLanes], Index blocks) {
  const auto add = [](Vector<T> a, Vector<T> b) { return a + b; };
  if (blocks == 1) return combine_classes(sum, side, add);
  alignas(64) T both[kLanes][kLanes];
  for (Index c = 0; c < kLanes; ++c) {
    const T *a = side[c], *b = side[c + kLanes];
    T* to = both[c];
    for_each({0, kLanes}, [=](Index l) { to[l] = a[l] + b[l]; });
  }
  combine_classes(sum, both, add);
}

constexpr Index blocks_of(Index C) { return C <= kLanes ? 1 : 2; }

// side (kFewClasses) = the rows of x (count,C) side by side, −∞ behind them up to the end of a block
template <class T>
inline void rows_side_by_side(T (*side)[kLanes], const T* x, Index count, Index C) {
  to_side_by_side(side, x, count, C);
  set_classes(side, {C, blocks_of(C) * kLanes}, -kInfinity<T>);
}

// side = exp(side − largest), with largest (kLanes) and the sum (kLanes) of each row
template <class T>
inline void exp_side_by_side(T (*side)[kLanes], T* largest, T* sum, Index C) {
  largest_classes(largest, side, blocks_of(C));
  for (Index c = 0; c < C; ++c) {
    T* e = side[c];
    for_each({0, kLanes}, [=](Index l) { e[l] = exp_negative(e[l] - largest[l]); });
  }
  set_classes(side, {C, blocks_of(C) * kLanes}, T{0});
  sum_classes(sum, side, blocks_of(C));
}

}  // namespace
}  // namespace nnative
