// One column of a product whose A has the elements of each step side by side: lanes run along the rows of the result. A
// sum over steps alone is such a column, too.
#pragma once

#include "kernels/rows.hpp"
#include "kernels/vector.hpp"

namespace nnative {
namespace {

// c(i) = Σ_p a[p·a_step + i] · b[p·b_row], or of a alone where b is null: the sum of a chain over p < split and one
// over the others, or one chain where split is P. c(i) is c[i·c_step].
template <class T>
struct Column {
  T* c;
  Index c_step;
  const T* a;
  Index a_step;
  const T* b;
  Index b_row;
  Index P, split;
};

// Rows [i, i + rows) in V vectors, of which the last may be partial: V chains at a time, since an addition waits for
// the one before it.
template <class T, int V, bool kFactors>
void column_vectors(const Column<T>& column, Index i, Index rows) {
  constexpr int W = kWidth<T>;
  const auto [c, c_step, first_a, a_step, first_b, b_row, P, split] = column;
  const Index edge = rows - (V - 1) * W;
  const T *a = first_a + i, *b = first_b;
  Vector<T> acc[V] = {}, before[V] = {};
  for (Index p = 0; p < P; ++p, a += a_step) {
    if (p == split) {
      for (int v = 0; v < V; ++v) before[v] = acc[v], acc[v] = Vector<T>{};
    }
    const auto add = [&](Vector<T>& sum, Vector<T> lanes) __attribute__((always_inline)) {
      if constexpr (kFactors) {
        sum = fma<T>(broadcast(*b), lanes, sum);
      } else {
        sum += lanes;
      }
    };
#pragma GCC unroll 4
    for (int v = 0; v < V - 1; ++v) add(acc[v], load(a + v * W));
    add(acc[V - 1], edge == W ? load(a + (V - 1) * W) : load_partial(a + (V - 1) * W, edge));
    if constexpr (kFactors) b += b_row;
  }
  for (int v = 0; v < V && split < P; ++v) acc[v] += before[v];
  if (c_step == 1) {
    T* to = c + i;
#pragma GCC unroll 4
    for (int v = 0; v < V - 1; ++v) store(to + v * W, acc[v]);
    store_partial(to + (V - 1) * W, acc[V - 1], edge);
  } else {
    T apart[V * W];
    for (int v = 0; v < V; ++v) store(apart + v * W, acc[v]);
    for (Index r = 0; r < rows; ++r) c[(i + r) * c_step] = apart[r];
  }
}

// Rows that are walked together.
template <class T>
constexpr Index kColumnRows = 4 * kWidth<T>;

template <class T, bool kFactors>
void column_rows(const Column<T>& column, Range rows) {
  constexpr void (*kByVectors[])(const Column<T>&, Index, Index) = {
      column_vectors<T, 1, kFactors>, column_vectors<T, 2, kFactors>, column_vectors<T, 3, kFactors>,
      column_vectors<T, 4, kFactors>};
  for (Index i = rows.begin; i < rows.end; i += kColumnRows<T>) {
    const Index count = min(kColumnRows<T>, rows.end - i);
    kByVectors[ceil_div(count, kWidth<T>) - 1](column, i, count);
  }
}

template <class T>
void sum_rows(const Column<T>& column, Range rows) {
  return column.b == nullptr ? column_rows<T, false>(column, rows) : column_rows<T, true>(column, rows);
}

}  // namespace
}  // namespace nnative
