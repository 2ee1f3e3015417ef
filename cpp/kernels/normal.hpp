// Normal numbers from random words by Box and Muller's transform (1958).
#pragma once

#include "kernels/philox.hpp"
#include "kernels/random_math.hpp"

namespace nnative {
namespace {

constexpr double kQuarterTurn = 1.5707963267948966;

// Exact conversion: instruction sets before AVX-512 convert signed integers only.
template <class T>
inline T to_float(std::uint32_t below_2_31) {
  return static_cast<T>(static_cast<std::int32_t>(below_2_31));
}

// √(−2 log u) · (cos θ, sin θ). The top two bits of `turn` are the quadrant of θ, `x` the angle within [−π/4, π/4] of
// its middle.
template <class T>
inline void box_muller(T* cosine, T* sine, T u, T x, std::uint32_t turn, T mean, T std) {
  using Bits = typename RandomMath<T>::Bits;
  constexpr int kToTop = 8 * sizeof(T) - 32;
  const T radius = std * sqrt(T(-2) * log_unit(u));
  const T c = cos_octant(x), s = sin_octant(x);
  const bool odd = (turn >> 30 & 1) != 0;
  const Bits cosine_sign = static_cast<Bits>((turn ^ turn << 1) & 0x80000000u) << kToTop;
  const Bits sine_sign = static_cast<Bits>(turn & 0x80000000u) << kToTop;
  const T turned_c = __builtin_bit_cast(T, __builtin_bit_cast(Bits, odd ? s : c) ^ cosine_sign);
  const T turned_s = __builtin_bit_cast(T, __builtin_bit_cast(Bits, odd ? c : s) ^ sine_sign);
  *cosine = mean + radius * turned_c;
  *sine = mean + radius * turned_s;
}

// to (64): the normal numbers of a group of words, one word each, from the same uniform numbers for every T.
template <class T>
inline void normal_group(T* to, const Words& words, T mean, T std) {
  for (Index j = 0; j < 4; j += 2) {
#pragma omp simd
    for (Index l = 0; l < kBlocks; ++l) {
      const std::uint32_t a = words.w[j][l], turn = words.w[j + 1][l];
      const T u = static_cast<T>((to_float<float>(a >> 1) + 0.5f) * 0x1p-31f);
      const T x = to_float<T>(turn << 2) * static_cast<T>(kQuarterTurn * 0x1p-32);
      box_muller(to + j * kBlocks + l, to + (j + 1) * kBlocks + l, u, x, turn, mean, std);
    }
  }
}

}  // namespace
}  // namespace nnative
