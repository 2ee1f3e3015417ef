// The activations as functions of one element: `value` of the input, `gradient` of what arrives from above and what was
// saved (activation.hpp says which). Comparisons are written so that NaN fails them and passes through.
#pragma once

#include "kernels/special.hpp"

namespace nnative {
namespace {
namespace activations {

#define NNATIVE_FUNCTION [[gnu::always_inline]] static inline

template <class T>
struct relu {
  NNATIVE_FUNCTION T value(T x) { return x <= T{0} ? T{0} : x; }
  NNATIVE_FUNCTION T gradient(T dy, T y) { return y <= T{0} ? T{0} : dy; }
};

template <class T>
struct leaky_relu {
  NNATIVE_FUNCTION T value(T x, T slope) { return x > T{0} ? x : x * slope; }
  NNATIVE_FUNCTION T gradient(T dy, T x, T slope) { return x > T{0} ? dy : dy * slope; }
};

template <class T>
struct sigmoid {
  NNATIVE_FUNCTION T value(T x) { return nnative::sigmoid(x); }
  NNATIVE_FUNCTION T gradient(T dy, T y) { return dy * (y * (T{1} - y)); }
};

template <class T>
struct tanh {
  NNATIVE_FUNCTION T value(T x) { return nnative::tanh(x); }
  NNATIVE_FUNCTION T gradient(T dy, T y) { return dy * fma(-y, y, T{1}); }
};

template <class T>
struct exp {
  NNATIVE_FUNCTION T value(T x) { return nnative::exp(x); }
  NNATIVE_FUNCTION T gradient(T dy, T y) { return dy * y; }
};

template <class T>
struct log {
  NNATIVE_FUNCTION T value(T x) { return nnative::log(x); }
  NNATIVE_FUNCTION T gradient(T dy, T x) { return dy / x; }
};

// scale·x above 0, scale·alpha·(e^(input_scale·x) − 1) below: ELU, and with other scales SELU and CELU.
template <class T>
struct elu {
  NNATIVE_FUNCTION T value(T x, T alpha, T scale, T input_scale) {
    const T below = x > T{0} ? T{0} : x;
    return x > T{0} ? x * scale : expm1_negative(below * input_scale) * (alpha * scale);
  }
  NNATIVE_FUNCTION T gradient(T dy, T x, T alpha, T scale, T input_scale) {
    const T below = x > T{0} ? T{0} : x;
    return dy * (x > T{0} ? scale : exp_negative(below * input_scale) * (alpha * scale * input_scale));
  }
};

// x·Φ(x)
template <class T>
struct gelu {
  NNATIVE_FUNCTION T value(T x) { return x * normal(x).cdf; }
  NNATIVE_FUNCTION T gradient(T dy, T x) {
    const Normal<T> n = normal(x);
    return dy * fma(x, n.density, n.cdf);
  }
};

// ½x·(1 + tanh u) = x·σ(2u) with u = √(2/π)·(x + 0.044715x³)
template <class T>
struct gelu_tanh {
  static constexpr T kLinear = T(1.5957691216057308), kCubic = T(0.071354816272600243);
  NNATIVE_FUNCTION T value(T x) { return x * nnative::sigmoid(x * fma(kCubic, x * x, kLinear)); }
  NNATIVE_FUNCTION T gradient(T dy, T x) {
    const T square = x * x, s = nnative::sigmoid(x * fma(kCubic, square, kLinear));
    return dy * fma(s * (T{1} - s), x * fma(3 * kCubic, square, kLinear), s);
  }
};

template <class T>
struct silu {
  NNATIVE_FUNCTION T value(T x) { return x * nnative::sigmoid(x); }
  NNATIVE_FUNCTION T gradient(T dy, T x) {
    const T s = nnative::sigmoid(x);
    return dy * fma(s * (T{1} - s), x, s);
  }
};

// x·tanh(log(1 + e^x)) = x·w / (w + 2) with w = e^x·(e^x + 2), which no difference of close numbers spoils; beyond 40
// the quotient is 1.
template <class T>
struct mish {
  NNATIVE_FUNCTION T value(T x) {
    const T e = nnative::exp(x > T{40} ? T{40} : x), w = e * (e + T{2});
    return x * (w / (w + T{2}));
  }
  NNATIVE_FUNCTION T gradient(T dy, T x) {
    const T z = x > T{40} ? T{40} : x, e = nnative::exp(z), w = e * (e + T{2}), inverse = T{1} / (w + T{2});
    return dy * (fma(4 * z * inverse, e * (e + T{1}) * inverse, w * inverse));
  }
};

// log σ(x) = −log(1 + e^−x)
template <class T>
struct log_sigmoid {
  NNATIVE_FUNCTION T value(T x) { return -log1p_exp(-x); }
  NNATIVE_FUNCTION T gradient(T dy, T x) { return dy * nnative::sigmoid(-x); }
};

// log(1 + e^(beta·x)) / beta, and x where beta·x > threshold
template <class T>
struct softplus {
  NNATIVE_FUNCTION T value(T x, T beta, T threshold) { return x * beta > threshold ? x : log1p_exp(x * beta) / beta; }
  NNATIVE_FUNCTION T gradient(T dy, T x, T beta, T threshold) {
    return x * beta > threshold ? dy : dy * nnative::sigmoid(x * beta);
  }
};

template <class T>
struct softsign {
  NNATIVE_FUNCTION T value(T x) { return x / (T{1} + (x < T{0} ? -x : x)); }
  NNATIVE_FUNCTION T gradient(T dy, T x) {
    const T d = T{1} + (x < T{0} ? -x : x);
    return dy / (d * d);
  }
};

template <class T>
struct tanhshrink {
  NNATIVE_FUNCTION T value(T x) { return x - nnative::tanh(x); }
  NNATIVE_FUNCTION T gradient(T dy, T x) {
    const T t = nnative::tanh(x);
    return dy * (t * t);
  }
};

template <class T>
struct softshrink {
  NNATIVE_FUNCTION T value(T x, T bound) {
    const T below = x < -bound ? x + bound : x * T{0};
    return x > bound ? x - bound : below;
  }
  NNATIVE_FUNCTION T gradient(T dy, T x, T bound) { return ((x >= -bound) & (x <= bound)) ? T{0} : dy; }
};

template <class T>
struct hardshrink {
  NNATIVE_FUNCTION T value(T x, T bound) { return ((x >= -bound) & (x <= bound)) ? T{0} : x; }
  NNATIVE_FUNCTION T gradient(T dy, T x, T bound) { return ((x >= -bound) & (x <= bound)) ? T{0} : dy; }
};

template <class T>
struct hardtanh {
  NNATIVE_FUNCTION T value(T x, T low, T high) {
    const T least = x < low ? low : x;
    return least > high ? high : least;
  }
  NNATIVE_FUNCTION T gradient(T dy, T x, T low, T high) { return ((x <= low) | (x >= high)) ? T{0} : dy; }
};

// min(max(x + 3, 0), 6) / 6
template <class T>
struct hardsigmoid {
  NNATIVE_FUNCTION T value(T x) { return hardtanh<T>::value(x + T{3}, T{0}, T{6}) / T{6}; }
  NNATIVE_FUNCTION T gradient(T dy, T x) { return ((x > T{-3}) & (x < T{3})) ? dy / T{6} : T{0}; }
};

template <class T>
struct hardswish {
  NNATIVE_FUNCTION T value(T x) { return x * hardtanh<T>::value(x + T{3}, T{0}, T{6}) / T{6}; }
  NNATIVE_FUNCTION T gradient(T dy, T x) {
    const T within = x <= T{-3} ? T{0} : dy * (x / T{3} + T(0.5));
    return x >= T{3} ? dy : within;
  }
};

template <class T>
struct threshold {
  NNATIVE_FUNCTION T value(T x, T bound, T value) { return x <= bound ? value : x; }
  NNATIVE_FUNCTION T gradient(T dy, T x, T bound, T) { return x <= bound ? T{0} : dy; }
};

// 1 above 0, else 0
template <class T>
struct step {
  NNATIVE_FUNCTION T value(T x) {
    const T above = x > T{0} ? T{1} : T{0};
    return x != x ? x : above;
  }
  NNATIVE_FUNCTION T gradient(T, T) { return T{0}; }
};

// 1 above 0, else −1
template <class T>
struct sign {
  NNATIVE_FUNCTION T value(T x) {
    const T above = x > T{0} ? T{1} : T{-1};
    return x != x ? x : above;
  }
  NNATIVE_FUNCTION T gradient(T, T) { return T{0}; }
};

#undef NNATIVE_FUNCTION

}  // namespace activations
}  // namespace
}  // namespace nnative
