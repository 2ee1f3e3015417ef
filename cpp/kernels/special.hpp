// expm1, log1p and the normal distribution of one float or double, where activations and losses need them: branch-free,
// with the largest error found against longer arithmetic over all floats, or one in 37, and 4 to 30 million doubles.
#pragma once

#include "kernels/math.hpp"

namespace nnative {
namespace {

// 1. e^x − 1 for x ≤ 0 (or NaN), from the parts of exp: 2^n · (1 + p) − 1 keeps the digits that exp(x) − 1 loses near
// 0.
//    −1 below −40. Largest error 0.84 ulp (float), 1.01 ulp (double).
template <class T>
[[gnu::always_inline]] inline T expm1_negative(T x) {
  const auto [n, p, p_low] = exp_parts(x < T{-40} ? T{-40} : x);
  const T power = scale_by(T{1}, n);
  const T e = fma(power, p, power - T{1}), e_low = fma(power, p_low, fma(power, p, (power - T{1}) - e));
  return e + e_low;
}

// 2. log(1 + x) for |x| ≤ 1 (NaN below −1): log of the rounded sum and of what the rounding took (fdlibm's way).
//    Largest error 1.40 ulp (float), 1.33 ulp (double).
template <class T>
[[gnu::always_inline]] inline T log1p(T x) {
  const T sum = T{1} + x;
  return log<true>(sum, x - (sum - T{1}));
}

// 3. log(1 + e^x) = max(x, 0) + log1p(e^−|x|): no overflow, and e^x's digits for x far below 0. ∞ for ∞, 0 for −∞.
//    Largest error 1.7 ulp (float and double).
template <class T>
[[gnu::always_inline]] inline T log1p_exp(T x) {
  const T positive = x > T{0} ? x : T{0}, rest = log1p(exp_negative(x > T{0} ? -x : x));
  return positive + rest;
}

template <class T>
struct NormalConstants;

template <>
struct NormalConstants<float> {
  static constexpr float kTail[] = {0x1.82b4bcp-1f,  -0x1.373e3cp-1f,  0x1.8c6dbep-2f,  -0x1.7dfee2p-3f,
                                    0x1.eec64ep-5f,  -0x1.ee7c98p-8f,  -0x1.c93064p-9f, 0x1.af9108p-10f,
                                    0x1.632a04p-13f, -0x1.ec099ap-13f, -0x1.b99facp-15f};
};

template <>
struct NormalConstants<double> {
  static constexpr double kTail[] = {
      0x1.82b4bb8c94dcep-1,  -0x1.373e3a893c287p-1,  0x1.8c6dbf2cfc2fdp-2,   -0x1.7dff2bff6889ap-3,
      0x1.eec4cc3e4560cp-5,  -0x1.ee2761034c407p-8,  -0x1.c81719cabcedep-9,  0x1.ab825f7e9996dp-10,
      0x1.17a4a6b9505f7p-13, -0x1.e4a415fb8cca5p-13, -0x1.0011cb7c88079p-19, 0x1.26cf8dea72ab1p-15,
      0x1.7fdd9eeeb883fp-21, -0x1.8d35cd874dc01p-18, -0x1.4f9d808db1d2fp-21, 0x1.11c074ae9e33fp-20,
      0x1.1b207d62865e8p-22, -0x1.4b471811b0210p-23, -0x1.480d99ae63529p-24, 0x1.f4eaa9c85bbb0p-27,
      0x1.de6d02a26289cp-27, 0x1.3fb7ce475a168p-34,  -0x1.0959f1400a390p-30};
};

// The standard normal distribution: Φ(x), and its density φ(x).
template <class T>
struct Normal {
  T cdf, density;
};

// 4. With a = |x|, Φ(−a) = e^(−a²/2) · M(a), and (a + 4)·M(a) is a polynomial in (a − 4) / (a + 4); Φ(a) = 1 − Φ(−a).
//    The square is kept in two parts, since the exponential multiplies its error. Largest error of Φ 5.4 ulp, of φ 2.9
//    ulp (float and double). Together the error function: erf(x) = 2Φ(√2·x) − 1.
template <class T>
[[gnu::always_inline]] inline Normal<T> normal(T x) {
  constexpr Bits<T> sign = Bits<T>{1} << (sizeof(T) * 8 - 1);
  const T size = from_bits<T>(to_bits(x) & ~sign), a = size > T{40} ? T{40} : size;
  const T square = a * a, low = fma(a, a, -square);
  const T rounded = exp_negative(T(-0.5) * square), e = fma(rounded, T(-0.5) * low, rounded);
  const T d = a + T{4}, inverse = T{1} / d, rough = (a - T{4}) * inverse;
  const T t = fma(fma(-rough, d, a - T{4}), inverse, rough);
  const T tail = e * (polynomial(NormalConstants<T>::kTail, t) * inverse);
  return {x < T{0} ? tail : T{1} - tail, e * T(0.39894228040143268)};
}

}  // namespace
}  // namespace nnative
