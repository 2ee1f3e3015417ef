// exp, log, tanh and sigmoid of one float or double, branch-free, so that a loop over them vectorises. Built from
// exactly rounded operations alone: AVX2 and AVX-512, vector and remainder, give the same bits. Each names its largest
// error, found against longer arithmetic over all floats and 10^8 doubles; the x86-64 baseline, which has no fused
// multiply-add, stays below 2 ulp. Denormal arguments count as zero and denormal results are flushed to it.
#pragma once

#include "kernels/simd.hpp"

namespace nnative {
namespace {

template <class T>
using Bits = std::conditional_t<std::is_same_v<T, float>, std::uint32_t, std::uint64_t>;

template <class T>
[[gnu::always_inline]] inline Bits<T> to_bits(T x) {
  return __builtin_bit_cast(Bits<T>, x);
}
template <class T>
[[gnu::always_inline]] inline T from_bits(Bits<T> bits) {
  return __builtin_bit_cast(T, bits);
}

template <class T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();
template <class T>
constexpr T kNan = std::numeric_limits<T>::quiet_NaN();

template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
  static constexpr int kMantissaBits = 23;
  static constexpr float kRound = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  static constexpr float kLog2e = 0x1.715476p0f;
  static constexpr float kLn2High = 0x1.63p-1f;  // few bits, so that n·kLn2High is exact
  static constexpr float kLn2Low = -0x1.bd0106p-13f;
  static constexpr float kExpMax = 0x1.62e42ep6f;          // the largest argument whose exp is finite
  static constexpr float kExpMin = -0x1.5d589ep6f;         // the smallest whose exp is normal
  static constexpr float kExpNone = -127 * 0x1.62e43p-1f;  // its n is that of zero
  static constexpr float kTanhOne = 9.1f;                  // tanh rounds to 1 from here on
  static constexpr float kExp[] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558f2p-5f, 0x1.1239f4p-7f, 0x1.6a23bcp-10f};
  static constexpr float kLog[] = {0x1.55557ap-1f, 0x1.995e9ap-2f, 0x1.31e6a4p-2f};
};

template <>
struct MathConstants<double> {
  static constexpr int kMantissaBits = 52;
  static constexpr double kRound = 0x1.8p52;
  static constexpr double kLog2e = 0x1.71547652b82fep0;
  static constexpr double kLn2High = 0x1.62e42feep-1;
  static constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  static constexpr double kExpMax = 0x1.62e42fefa39efp9;
  static constexpr double kExpMin = -0x1.6232bdd7abcd2p9;
  static constexpr double kExpNone = -1023 * 0x1.62e42fefa39efp-1;
  static constexpr double kTanhOne = 19.1;
  static constexpr double kExp[] = {0x1.000000000000ap-1,  0x1.55555555554f9p-3,  0x1.5555555550877p-5,
                                    0x1.1111111127cabp-7,  0x1.6c16c1842bacbp-10, 0x1.a01a012a2eb7bp-13,
                                    0x1.a0199a07b6b26p-16, 0x1.71df2582d304bp-19, 0x1.28ad771088aa0p-22,
                                    0x1.ad7f54b4fc485p-26};
  static constexpr double kLog[] = {0x1.5555555555593p-1, 0x1.999999997fad2p-2, 0x1.249249421bf69p-2,
                                    0x1.c71c51e4f1cd1p-3, 0x1.746646b8cd6c2p-3, 0x1.39a0e8427d424p-3,
                                    0x1.2f0e043335096p-3};
};

// Σ c[k]·xᵏ by Horner's rule in x² with the terms in pairs: half as many steps wait for each other as in x.
template <class T, int N>
[[gnu::always_inline]] inline T polynomial(const T (&c)[N], T x) {
  constexpr int first = (N - 1) / 2 * 2;
  const T square = x * x;
  T sum = c[first];
  if constexpr (first + 1 < N) sum = fma(c[first + 1], x, sum);
#pragma GCC unroll 16
  for (int k = first - 2; k >= 0; k -= 2) sum = fma(sum, square, fma(c[k + 1], x, c[k]));
  return sum;
}

// e^x = 2^n · (1 + p + p_low): the exponent n is kept where a number has it, ready to be added to a number's bits;
// p_low is what rounding took from p.
template <class T>
struct ExpParts {
  Bits<T> n;
  T p, p_low;
};

// x = n·ln2 + r with |r| ≤ ln2/2, ln2 in two parts (Cody and Waite 1980); p = e^r − 1 = r + r²·q(r), q a minimax
// polynomial.
template <class T>
[[gnu::always_inline]] inline ExpParts<T> exp_parts(T x) {
  using C = MathConstants<T>;
  const T rounded = fma(x, C::kLog2e, C::kRound);
  const T n = rounded - C::kRound;
  const T r = fma(n, -C::kLn2Low, fma(n, -C::kLn2High, x));
  const T square = r * r, q = polynomial(C::kExp, r), p = fma(square, q, r);
  return {to_bits(rounded) << C::kMantissaBits, p, fma(square, q, r - p)};
}

// x · 2^n for x in [½, 2] and a result that is normal.
template <class T>
[[gnu::always_inline]] inline T scale_by(T x, Bits<T> n) {
  return from_bits<T>(to_bits(x) + n);
}

// 1. exp: 2^n · (1 + p) above. All arguments; beyond kExpMax infinity, below kExpMin 0, NaN for NaN.
//    Largest error 1.02 ulp (float), 1.06 ulp (double).
template <class T>
[[gnu::always_inline]] inline T exp(T x) {
  using C = MathConstants<T>;
  const ExpParts<T> parts = exp_parts(x);
  const T y = scale_by(T{1} + parts.p, parts.n);
  const T high = x <= C::kExpMax ? y : x + kInfinity<T>;
  return x < C::kExpMin ? T{0} : high;
}

