// Matrix products and their epilogues. N batch, K input features, M output features; all arrays row-major.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

template <class T>
struct LinearKernels {
  // y (N,M) = x (N,K) · weightᵀ (M,K) + bias (M); bias may be null
  void (*forward)(const Team&, T* y, const T* x, const T* weight, const T* bias, Index N, Index K, Index M);
  // dx (N,K) = dy (N,M) · weight (M,K)
  void (*backward_input)(const Team&, T* dx, const T* dy, const T* weight, Index N, Index K, Index M);
  // dweight (M,K) = dyᵀ (N,M) · x (N,K); dbias (M) = Σ_n dy; dbias may be null; the rows of dy lie dy_row apart
  void (*backward_weight)(const Team&, T* dweight, T* dbias, const T* dy, const T* x, Index N, Index K, Index M,
                          Index dy_row);

  // Enough for any part of the items as well.
  Scratch (*forward_scratch)(Index N, Index K, Index M);
  Scratch (*backward_input_scratch)(Index N, Index K, Index M);
  Scratch (*backward_weight_scratch)(Index N, Index K, Index M);
};

}  // namespace nnative
