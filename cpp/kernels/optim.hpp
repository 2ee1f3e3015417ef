// Optimizer updates: one launch updates all parameters of a group, one pass over each parameter.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

constexpr int kOptimArrays = 3;
constexpr int kOptimCells = 5;

// One parameter with its gradient and optimizer state: arrays of `rows` times `row` elements, and numbers of the whole
// parameter, the first of which counts the updates, this one too. What a rule does not use is null.
template <class T>
struct OptimSlot {
  T* param;
  const T* grad;
  T* array[kOptimArrays];
  const double* cell[kOptimCells];
  Index size, rows, row;
  const double* max_norm;  // at most this is the Euclidean norm of a row after the update; null: no bound

  template <class Visit>
  void for_each_array(Visit visit) {
    visit(param, size), visit(grad, size);
    for (T*& state : array) visit(state, size);
    for (const double*& state : cell) visit(state, 1);
    visit(max_norm, 1);
  }
  void keep_rows(Index begin, Index end) {
    param += begin * row, grad += begin * row;
    for (T*& state : array) {
      if (state != nullptr) state += begin * row;
    }
    rows = end - begin, size = rows * row;
  }
};

// The numbers of one parameter.
struct OptimCells {
  double* cell[kOptimCells];

  template <class Visit>
  void for_each_array(Visit visit) {
    for (double*& state : cell) visit(state, 1);
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

// A launch advances the numbers of all parameters, the next updates the parameters. They are apart so that the update
// needs no barrier.
template <class T, class Hyper>
struct OptimRule {
  void (*advance)(const Team&, const OptimCells* cells, Index count, const Hyper* hyper);
  void (*step)(const Team&, const OptimSlot<T>* slots, Index count, const Hyper* hyper);
};

// (arrays) (numbers): what a rule does. g = ±grad + weight_decay · p throughout; t counts updates, this one too.
template <class T>
struct OptimKernels {
  // (momentum_buffer) (t): v = momentum · v + (1 − dampening) · g, or g at t = 1; p −= lr · v, or
  // lr · (g + momentum · v) with Nesterov, or lr · g without buffer.
  OptimRule<T, SgdHyper> sgd;
  // (ax) (t, next_eta, next_mu, eta, mu): p = (1 − lambd · eta)p − eta · g; ax += mu · (p − ax);
  // next_eta = lr / (1 + lambd · lr · t)^alpha, next_mu = 1 / max(1, t − t0)
  OptimRule<T, AsgdHyper> asgd;
  // (prev, step_size) (t): step_size grows by eta_plus where g and prev agree in sign and shrinks by eta_minus where
  // they do not, where g counts as 0; p −= sign(g) · step_size; prev = g
  OptimRule<T, RpropHyper> rprop;
  // (m) (): p = (1 − lr · weight_decay)p − lr · sign(β₁m + (1 − β₁)g); m = β₂m + (1 − β₂)g, g without decay
  OptimRule<T, LionHyper> lion;
  // (z, n) (): z += g − (√(n + g²) − √n) / lr · p; n += g²; p = 0 where |z| ≤ l1, else
  // −(z − sign(z) · l1) / ((beta + √n) / lr + l2), g without decay
  OptimRule<T, FtrlHyper> ftrl;
};

}  // namespace nnative
