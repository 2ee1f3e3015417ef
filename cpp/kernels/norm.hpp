// Batch normalisation (Ioffe and Szegedy 2015) of x (N,C,L) over N and L, for each channel of C.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

template <class T>
struct NormKernels {
  // With the statistics of the batch, M = N·L ≥ 2 values a channel:
  // y (N,C,L) = (x − mean) · invstd · weight (C) + bias (C); mean (C), invstd (C) = 1/√(biased variance + eps).
  // running_mean (C) and running_var (C) += factor · (the batch's mean, unbiased variance − running), where factor is
  // momentum, or 1/batches for the plain average; batches (1) += 1 before. weight, bias, batches and both running
  // arrays may be null.
  void (*batch_norm_forward)(const Team&, T* y, T* mean, T* invstd, T* running_mean, T* running_var,
                             std::int64_t* batches, const T* x, const T* weight, const T* bias, Index N, Index C,
                             Index L, T momentum, T eps, bool average);
  // The same with the running statistics, which mean and invstd then hold.
  void (*batch_norm_infer)(const Team&, T* y, T* mean, T* invstd, const T* x, const T* running_mean,
                           const T* running_var, const T* weight, const T* bias, Index N, Index C, Index L, T eps);
  // dbias (C) = Σ dy; dweight (C) = Σ dy · x̂ with x̂ = (x − mean) · invstd; dx (N,C,L), which may be null,
  // = weight · invstd · (dy − dbias/M − x̂ · dweight/M), or weight · invstd · dy behind batch_norm_infer
  void (*batch_norm_backward)(const Team&, T* dx, T* dweight, T* dbias, const T* dy, const T* x, const T* mean,
                              const T* invstd, const T* weight, Index N, Index C, Index L, bool training);
  // for all three
  Scratch (*batch_norm_scratch)(Index N, Index C, Index L);
};

}  // namespace nnative
