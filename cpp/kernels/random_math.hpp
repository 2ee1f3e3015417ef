// Logarithm, sine and cosine for the Box-Muller transform, on the ranges that it needs.
#pragma once

#include "kernels/simd.hpp"

namespace nnative {
namespace {

template <class T>
struct RandomMath;

// (1) log(u), 0 < u ≤ 1 normal: u = 2^e · m with m in [√½, √2), log m = 2s + s³ P(s²), s = (m−1)/(m+1), P interpolated
// at
//     Chebyshev nodes. Largest error seen: 1.7 ulp in float, 2.1 in double.
// (2) sin and cos on [−π/4, π/4]: odd and even polynomials of the same kind. Largest error seen: 0.9 and 1.3 ulp.
// Unfused on purpose: products and sums round the same on sets with and without fused multiply-add.
template <>
struct RandomMath<float> {
  using Bits = std::uint32_t;
  static constexpr int kMantissa = 23;
  static constexpr Bits kOne = 0x3f800000u, kRootHalf = 0x3f3504f3u, kSign = 0x80000000u;
  static constexpr float kLog[] = {0.66666668653488159f, 0.40000122785568237f, 0.28550821542739868f,
                                   0.23330467939376831f};
  static constexpr float kSin[] = {-0.166666641831398f, 0.00833274796605110168f, -0.00019587890710681677f};
  static constexpr float kCos[] = {0.041666664183139801f, -0.001388830249197781f, 2.4547942302888259e-05f};
  static float exponent(Bits biased) { return static_cast<float>(static_cast<std::int32_t>(biased) - 127); }
};
template <>
struct RandomMath<double> {
  using Bits = std::uint64_t;
  static constexpr int kMantissa = 52;
  static constexpr Bits kOne = 0x3ff0000000000000u, kRootHalf = 0x3fe6a09e667f3bcdu, kSign = 0x8000000000000000u;
  static constexpr double kLog[] = {0.666666666666667,   0.39999999999899505, 0.28571428625975487, 0.2222221113479508,
                                    0.18182889125261723, 0.15331721600556042, 0.14616449685043406};
  static constexpr double kSin[] = {-0.16666666666666666,  0.008333333333330948,    -0.00019841269836758574,
                                    2.755731610255244e-06, -2.5051131845003624e-08, 1.5918129294866608e-10};
  static constexpr double kCos[] = {0.041666666666666664,    -0.0013888888888887398, 2.480158729876569e-05,
                                    -2.7557317271729793e-07, 2.08761462684032e-09,   -1.1382632425521717e-11};
  // Through the mantissa of 2^52, since AVX2 cannot convert 64-bit integers.
  static double exponent(Bits biased) {
    return __builtin_bit_cast(double, biased | 0x4330000000000000u) - (4503599627370496.0 + 1023.0);
  }
};

template <class T, std::size_t n>
inline T horner(const T (&coefficients)[n], T x) {
  T sum = coefficients[n - 1];
#pragma GCC unroll 8
  for (std::size_t i = n - 1; i > 0; --i) sum = sum * x + coefficients[i - 1];
  return sum;
}

template <class T>
inline T log_unit(T u) {
  using M = RandomMath<T>;
  const auto bits = __builtin_bit_cast(typename M::Bits, u);
  const auto biased = (bits - M::kRootHalf + M::kOne) >> M::kMantissa;
  const T m = __builtin_bit_cast(T, bits - (biased << M::kMantissa) + M::kOne);
  const T s = (m - T(1)) / (m + T(1)), z = s * s;
  return M::exponent(biased) * T(0.693147180559945309) + (T(2) * s + s * z * horner(M::kLog, z));
}

template <class T>
inline T sin_octant(T x) {
  const T z = x * x;
  return x + x * z * horner(RandomMath<T>::kSin, z);
}

template <class T>
inline T cos_octant(T x) {
  const T z = x * x;
  return T(1) - T(0.5) * z + z * z * horner(RandomMath<T>::kCos, z);
}

}  // namespace
}  // namespace nnative
