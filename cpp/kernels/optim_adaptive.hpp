// Optimizer updates that scale each element's step by the size of its past gradients.
#pragma once

#include "kernels/optim.hpp"

namespace nnative {

struct AdamHyper {
  double lr, beta1, beta2, eps, weight_decay, decoupled, maximize;
};
struct NadamHyper {
  double lr, beta1, beta2, eps, weight_decay, decoupled, momentum_decay, maximize;
};
using RadamHyper = AdamHyper;
struct AdamaxHyper {
  double lr, beta1, beta2, eps, weight_decay, maximize;
};
struct AdagradHyper {
  double lr, lr_decay, eps, weight_decay, maximize;
};
struct AdadeltaHyper {
  double lr, rho, eps, weight_decay, maximize;
};
struct RmspropHyper {
  double lr, alpha, eps, weight_decay, momentum, maximize;
};

// g = ±grad + weight_decay · p, unless decoupled: p −= lr · weight_decay · p; t counts updates, this one too. m and v
// are exp_avg = β₁m + (1 − β₁)g and exp_avg_sq = β₂v + (1 − β₂)g²; c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ.
template <class T>
struct OptimAdaptiveKernels {
  // (m, v, max_exp_avg_sq or null) (t): p −= lr/c₁ · m / (√v / √c₂ + eps), with the largest v so far if there is room
  OptimRule<T, AdamHyper> adam;
  // (m, v) (t, mu_product): μₜ = β₁(1 − ½ · 0.96^(t · momentum_decay)); mu_product ·= μₜ;
  // p −= lr · ((1 − μₜ)/(1 − mu_product) · g + μₜ₊₁/(1 − mu_product · μₜ₊₁) · m) / (√v / √c₂ + eps)
  OptimRule<T, NadamHyper> nadam;
  // (m, v) (t): p −= lr/c₁ · m · r · √c₂ / (√v + eps), or lr/c₁ · m while ρₜ ≤ 5;
  // ρ = 2/(1 − β₂) − 1, ρₜ = ρ − 2tβ₂ᵗ/c₂, r² = (ρₜ − 4)(ρₜ − 2)ρ / ((ρ − 4)(ρ − 2)ρₜ)
  OptimRule<T, RadamHyper> radam;
  // (m, exp_inf) (t): u = max(β₂u, |g| + eps); p −= lr/c₁ · m / u
  OptimRule<T, AdamaxHyper> adamax;
  // (sum) (t): sum += g²; p −= lr / (1 + (t − 1) · lr_decay) · g / (√sum + eps)
  OptimRule<T, AdagradHyper> adagrad;
  // (square_avg, acc_delta) (t): v = ρv + (1 − ρ)g²; d = √(a + eps) / √(v + eps) · g; a = ρa + (1 − ρ)d²; p −= lr · d
  OptimRule<T, AdadeltaHyper> adadelta;
  // (square_avg, grad_avg or null, momentum_buffer or null) (t): v = αv + (1 − α)g²; where centred, a = αa + (1 − α)g
  // and √(v − a²) replaces √v; d = g / (√v + eps), with a buffer b = momentum · b + d and b for d; p −= lr · d
  OptimRule<T, RmspropHyper> rmsprop;
};

}  // namespace nnative
