// Losses. N rows, C classes; all arrays row-major.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

// Integer types that class indices may have.
enum class IndexType { kInt8, kUint8, kInt16, kUint16, kInt32, kUint32, kInt64, kUint64 };

template <class T>
struct LossKernels {
  // loss (N) = logΣexp(logits) − logits[target]; probability (N,C) = softmax(logits), saved for the backward pass.
  // A target outside [0, C) gives NaN for its row, here and in the backward pass.
  void (*cross_entropy_forward)(const Team&, T* loss, T* probability, const T* logits, const void* target, Index N,
                                Index C, IndexType type);
  // total (1) = scale · Σ loss (N)
  void (*total)(const Team&, T* total, const T* loss, Index N, T scale);
  // dlogits (N,C) = dloss · scale · (probability − onehot(target)); dloss has N values, or one when dloss_stride is 0
  void (*cross_entropy_backward)(const Team&, T* dlogits, const T* dloss, const T* probability, const void* target,
                                 Index N, Index C, Index dloss_stride, IndexType type, T scale);

  // loss (size) = (x − target)²
  void (*squared_error_forward)(const Team&, T* loss, const T* x, const T* target, Index size);
  // loss (1) = scale · Σ (x − target)², without the array of squares
  void (*squared_error_sum)(const Team&, T* loss, const T* x, const T* target, Index size, T scale);
  // dx (size) = 2 · dloss · scale · (x − target); dloss has `size` values, or one when dloss_stride is 0
  void (*squared_error_backward)(const Team&, T* dx, const T* dloss, const T* x, const T* target, Index size,
                                 Index dloss_stride, T scale);

  // Of total and of squared_error_sum.
  Scratch (*total_scratch)(Index size);
};

}  // namespace nnative
