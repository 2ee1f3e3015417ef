// Optimizer updates: one launch updates all parameters of a group, one pass over each parameter.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

constexpr int kOptimArrays = 3;
constexpr int kOptimCells = 3;

// One parameter with its gradient and optimizer state: arrays of `size` elements, and numbers of the whole parameter,
// the first of which counts the updates. What a rule does not use is null.
template <class T>
struct OptimSlot {
  T* param;
  const T* grad;
  T* array[kOptimArrays];
  double* cell[kOptimCells];
  Index size;

  template <class Visit>
  void for_each_pointer(Visit visit) {
    visit(param), visit(grad);
    for (T*& state : array) visit(state);
    for (double*& state : cell) visit(state);
  }
};

// Hyperparameters are read through a pointer at each step, so that a recorded step sees what a scheduler changed.
// Flags are 0 or 1: a cell is an array of doubles.
struct SgdHyper {
  double lr, momentum, dampening, weight_decay, nesterov, maximize;
};
struct AsgdHyper {
  double lr, lambd, alpha, t0, weight_decay, maximize;
};
struct RpropHyper {
  double lr, eta_minus, eta_plus, step_min, step_max, maximize;
};
struct LionHyper {
  double lr, beta1, beta2, weight_decay, maximize;
};
struct FtrlHyper {
  double lr, beta, l1, l2, maximize;
};

template <class T, class Hyper>
using OptimStep = void (*)(const Team&, const OptimSlot<T>* slots, Index count, const Hyper* hyper);

// g = ±grad + weight_decay · p throughout; t counts updates and is raised by one.
template <class T>
struct OptimKernels {
  // (momentum_buffer) (t): v = momentum · v + (1 − dampening) · g, or g at t = 0; p −= lr · v, or
  // lr · (g + momentum · v) with Nesterov, or lr · g without buffer.
  OptimStep<T, SgdHyper> sgd_step;
  // (ax) (t, eta, mu): p = (1 − lambd · eta)p − eta · g; ax += mu · (p − ax);
  // eta = lr / (1 + lambd · lr · t)^alpha, mu = 1 / max(1, t − t0) for the next update
  OptimStep<T, AsgdHyper> asgd_step;
  // (prev, step_size) (t): step_size grows by eta_plus where g and prev agree in sign and shrinks by eta_minus where
  // they do not, where g counts as 0; p −= sign(g) · step_size; prev = g
  OptimStep<T, RpropHyper> rprop_step;
  // (m) (): p = (1 − lr · weight_decay)p − lr · sign(β₁m + (1 − β₁)g); m = β₂m + (1 − β₂)g, g without decay
  OptimStep<T, LionHyper> lion_step;
  // (z, n) (): z += g − (√(n + g²) − √n) / lr · p; n += g²; p = 0 where |z| ≤ l1, else
  // −(z − sign(z) · l1) / ((beta + √n) / lr + l2), g without decay
  OptimStep<T, FtrlHyper> ftrl_step;
};

}  // namespace nnative
