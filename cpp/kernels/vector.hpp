// The vector of the instruction set as the compiler's generic vector type, for the loops whose registers must be held.
#pragma once

#include <cstring>
#include <utility>

#include "kernels/simd.hpp"
#include NNATIVE_TUNING

#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#elif defined(__ARM_FEATURE_FMA)
#include <arm_neon.h>
#endif

namespace nnative {
namespace {

template <class T, int kBytes>
struct VectorOf {
  typedef T Type __attribute__((vector_size(kBytes)));
};
template <class T>
using Vector = typename VectorOf<T, tuning::kVectorBytes>::Type;
// What takes the place of a vector of which so few elements are real, where it costs half.
template <class T>
using Narrow = typename VectorOf<T, tuning::kNarrowBytes>::Type;

// Elements of a vector.
template <class T>
constexpr int kWidth = tuning::kVectorBytes / static_cast<int>(sizeof(T));
template <class T>
constexpr int kNarrowWidth = tuning::kNarrowBytes / static_cast<int>(sizeof(T));

template <class T, class V = Vector<T>>
inline V load(const T* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class T, class V>
inline void store(T* p, V v) {
  std::memcpy(p, &v, sizeof v);
}

#if defined(__AVX2__) && !defined(__AVX512F__)
inline __m256i first_lanes(std::int32_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i first_lanes(std::int64_t count) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}
#endif

// The first `count` elements only, zero beyond them. Intrinsics for masks, since a loop over so few elements costs
// several times as much and small matrices are all edges.
template <class T, class V = Vector<T>>
inline V load_partial(const T* p, Index count) {
#if defined(__AVX512F__)
  const auto mask = static_cast<__mmask16>((1u << count) - 1);
  if constexpr (std::is_same_v<V, Vector<float>>) {
    return _mm512_maskz_loadu_ps(mask, p);
  } else if constexpr (std::is_same_v<V, Vector<double>>) {
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), p);
  } else if constexpr (std::is_same_v<V, Narrow<float>>) {
    return _mm256_maskz_loadu_ps(static_cast<__mmask8>(mask), p);
  } else {
    return _mm256_maskz_loadu_pd(static_cast<__mmask8>(mask), p);
  }
#elif defined(__AVX2__)
  if constexpr (std::is_same_v<T, float>) {
    return _mm256_maskload_ps(p, first_lanes(static_cast<std::int32_t>(count)));
  } else {
    return _mm256_maskload_pd(p, first_lanes(count));
  }
#else
  T lanes[kWidth<T>] = {};
  for (Index l = 0; l < count; ++l) lanes[l] = p[l];
  return load(lanes);
#endif
}

template <class T, class V>
inline void store_partial(T* p, V v, Index count) {
#if defined(__AVX512F__)
  const auto mask = static_cast<__mmask16>((1u << count) - 1);
  if constexpr (std::is_same_v<V, Vector<float>>) {
    _mm512_mask_storeu_ps(p, mask, v);
  } else if constexpr (std::is_same_v<V, Vector<double>>) {
    _mm512_mask_storeu_pd(p, static_cast<__mmask8>(mask), v);
  } else if constexpr (std::is_same_v<V, Narrow<float>>) {
    _mm256_mask_storeu_ps(p, static_cast<__mmask8>(mask), v);
  } else {
    _mm256_mask_storeu_pd(p, static_cast<__mmask8>(mask), v);
  }
#elif defined(__AVX2__)
  // In halves, pairs and single elements, since a masked store takes 18 cycles on AMD's Zen 3.
  if (count == kWidth<T>) return store(p, v);
  if constexpr (std::is_same_v<T, float>) {
    __m128 part = _mm256_castps256_ps128(v);
    if (count & 4) {
      _mm_storeu_ps(p, part);
      part = _mm256_extractf128_ps(v, 1);
      p += 4;
    }
    if (count & 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
      part = _mm_movehl_ps(part, part);
      p += 2;
    }
    if (count & 1) _mm_store_ss(p, part);
  } else {
    __m128d part = _mm256_castpd256_pd128(v);
    if (count & 2) {
      _mm_storeu_pd(p, part);
      part = _mm256_extractf128_pd(v, 1);
      p += 2;
    }
    if (count & 1) _mm_store_sd(p, part);
  }
#else
  T lanes[kWidth<T>];
  store(lanes, v);
  for (Index l = 0; l < count; ++l) p[l] = lanes[l];
#endif
}

template <class T>
inline Vector<T> broadcast(T x) {
  return x - Vector<T>{};
}

// The first elements of a vector as a narrower one, or itself.
template <class T, class V, std::size_t... L>
inline V first_elements(Vector<T> v, std::index_sequence<L...>) {
  return __builtin_shufflevector(v, v, static_cast<int>(L)...);
}
template <class T, class V>
inline V narrowed(Vector<T> v) {
  if constexpr (std::is_same_v<V, Vector<T>>) {
    return v;
  } else {
    return first_elements<T, V>(v, std::make_index_sequence<sizeof(V) / sizeof(T)>{});
  }
}

// a·b + c with one rounding. Intrinsics, since GCC has no generic fma of vectors and a loop over the lanes is split
// into scalars; the baseline of x86-64 has no such instruction.
template <class T, class V>
  requires(sizeof(V) > sizeof(T))
inline V fma(V a, V b, V c) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vector<float>>) {
    return _mm512_fmadd_ps(a, b, c);
  } else if constexpr (std::is_same_v<V, Vector<double>>) {
    return _mm512_fmadd_pd(a, b, c);
  } else if constexpr (std::is_same_v<V, Narrow<float>>) {
    return _mm256_fmadd_ps(a, b, c);
  } else {
    return _mm256_fmadd_pd(a, b, c);
  }
