// Optimizer updates: one launch updates all parameters of a group, one pass over each parameter.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

// One parameter with its gradient and optimizer state, each of `size` elements; unused state is null.
template <class T>
struct OptimSlot {
  T* param;
  const T* grad;
  T* state0;     // momentum_buffer · exp_avg
  T* state1;     // exp_avg_sq
  double* step;  // steps taken so far; the kernel adds one
  Index size;
};

// Hyperparameters are read through pointers at each step, so that a recorded step sees what a scheduler changed.
struct SgdHyper {
  double lr, momentum, dampening, weight_decay, nesterov, maximize;
};
struct AdamHyper {
  double lr, beta1, beta2, eps, weight_decay, decoupled, maximize;
};

template <class T>
struct OptimKernels {
  void (*sgd_step)(const Team&, const OptimSlot<T>* slots, Index count, const SgdHyper* hyper);
  void (*adam_step)(const Team&, const OptimSlot<T>* slots, Index count, const AdamHyper* hyper);
};

}  // namespace nnative
