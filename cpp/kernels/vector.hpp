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

template <class T>
struct VectorOf {
  typedef T Type __attribute__((vector_size(tuning::kVectorBytes)));
};
template <class T>
using Vector = typename VectorOf<T>::Type;

// Elements of a vector.
template <class T>
constexpr int kWidth = tuning::kVectorBytes / static_cast<int>(sizeof(T));

template <class T>
inline Vector<T> load(const T* p) {
  Vector<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
inline void store(T* p, Vector<T> v) {
  std::memcpy(p, &v, sizeof v);
}

// The first `count` elements only; zero beyond them.
template <class T>
inline Vector<T> load_partial(const T* p, Index count) {
  T lanes[kWidth<T>] = {};
  for (Index l = 0; l < count; ++l) lanes[l] = p[l];
  return load(lanes);
}

template <class T>
inline void store_partial(T* p, Vector<T> v, Index count) {
  T lanes[kWidth<T>];
  store(lanes, v);
  for (Index l = 0; l < count; ++l) p[l] = lanes[l];
}

template <class T>
inline Vector<T> broadcast(T x) {
  return x - Vector<T>{};
}

// a·b + c with one rounding. Intrinsics, since GCC has no generic fma of vectors and a loop over the lanes is split
// into scalars; the baseline of x86-64 has no such instruction.
template <class T>
inline Vector<T> fma(Vector<T> a, Vector<T> b, Vector<T> c) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>) {
    return _mm512_fmadd_ps(a, b, c);
  } else {
    return _mm512_fmadd_pd(a, b, c);
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

}  // namespace
}  // namespace nnative