#elif defined(__FMA__)
  if constexpr (std::is_same_v<T, float>) {
    return _mm256_fmadd_ps(a, b, c);
  } else {
    return _mm256_fmadd_pd(a, b, c);
  }
#elif defined(__ARM_FEATURE_FMA)
  if constexpr (std::is_same_v<T, float>) {
    return vfmaq_f32(c, a, b);
  } else {
    return vfmaq_f64(c, a, b);
  }
#else
  return a * b + c;
#endif
}

// Exchanges the off-diagonal h×h blocks of the 2h×2h blocks that rows a and b hold.
template <class T, int H, std::size_t... L>
inline void exchange(Vector<T>& a, Vector<T>& b, std::index_sequence<L...>) {
  constexpr int W = kWidth<T>;
  const Vector<T> low = __builtin_shufflevector(a, b, ((L & H) ? static_cast<int>(L) - H + W : static_cast<int>(L))...);
  b = __builtin_shufflevector(a, b, ((L & H) ? static_cast<int>(L) + W : static_cast<int>(L) + H)...);
  a = low;
}

// Transposes a square of kWidth×kWidth elements held in rows, in log₂ kWidth rounds of exchanges.
template <class T, int H = kWidth<T> / 2>
inline void transpose(Vector<T>* row) {
  if constexpr (H > 0) {
    constexpr int W = kWidth<T>;
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) {
      if ((i & H) == 0) exchange<T, H>(row[i], row[i + H], std::make_index_sequence<W>{});
    }
    transpose<T, H / 2>(row);
  }
}

#if defined(__AVX512F__)
// Within each lane of 128 bits: a₀b₀a₁b₁, a₂b₂a₃b₃, a₀a₁b₀b₁, a₂a₃b₂b₃.
inline Vector<float> interleave_low(Vector<float> a, Vector<float> b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
}
inline Vector<float> interleave_high(Vector<float> a, Vector<float> b) {
  return __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
}
inline Vector<float> pairs_low(Vector<float> a, Vector<float> b) {
  return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
}
inline Vector<float> pairs_high(Vector<float> a, Vector<float> b) {
  return __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}
#endif

