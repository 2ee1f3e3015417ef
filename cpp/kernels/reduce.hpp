// Sums over any dimensions, and positions of extremes. The array is contiguous; its dimensions alternate between kept
// and summed, neighbours of one kind being one.
#pragma once

#include "kernels/layout.hpp"

namespace nnative {

// Where the elements of one result lie. `kept` walks over the results (without the innermost dimension when that is
// kept), `summed` over the runs of `inner` contiguous elements behind one result or, when the innermost dimension is
// kept, over the rows of `inner` results.
struct Reduction {
  Layout<1> kept, summed;
  Index inner;
  bool inner_is_summed;
};

template <class T>
struct ReduceKernels {
  // out (kept) = scale · Σ x
  void (*sum)(const Team&, T* out, const T* x, Reduction reduction, T scale);
  Scratch (*sum_scratch)(const Reduction& reduction);
  // index (A,B) = n of the first largest (smallest) x (A,N,B) along N, N > 0; NaN counts as largest and as smallest
  void (*argmax)(const Team&, std::int64_t* index, const T* x, Index A, Index N, Index B);
  void (*argmin)(const Team&, std::int64_t* index, const T* x, Index A, Index N, Index B);
  Scratch (*extremes_scratch)(Index A, Index N, Index B);  // for both
};

}  // namespace nnative
