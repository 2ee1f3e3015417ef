// y (N,M) = x (N,K) · weightᵀ (M,K) + bias (M) for a few rows of x: each weight is read once, straight from memory.
//
// Squares of the weight are transposed in registers, so that lanes run along M and each output is the same chain over k
// as in product.hpp.
#pragma once

#include "kernels/linear.hpp"
#include "kernels/product.hpp"

namespace nnative {
namespace {

// Rows up to which reading the weight in place beats packing x and storing transposes.
constexpr Index kSkinnyRows = 8;

// W outputs for R rows of x. `outputs` of the rows of the weight are real.
template <class T, int R>
void skinny_panel(T* y, const T* x, const T* weight, const T* bias, Index K, Index M, Index outputs,
                  Epilogue epilogue) {
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
    if (epilogue == Epilogue::relu) acc[r] = acc[r] <= T{0} ? Vector<T>{} : acc[r];
    store_partial(y + r * M, acc[r], outputs);
  }
}

template <class T>
using SkinnyPanel = void (*)(T*, const T*, const T*, const T*, Index, Index, Index, Epilogue);

// panels[r - 1] has r rows.
template <class T>
constexpr SkinnyPanel<T> kSkinnyPanels[kSkinnyRows] = {skinny_panel<T, 1>, skinny_panel<T, 2>, skinny_panel<T, 3>,
                                                       skinny_panel<T, 4>, skinny_panel<T, 5>, skinny_panel<T, 6>,
                                                       skinny_panel<T, 7>, skinny_panel<T, 8>};

template <class T>
void skinny_forward(const Team& team, T* y, const T* x, const T* weight, const T* bias, Index N, Index K, Index M,
                    Epilogue epilogue) {
  constexpr int W = kWidth<T>;
  const Range outputs = share(team, M, W);
  for (Index m = outputs.begin; m < outputs.end; m += W)
    kSkinnyPanels<T>[N - 1](y + m, x, weight + m* K, bias == nullptr ? nullptr : bias + m, K, M,
                            min<Index>(W, outputs.end - m), epilogue);
}

// Rows up to which several packed panels are walked together: the chains of one panel alone would wait for each other.
constexpr Index kFewRows = 4;

// The outputs of P full panels for R rows of x.
template <class T, int R, int P>
void packed_panels(T* y, const T* x, const T* packed, const T* bias, Index K, Index M, Epilogue epilogue) {
  constexpr int W = kWidth<T>, V = tuning::kTileVectors;
  Vector<T> acc[R][P * V] = {};
  for (Index k = 0; k < K; ++k) {
#pragma GCC unroll 16
    for (int q = 0; q < P * V; ++q) {
      const Vector<T> lanes = load(packed + q / V * K * kPanel<T> + k * kPanel<T> + q % V * W);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) acc[r][q] = fma<T>(broadcast(x[r * K + k]), lanes, acc[r][q]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int q = 0; q < P * V; ++q) {
      if (bias != nullptr) acc[r][q] += load(bias + q * W);
      if (epilogue == Epilogue::relu) acc[r][q] = acc[r][q] <= T{0} ? Vector<T>{} : acc[r][q];
      store(y + r * M + q * W, acc[r][q]);
    }
  }
}

// Panels that fit into the registers with R rows.
template <int R>
constexpr int kPanelsTogether = min(4, max(1, tuning::kTileRows / R));

template <class T, int R>
void packed_forward(const Team& team, const Product<T>& g, Epilogue epilogue) {
  constexpr int P = kPanelsTogether<R>;
  const Range columns = share(team, g.J, kPanel<T>);
  Index j = columns.begin;
  for (; j + P * kPanel<T> <= columns.end; j += P * kPanel<T>)
    packed_panels<T, R, P>(g.out.c + j, g.a, g.packed + j * g.P, g.out.bias_j == nullptr ? nullptr : g.out.bias_j + j,
                           g.P, g.J, epilogue);
  for (; j < columns.end; j += kPanel<T>)
    multiply_block(g, g.packed, copies_of(static_cast<T*>(team.own), g, blocking(g)), {0, R},
                   {j, min(j + kPanel<T>, columns.end)}, {}, {}, 0, g.P);
}

// A product with a packed B and few rows of A, in one block of steps.
template <class T>
void few_rows_forward(const Team& team, const Product<T>& g, Epilogue epilogue) {
  constexpr void (*kByRows[kFewRows])(const Team&, const Product<T>&, Epilogue) = {
      packed_forward<T, 1>, packed_forward<T, 2>, packed_forward<T, 3>, packed_forward<T, 4>};
  kByRows[g.I - 1](team, g, epilogue);
}

}  // namespace
}  // namespace nnative