// The same pointer, as one that the compiler knows nothing of. GCC otherwise computes the addresses of many rows before
// it uses the first, and keeps them on the stack or in vector registers meanwhile.
template <class P>
[[gnu::always_inline]] inline P opaque(P pointer) {
  asm("" : "+r"(pointer));
  return pointer;
}

#if defined(__AVX512F__)
// Four vectors of which vector l has element l of each of 16 rows, `stride` apart; load(p) reads the four elements of a
// row. Quarters of rows loaded to where they belong leave 4×4 transposes within the lanes of 128 bits: half the
// shuffles of whole rows.
template <class Load>
[[gnu::always_inline]] inline void load_transposed_quarter(Vector<float>* four, const float* p, Index stride,
                                                           Load load) {
  Vector<float> row[4];
  const auto next_rows = [&](auto put) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) row[q] = put(row[q], load(p + q * stride));
    p = opaque(p + 4 * stride);
  };
  next_rows([](Vector<float>, __m128 part) { return _mm512_castps128_ps512(part); });
  next_rows([](Vector<float> all, __m128 part) { return _mm512_insertf32x4(all, part, 1); });
  next_rows([](Vector<float> all, __m128 part) { return _mm512_insertf32x4(all, part, 2); });
  next_rows([](Vector<float> all, __m128 part) { return _mm512_insertf32x4(all, part, 3); });
  const Vector<float> low01 = interleave_low(row[0], row[1]), high01 = interleave_high(row[0], row[1]);
  const Vector<float> low23 = interleave_low(row[2], row[3]), high23 = interleave_high(row[2], row[3]);
  four[0] = pairs_low(low01, low23);
  four[1] = pairs_high(low01, low23);
  four[2] = pairs_low(high01, high23);
  four[3] = pairs_high(high01, high23);
}
#endif

// Reads W rows of W elements, `stride` apart, as their transpose: square[l] has element l of every row.
template <class T>
inline void load_transposed(Vector<T>* square, const T* p, Index stride) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>) {
#pragma GCC unroll 4
    for (int c = 0; c < 16; c += 4)
      load_transposed_quarter(square + c, p + c, stride, [](const float* from) { return _mm_loadu_ps(from); });
    return;
  }
#endif
#pragma GCC unroll 16
  for (int l = 0; l < kWidth<T>; ++l) square[l] = load(p + l * stride);
  transpose<T>(square);
}

// The same of the part of a square that has so many rows and columns, through put(l, vector of column l). Elements of
// the vectors from `rows` on are zero.
template <class T, class Put>
[[gnu::always_inline]] inline void load_transposed_partial(const T* p, Index stride, Index rows, Index columns,
                                                           Put put) {
  constexpr Index W = kWidth<T>;
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>) {
    alignas(64) T whole[W * W];
    if (rows < W) {
      for (Index l = 0; l < rows; ++l) store(whole + l * W, load_partial(p + l * stride, columns));
      for (Index l = rows; l < W; ++l) store(whole + l * W, Vector<T>{});
      p = whole;
      stride = W;
    }
    Vector<T> four[4];
    Index c = 0;
    for (; c + 4 <= columns; c += 4) {
      load_transposed_quarter(four, p + c, stride, [](const T* from) { return _mm_loadu_ps(from); });
#pragma GCC unroll 4
      for (Index l = 0; l < 4; ++l) put(c + l, four[l]);
    }
    if (c == columns) return;
    const auto mask = static_cast<__mmask8>((1u << (columns - c)) - 1);
    load_transposed_quarter(four, p + c, stride, [=](const T* from) { return _mm_maskz_loadu_ps(mask, from); });
#pragma GCC unroll 3
    for (Index l = 0; l < 3; ++l) {
      if (c + l < columns) put(c + l, four[l]);
    }
    return;
  }
#endif
  Vector<T> square[W];
  for (Index l = 0; l < W; ++l) square[l] = l < rows ? load_partial(p + l * stride, columns) : Vector<T>{};
  transpose<T>(square);
  for (Index l = 0; l < columns; ++l) put(l, square[l]);
}

}  // namespace
}  // namespace nnative
