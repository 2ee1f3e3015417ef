// Matrix products and their epilogues. N batch, K input features, M output features; all arrays row-major.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

// What happens to an output on its way from the registers to memory.
enum class Epilogue { none, relu };

template <class T>
struct LinearKernels {
  // y (N,M) = epilogue(x (N,K) · weightᵀ (M,K) + bias (M)); bias may be null
  void (*forward)(const Team&, T* y, const T* x, const T* weight, const T* bias, Index N, Index K, Index M,
                  Epilogue epilogue);
  // dx (N,K) = dy (N,M) · weight (M,K), and 0 where gate (N,K) ≤ 0; gate may be null
  void (*backward_input)(const Team&, T* dx, const T* dy, const T* weight, const T* gate, Index N, Index K, Index M);
  // dweight (M,K) = dyᵀ (N,M) · x (N,K); dbias (M) = Σ_n dy; dbias may be null; the rows of dy lie dy_row apart. Both
  // are the sum over rows [0, split) plus that over [split, N), or one sum where split is N.
  void (*backward_weight)(const Team&, T* dweight, T* dbias, const T* dy, const T* x, Index N, Index split, Index K,
                          Index M, Index dy_row);
  // The split for a launch of these sizes: in two where members that have rows of the batch each had better exchange
  // sums than rows.
  Index (*split)(Index N, Index K, Index M);
  // The same in two launches, of which the first consists of two items: `count` sums from number `first` on, `size`
  // elements apart, each dweight's M·K elements and dbias's M if `with_bias`.
  void (*sum_parts)(const Team&, T* sums, const T* dy, const T* x, Index count, Index first, Index N, Index split,
                    Index K, Index M, Index size, bool with_bias);
  void (*add_parts)(const Team&, T* dweight, T* dbias, const T* weight0, const T* bias0, const T* weight1,
                    const T* bias1, Index M, Index K);

  // The same as forward from a weight packed once; packed has packed_size(K, M) elements.
  void (*forward_packed)(const Team&, T* y, const T* x, const T* packed, const T* bias, Index N, Index K, Index M,
                         Epilogue epilogue);
  void (*pack)(T* packed, const T* weight, Index K, Index M);
  Index (*packed_size)(Index K, Index M);

  // Enough for any part of the items as well.
  Scratch (*forward_scratch)(Index N, Index K, Index M);
  Scratch (*backward_input_scratch)(Index N, Index K, Index M);
  Scratch (*backward_weight_scratch)(Index N, Index K, Index M);
};

}  // namespace nnative
