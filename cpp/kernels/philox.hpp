// The words of Philox4x32-10 in groups of sixteen blocks, as random.hpp numbers them.
#pragma once

#include <cstring>

#include "kernels/simd.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace nnative {
namespace {

constexpr Index kBlocks = 16;               // blocks side by side
constexpr Index kGroupWords = 4 * kBlocks;  // words that they give

struct Words {
  alignas(64) std::uint32_t w[4][kBlocks];
};

// A few blocks side by side in lanes of 64 bits, of which the low halves are words. The product of low halves is one
// instruction, which compilers find neither here nor in a loop over words: by intrinsics, masks take half the time.
#if defined(__AVX512F__)
typedef std::uint64_t Lanes __attribute__((vector_size(64)));
inline Lanes low_product(Lanes a, std::uint64_t b) {
  return (Lanes)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)(b - Lanes{}));
}
#elif defined(__AVX2__)
typedef std::uint64_t Lanes __attribute__((vector_size(32)));
inline Lanes low_product(Lanes a, std::uint64_t b) {
  return (Lanes)_mm256_mul_epu32((__m256i)a, (__m256i)(b - Lanes{}));
}
#endif

// Replaces sixteen counters by their random words, ten rounds of Philox4x32.
inline void philox_rounds(Words& words, std::uint32_t key0, std::uint32_t key1) {
#if defined(__AVX2__)
  constexpr int kWide = sizeof(Lanes) / 8, kVectors = static_cast<int>(kBlocks) / kWide;
  typedef std::uint32_t Half __attribute__((vector_size(sizeof(Lanes) / 2)));
  Lanes c[4][kVectors];
  for (int j = 0; j < 4; ++j) {
    for (int v = 0; v < kVectors; ++v) {
      Half half;
      std::memcpy(&half, words.w[j] + v * kWide, sizeof half);
      c[j][v] = __builtin_convertvector(half, Lanes);
    }
  }
#pragma GCC unroll 10
  for (std::uint32_t round = 0; round < 10; ++round) {
    const std::uint64_t k0 = key0 + round * 0x9E3779B9u, k1 = key1 + round * 0xBB67AE85u;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const Lanes p0 = low_product(c[0][v], 0xD2511F53u), p1 = low_product(c[2][v], 0xCD9E8D57u);
      c[0][v] = (p1 >> 32) ^ c[1][v] ^ k0;
      c[1][v] = p1;
      c[2][v] = (p0 >> 32) ^ c[3][v] ^ k1;
      c[3][v] = p0;
    }
  }
  for (int j = 0; j < 4; ++j) {
    for (int v = 0; v < kVectors; ++v) {
      const Half half = __builtin_convertvector(c[j][v], Half);
      std::memcpy(words.w[j] + v * kWide, &half, sizeof half);
    }
  }
#else
#pragma omp simd
  for (Index l = 0; l < kBlocks; ++l) {
    std::uint32_t c0 = words.w[0][l], c1 = words.w[1][l], c2 = words.w[2][l], c3 = words.w[3][l];
#pragma GCC unroll 10
    for (std::uint32_t round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
      c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ (key0 + round * 0x9E3779B9u);
      c1 = static_cast<std::uint32_t>(p1);
      c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ (key1 + round * 0xBB67AE85u);
      c3 = static_cast<std::uint32_t>(p0);
    }
    words.w[0][l] = c0;
    words.w[1][l] = c1;
    words.w[2][l] = c2;
    words.w[3][l] = c3;
  }
#endif
}

// The words 64 · group … 64 · group + 63 of a fill.
inline void random_words(Words& words, Index group, std::uint64_t seed, std::uint64_t stream) {
  const auto block = static_cast<std::uint64_t>(group * kBlocks);
#pragma omp simd
  for (Index l = 0; l < kBlocks; ++l) {
    words.w[0][l] = static_cast<std::uint32_t>(block) + static_cast<std::uint32_t>(l);
    words.w[1][l] = static_cast<std::uint32_t>(block >> 32);
    words.w[2][l] = static_cast<std::uint32_t>(stream);
    words.w[3][l] = static_cast<std::uint32_t>(stream >> 32);
  }
  philox_rounds(words, static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
}

}  // namespace
}  // namespace nnative
