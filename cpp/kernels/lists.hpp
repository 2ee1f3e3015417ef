// What is done to all parameters of a network, or all gradients, in one launch.
#pragma once

#include "runtime/pool.hpp"

namespace nnative {

// One array of `size` elements; what a kernel does not write, or read, is null.
template <class T>
struct ListSlot {
  T* to;
  const T* from;
  Index size, row_count;

  template <class Visit>
  void for_each_array(Visit visit) {
    visit(to, size), visit(from, size);
  }
};

// Sums are taken in double, by chunks of each array.
template <class T>
struct ListsKernels {
  // For total_norm, clip_norm and penalty.
  Scratch (*chunk_scratch)(const ListSlot<T>* slots, Index count);
  // total () = (Σ |from|^p)^(1/p) over all arrays; p = ±∞: the largest, the smallest
  void (*total_norm)(const Team&, T* total, const ListSlot<T>* slots, Index count, double p);
  // total () = the norm of `to`; to *= min(1, max_norm / (total + 10⁻⁶))
  void (*clip_norm)(const Team&, T* total, const ListSlot<T>* slots, Index count, double max_norm, double p);
  // to = min(max(to, −limit), limit)
  void (*clip_values)(const Team&, const ListSlot<T>* slots, Index count, T limit);
  // Each of the `row_count` rows of `to` whose Euclidean norm is above max_norm is scaled to it.
  void (*limit_rows)(const Team&, const ListSlot<T>* slots, Index count, double max_norm);
  // to += weight · (from − to), where weight < 0 stands for 1 / (averaged + 1); to = from when averaged () is 0. Then,
  // if `advance`, averaged += 1.
  void (*average)(const Team&, std::int64_t* averaged, const ListSlot<T>* slots, Index count, double weight,
                  bool advance);
  // total () = l1 · Σ |from| + l2 / 2 · Σ from²
  void (*penalty)(const Team&, T* total, const ListSlot<T>* slots, Index count, double l1, double l2);
  // to = dloss () · (l1 · sign(from) + l2 · from)
  void (*penalty_backward)(const Team&, const ListSlot<T>* slots, Index count, const T* dloss, T l1, T l2);
  // y (size) += alpha · x (size)
  void (*add_scaled)(const Team&, T* y, const T* x, Index size, T alpha);
  Scratch (*dot_scratch)(Index size);
  // total () = Σ x · y
  void (*dot)(const Team&, double* total, const T* x, const T* y, Index size);
};

}  // namespace nnative
