// Optimizer updates: one launch updates all parameters of a group, one pass over each parameter.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

// One parameter with its gradient and optimizer state, each of `rows` times `row` elements; unused state is null.
template <class T>
struct OptimSlot {
  T* param;
  const T* grad;
  T* state0;           // momentum_buffer · exp_avg
  T* state1;           // exp_avg_sq
  const double* step;  // which update this is, from 1
  Index rows, row;

  template <class Visit>
  void for_each_array(Visit visit) {
    const Index size = rows * row;
    visit(param, size), visit(grad, size), visit(state0, size), visit(state1, size), visit(step, 1);
  }
  void keep_rows(Index begin, Index end) {
    for (T** array : {&param, &state0, &state1}) {
      if (*array != nullptr) *array += begin * row;
    }
    grad += begin * row;
    rows = end - begin;
  }
};

// A count of updates.
struct OptimCount {
  double* step;

  template <class Visit>
  void for_each_array(Visit visit) {
    visit(step, 1);
  }
};

// Hyperparameters are read through a pointer at each step, so that a recorded step sees what a scheduler changed.
// Flags are 0 or 1: a cell is an array of doubles.
struct SgdHyper {
  double lr, momentum, dampening, weight_decay, nesterov, maximize;
};
struct AdamHyper {
  double lr, beta1, beta2, eps, weight_decay, decoupled, maximize;
};

template <class T>
struct OptimKernels {
  // Adds one to each count, before the update that it counts.
  void (*advance)(const Team&, const OptimCount* counts, Index count);
  // g = ±grad + weight_decay · p; buffer = momentum · buffer + (1 − dampening) · g, or g at step 1;
  // p −= lr · buffer, or lr · (g + momentum · buffer) with Nesterov, or lr · g without momentum.
  // Momentum needs state0 and step; without it both may be null and are left alone.
  void (*sgd_step)(const Team&, const OptimSlot<T>* slots, Index count, const SgdHyper* hyper);
  // g = ±grad (+ weight_decay · p, unless decoupled: p −= lr · weight_decay · p);
  // m = β₁m + (1 − β₁)g; v = β₂v + (1 − β₂)g²; p −= lr/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + eps)
  void (*adam_step)(const Team&, const OptimSlot<T>* slots, Index count, const AdamHyper* hyper);
};

}  // namespace nnative
