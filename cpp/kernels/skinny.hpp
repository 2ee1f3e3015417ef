// y (N,M) = x (N,K) · weightᵀ (M,K) + bias (M) for a few rows of x: each weight is read once, straight from memory.
//
// Squares of the weight are transposed in registers, so that lanes run along M and each output is the same chain over k
// as in product.hpp.
#pragma once

#include "kernels/vector.hpp"

namespace nnative {
namespace {

// Rows up to which reading the weight in place beats packing x and storing transposes.
constexpr Index kSkinnyRows = 8;

// W outputs for R rows of x. `outputs` of the rows of the weight are real.
template <class T, int R>
void skinny_panel(T* y, const T* x, const T* weight, const T* bias, Index K, Index M, Index outputs) {
  constexpr int W = kWidth<T>;
  Vector<T> acc[R] = {};
  Index k = 0;
  for (; k + W <= K; k += W) {
    Vector<T> square[W];
    if (outputs == W) {
      load_transposed(square, weight + k, K);
    } else {
      for (int l = 0; l < W; ++l) square[l] = load(weight + min<Index>(l, outputs - 1) * K + k);
      transpose<T>(square);
    }
#pragma GCC unroll 16
    for (int l = 0; l < W; ++l) {
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) acc[r] = fma<T>(broadcast(x[r * K + k + l]), square[l], acc[r]);
    }
  }
  if (k < K) {
    const Index rest = K - k;
    Vector<T> square[W];
    for (int l = 0; l < W; ++l) square[l] = load_partial(weight + min<Index>(l, outputs - 1) * K + k, rest);
    transpose<T>(square);
    for (Index l = 0; l < rest; ++l) {
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) acc[r] = fma<T>(broadcast(x[r * K + k + l]), square[l], acc[r]);
    }
  }
  for (int r = 0; r < R; ++r) {
    if (bias != nullptr) acc[r] += load_partial(bias, outputs);
    store_partial(y + r * M, acc[r], outputs);
  }
}

template <class T>
using SkinnyPanel = void (*)(T*, const T*, const T*, const T*, Index, Index, Index);

// panels[r - 1] has r rows.
template <class T>
constexpr SkinnyPanel<T> kSkinnyPanels[kSkinnyRows] = {skinny_panel<T, 1>, skinny_panel<T, 2>, skinny_panel<T, 3>,
                                                       skinny_panel<T, 4>, skinny_panel<T, 5>, skinny_panel<T, 6>,
                                                       skinny_panel<T, 7>, skinny_panel<T, 8>};

template <class T>
void skinny_forward(const Team& team, T* y, const T* x, const T* weight, const T* bias, Index N, Index K, Index M) {
  constexpr int W = kWidth<T>;
  const Range outputs = share(team, M, W);
  for (Index m = outputs.begin; m < outputs.end; m += W)
    kSkinnyPanels<T>[N - 1](y + m, x, weight + m* K, bias == nullptr ? nullptr : bias + m, K, M,
                            min<Index>(W, outputs.end - m));
}

}  // namespace
}  // namespace nnative
