// Normalisation within a sample, whatever the batch around it: layer norm (Ba, Kiros and Hinton 2016), RMS norm (Zhang
// and Sennrich 2019) and group norm (Wu and He 2018). x (N,G,D,S) has N samples of G groups, a group D channels of S
// elements; layer and RMS norm are G = S = 1.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

template <class T>
struct RowNormKernels {
  // y (N,G,D,S) = x̂ · weight (G,D) + bias (G,D) with x̂ = (x − mean) · invstd; mean (N,G) of each group and invstd (N,G)
  // = 1/√(biased variance + eps). Where mean is null (RMS norm), 0 takes its place. weight and bias may be null.
  void (*row_norm_forward)(const Team&, T* y, T* mean, T* invstd, const T* x, const T* weight, const T* bias, Index N,
                           Index G, Index D, Index S, T eps);
  // g = weight · dy; dx (N,G,D,S) = invstd · (g − mean of g − x̂ · mean of g · x̂) over the group, without the mean of g
  // where mean is null; dweight (G,D) = Σ dy · x̂ and dbias (G,D) = Σ dy over N and S. dx, dbias, and dweight where
  // dbias is, may be null.
  void (*row_norm_backward)(const Team&, T* dx, T* dweight, T* dbias, const T* dy, const T* x, const T* mean,
                            const T* invstd, const T* weight, Index N, Index G, Index D, Index S);
  // for row_norm_backward
  Scratch (*row_norm_scratch)(Index N, Index G, Index D, Index S);
};

}  // namespace nnative