// 2. exp of x ≤ 0 (or NaN), as a softmax needs it: the bits of exp. The number 2^n takes the place of two conditions:
//    it is 0 for kExpNone, and whatever n is for NaN, p is NaN as well.
template <class T>
[[gnu::always_inline]] inline T exp_negative(T x) {
  const ExpParts<T> parts = exp_parts(max(x, MathConstants<T>::kExpNone));
  const T power = scale_by(T{1}, parts.n);
  return kFusedMultiplyAdd ? fma(parts.p, power, power) : (T{1} + parts.p) * power;
}

// 3. log: x = 2^k · (1 + f) with 1 + f in [√½, √2), s = f / (2 + f), log(1 + f) = f − (f²/2 − s·(f²/2 + s²·R(s²))),
//    R a minimax polynomial (the method of fdlibm). All arguments: log(0) = −∞, log(∞) = ∞, NaN below zero and for NaN.
//    Largest error 0.84 ulp (float), 0.85 ulp (double). With `has_low`, the logarithm of x + low for what a sum has
//    rounded off, |low| ≤ ½ ulp of x.
template <bool has_low = false, class T>
[[gnu::always_inline]] inline T log(T x, [[maybe_unused]] T low = T{0}) {
  using C = MathConstants<T>;
  constexpr Bits<T> one = __builtin_bit_cast(Bits<T>, T{1});
  constexpr Bits<T> root = __builtin_bit_cast(Bits<T>, T(0.70710678118654752));
  constexpr T power = T(Bits<T>{1} << C::kMantissaBits);
  constexpr T bias = std::numeric_limits<T>::max_exponent - 1;
  const Bits<T> moved = to_bits(x) + (one - root);
  // The biased exponent becomes a number without an integer conversion, which AVX2 lacks for 64 bits.
  const T k = from_bits<T>((moved >> C::kMantissaBits) | to_bits(power)) - (power + bias);
  T f = from_bits<T>((moved & ((Bits<T>{1} << C::kMantissaBits) - 1)) + root) - T{1};
  if constexpr (has_low) f = fma(low, from_bits<T>(2 * one - (moved & ~((Bits<T>{1} << C::kMantissaBits) - 1))), f);
  const T s = f / (T{2} + f), z = s * s, half = T(0.5) * f * f;
  const T tail = fma(s, fma(z, polynomial(C::kLog, z), half), k * C::kLn2Low) - half;
  const T y = fma(k, C::kLn2High, tail + f);
  const T finite = x < kInfinity<T> ? y : x;
  const T positive = x < T{0} ? kNan<T> : finite;
  return x == T{0} ? -kInfinity<T> : positive;
}

// 4. tanh: e = e^(2|x|) − 1 from the parts of exp, tanh|x| = e / (e + 2) with one correction step for the rounding of
//    e, e + 2 and the quotient; the sign of x is put back. All arguments; ±1 beyond ±kTanhOne, ±0 for ±0, NaN for NaN.
//    Largest error 0.94 ulp (float), 1.30 ulp (double).
template <class T>
[[gnu::always_inline]] inline T tanh(T x) {
  using C = MathConstants<T>;
  constexpr Bits<T> sign = Bits<T>{1} << (sizeof(T) * 8 - 1);
  const T size = from_bits<T>(to_bits(x) & ~sign);
  const T twice = size > C::kTanhOne ? 2 * C::kTanhOne : size + size;
  const auto [n, p, p_low] = exp_parts(twice);
  const T power = scale_by(T{1}, n);
  const T e = fma(power, p, power - T{1}), e_low = fma(power, p_low, fma(power, p, (power - T{1}) - e));
  const T d = e + T{2}, big = e > T{2} ? e : T{2}, small = e > T{2} ? T{2} : e;
  const T d_low = ((big - d) + small) + e_low;
  const T inverse = T{1} / d, t = e * inverse;
  const T rest = fma(-t, d_low, fma(-t, d, e) + e_low);
  const T y = fma(rest, inverse, t);
  return from_bits<T>(to_bits(y) | (to_bits(x) & sign));
}

// 5. sigmoid: e = e^(−x) in two parts, 1 / (1 + e) with one correction step for the rounding of e, 1 + e and the
//    quotient. All arguments: 0 at −∞ and wherever the result would be denormal, 1 at ∞, NaN for NaN.
//    Largest error 0.79 ulp (float), 0.80 ulp (double).
template <class T>
[[gnu::always_inline]] inline T sigmoid(T x) {
  using C = MathConstants<T>;
  const T low = x < C::kExpMin ? C::kExpMin : x;
  const T z = low > -C::kExpMin ? C::kExpMin : -low;
  const auto [n, p, p_low] = exp_parts(z);
  const T power = scale_by(T{1}, n);
  const T e = fma(power, p, power), e_low = fma(power, p_low, fma(power, p, power - e));
  const T d = e + T{1}, big = e > T{1} ? e : T{1}, small = e > T{1} ? T{1} : e;
  const T d_low = ((big - d) + small) + e_low;
  const T inverse = T{1} / d;
  const T rest = fma(-inverse, d_low, fma(-inverse, d, T{1}));
  const T y = fma(rest, inverse, inverse);
  return x < C::kExpMin ? T{0} : y;
}

}  // namespace
}  // namespace nnative
