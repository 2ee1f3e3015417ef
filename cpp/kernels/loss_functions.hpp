// The elementwise losses as functions of an input x and a target t: the value, and the derivatives by each.
#pragma once

#include "kernels/special.hpp"

namespace nnative {
namespace {
namespace losses {

#define NNATIVE_FUNCTION [[gnu::always_inline]] static inline

template <class T>
[[gnu::always_inline]] inline T size_of(T x) {
  return from_bits<T>(to_bits(x) & ~(Bits<T>{1} << (sizeof(T) * 8 - 1)));
}
template <class T>
[[gnu::always_inline]] inline T sign_of(T x) {
  const T below = x < T{0} ? T{-1} : x;  // 0 and NaN stay
  return x > T{0} ? T{1} : below;
}

template <class T>
struct squared_error {
  NNATIVE_FUNCTION T value(T x, T t) { return (x - t) * (x - t); }
  NNATIVE_FUNCTION T by_x(T x, T t) { return 2 * (x - t); }
  NNATIVE_FUNCTION T by_target(T x, T t) { return 2 * (t - x); }
};

template <class T>
struct absolute_error {
  NNATIVE_FUNCTION T value(T x, T t) { return size_of(x - t); }
  NNATIVE_FUNCTION T by_x(T x, T t) { return sign_of(x - t); }
  NNATIVE_FUNCTION T by_target(T x, T t) { return sign_of(t - x); }
};

// ½e²/β for |e| < β, else |e| − ½β
template <class T>
struct smooth_l1 {
  NNATIVE_FUNCTION T value(T x, T t, T beta) {
    const T e = size_of(x - t);
    return e < beta ? T(0.5) * e * e / beta : e - T(0.5) * beta;
  }
  NNATIVE_FUNCTION T by_x(T x, T t, T beta) { return size_of(x - t) < beta ? (x - t) / beta : sign_of(x - t); }
  NNATIVE_FUNCTION T by_target(T x, T t, T beta) { return by_x(t, x, beta); }
};

// ½e² for |e| ≤ δ, else δ·(|e| − ½δ)
template <class T>
struct huber {
  NNATIVE_FUNCTION T value(T x, T t, T delta) {
    const T e = size_of(x - t);
    return e <= delta ? T(0.5) * e * e : delta * (e - T(0.5) * delta);
  }
  NNATIVE_FUNCTION T by_x(T x, T t, T delta) { return size_of(x - t) > delta ? delta * sign_of(x - t) : x - t; }
  NNATIVE_FUNCTION T by_target(T x, T t, T delta) { return by_x(t, x, delta); }
};

// x where t = 1, max(0, margin − x) where t = −1, their sum elsewhere
template <class T>
struct hinge_embedding {
  NNATIVE_FUNCTION T value(T x, T t, T margin) {
    const T hinge = margin - x < T{0} ? T{0} : margin - x;
    return (t != T{1} ? hinge : T{0}) + (t != T{-1} ? x : T{0});
  }
  NNATIVE_FUNCTION T by_x(T x, T t, T margin) {
    const T hinge = margin - x >= T{0} ? T{-1} : T{0};
    return (t != T{1} ? hinge : T{0}) + (t != T{-1} ? T{1} : T{0});
  }
  NNATIVE_FUNCTION T by_target(T, T, T) { return T{0}; }
};

// Of a cosine x: 1 − x where t = 1, max(0, x − margin) where t = −1
template <class T>
struct cosine_embedding {
  NNATIVE_FUNCTION T value(T x, T t, T margin) {
    const T apart = x - margin < T{0} ? T{0} : x - margin, other = t == T{-1} ? apart : T{0};
    return t == T{1} ? T{1} - x : other;
  }
  NNATIVE_FUNCTION T by_x(T x, T t, T margin) {
    const T apart = x - margin >= T{0} ? T{1} : T{0}, other = t == T{-1} ? apart : T{0};
    return t == T{1} ? T{-1} : other;
  }
  NNATIVE_FUNCTION T by_target(T, T, T) { return T{0}; }
};

// log(1 + e^(−t·x))
template <class T>
struct soft_margin {
  NNATIVE_FUNCTION T value(T x, T t) { return log1p_exp(-t * x); }
  NNATIVE_FUNCTION T by_x(T x, T t) { return -t * sigmoid(-t * x); }
  NNATIVE_FUNCTION T by_target(T x, T t) { return by_x(t, x); }
};

// −t·log x − (1 − t)·log(1 − x), the logarithms at least −100 as in PyTorch; NaN for x outside [0, 1]
template <class T>
struct binary_cross_entropy {
  NNATIVE_FUNCTION T bounded(T logarithm) { return logarithm < T{-100} ? T{-100} : logarithm; }
  NNATIVE_FUNCTION T value(T x, T t) { return (t - T{1}) * bounded(log1p(-x)) - t * bounded(log(x)); }
  NNATIVE_FUNCTION T by_x(T x, T t) {
    const T spread = (T{1} - x) * x;
    return (x - t) / (spread < T(1e-12) ? T(1e-12) : spread);
  }
  NNATIVE_FUNCTION T by_target(T x, T) { return bounded(log1p(-x)) - bounded(log(x)); }
};

// The same of σ(x): max(x, 0) − x·t + log(1 + e^−|x|)
template <class T>
struct binary_cross_entropy_logits {
  NNATIVE_FUNCTION T value(T x, T t) {
    const T positive = x > T{0} ? x : T{0};
    return (positive - x * t) + log1p(exp_negative(x > T{0} ? -x : x));
  }
  NNATIVE_FUNCTION T by_x(T x, T t) { return sigmoid(x) - t; }
  NNATIVE_FUNCTION T by_target(T x, T) { return -x; }
};

// t·(log t − x), 0·log 0 being 0
template <class T>
struct kl_div {
  NNATIVE_FUNCTION T value(T x, T t) { return (t == T{0} ? T{0} : t * log(t)) - t * x; }
  NNATIVE_FUNCTION T by_x(T, T t) { return -t; }
  NNATIVE_FUNCTION T by_target(T x, T t) { return log(t) + T{1} - x; }
};

// The same of a target that is a logarithm
template <class T>
struct kl_div_log {
  NNATIVE_FUNCTION T value(T x, T t) { return exp(t) * (t - x); }
  NNATIVE_FUNCTION T by_x(T, T t) { return -exp(t); }
  NNATIVE_FUNCTION T by_target(T x, T t) { return exp(t) * (t - x + T{1}); }
};

// Stirling's approximation of log t! for t > 1, else 0: t·log t − t + ½log(2πt)
template <class T>
struct stirling {
  NNATIVE_FUNCTION T value(T t) { return t > T{1} ? t * log(t) - t + T(0.5) * log(T(6.283185307179586) * t) : T{0}; }
  NNATIVE_FUNCTION T slope(T t) { return t > T{1} ? log(t) + T(0.5) / t : T{0}; }
};

// x − t·log(x + eps), with `full` = 1 plus Stirling's term
template <class T>
struct poisson_nll {
  NNATIVE_FUNCTION T value(T x, T t, T full, T eps) { return x - t * log(x + eps) + full * stirling<T>::value(t); }
  NNATIVE_FUNCTION T by_x(T x, T t, T, T eps) { return T{1} - t / (x + eps); }
  NNATIVE_FUNCTION T by_target(T x, T t, T full, T eps) { return full * stirling<T>::slope(t) - log(x + eps); }
};

// The same of the logarithm of the rate: e^x − t·x
template <class T>
struct poisson_nll_log {
  NNATIVE_FUNCTION T value(T x, T t, T full) { return exp(x) - t * x + full * stirling<T>::value(t); }
  NNATIVE_FUNCTION T by_x(T x, T t, T) { return exp(x) - t; }
  NNATIVE_FUNCTION T by_target(T x, T t, T full) { return full * stirling<T>::slope(t) - x; }
};

#undef NNATIVE_FUNCTION

}  // namespace losses
}  // namespace
}  // namespace nnative
