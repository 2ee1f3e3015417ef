// Mean and sum of squared differences of rows and columns; of columns in pieces of rows that several members can share.
#pragma once

#include "kernels/rows.hpp"

namespace nnative {
namespace {

template <class T>
struct Two {
  T first, second;
};

// Σ of two terms, as row_sum but with so many blocks of lanes that an addition seldom waits for the one before.
template <class T, class Term>
[[gnu::always_inline]] inline Two<T> two_sums(Index n, Term term) {
  constexpr int blocks = sizeof(T) == 4 ? 2 : 1;
  T a[blocks][kLanes], b[blocks][kLanes];
  for (int k = 0; k < blocks; ++k) {
#pragma omp simd
    for (Index l = 0; l < kLanes; ++l) a[k][l] = b[k][l] = T{0};  // an initialiser becomes a slow string instruction
  }
  Index i = 0;
  for (; i + blocks * kLanes <= n; i += blocks * kLanes) {
#pragma GCC unroll 2
    for (int k = 0; k < blocks; ++k) {
#pragma omp simd
      for (Index l = 0; l < kLanes; ++l) {
        const Two<T> t = term(i + k * kLanes + l);
        a[k][l] += t.first;
        b[k][l] += t.second;
      }
    }
  }
  for_each_lane({i, n}, [&a, &b, term](Index m, Index l) {
    const Two<T> t = term(m);
    a[0][l] += t.first;
    b[0][l] += t.second;
  });
  for (int k = 1; k < blocks; ++k) {
#pragma omp simd
    for (Index l = 0; l < kLanes; ++l) {
      a[0][l] += a[k][l];
      b[0][l] += b[k][l];
    }
  }
  return {add_lanes(a[0]), add_lanes(b[0])};
}

// Mean and Σ (x − mean)² of n elements, which stay in the cache for the second pass; it also corrects the mean.
template <class T>
inline Two<T> row_moments(const T* x, Index n) {
  const T inverse = T{1} / static_cast<T>(n);
  const T* upper = x + n / 2;
  const Two<T> halves = two_sums<T>(n / 2, [=](Index i) { return Two<T>{x[i], upper[i]}; });
  const T middle = (halves.first + halves.second + (n % 2 ? x[n - 1] : T{0})) * inverse;
  const Two<T> rest = two_sums<T>(n, [=](Index i) {
    const T d = x[i] - middle;
    return Two<T>{d, d * d};
  });
  const T correction = rest.first * inverse;
  return {middle + correction, fma(-correction, rest.first, rest.second)};
}

// Sums over rows are taken over pieces of this many rows, by blocks of columns that stay in the cache.
constexpr Index kRows = 64;

// Calls block(piece, first row, rows, first column, columns) for this member's share.
template <class Block>
[[gnu::always_inline]] inline void for_each_piece(const Team& team, Index N, Index C, Block block) {
  const Index pieces = ceil_div(N, kRows), width = columns_at_once(team, pieces, C), blocks = ceil_div(C, width);
  const Range mine = share(team, pieces * blocks);
  for (Index item = mine.begin; item < mine.end; ++item) {
    const Index piece = item / blocks, column = item % blocks * width;
    block(piece, piece * kRows, min(kRows, N - piece * kRows), column, min(width, C - column));
  }
}

// to (columns) = mean of the rows of x
template <class T>
inline void mean_of(T* to, const T* x, Index rows, Index stride, Index columns) {
  for_each({0, columns}, [=](Index c) { to[c] = x[c]; });
  for (Index n = 1; n < rows; ++n) {
    const T* a = x + n * stride;
    for_each({0, columns}, [=](Index c) { to[c] += a[c]; });
  }
  const T inverse = T{1} / static_cast<T>(rows);
  for_each({0, columns}, [=](Index c) { to[c] *= inverse; });
}

// Of so many rows of a piece the mean is near enough to that of all.
constexpr Index kFirstRows = 8;

// mean and second (columns) = Σ (x − mean)² over the n rows of a piece, read once: as Σ d² − (Σ d)² / n with
// d = x − m, where m is the mean of the first k rows. Since these k are among the n, n (m − mean)² is at most n / k
// times the result (Jensen), so that the difference loses at most a factor of 1 + n / k in accuracy.
template <class T>
inline void piece_moments(T* mean, T* second, const T* x, Index rows, Index stride, Index columns) {
  T near[kColumnsAtOnce], rest[kColumnsAtOnce];
  T *m = near, *r = rest;
  mean_of(m, x, min(kFirstRows, rows), stride, columns);
  for_each({0, columns}, [=](Index c) { r[c] = second[c] = T{0}; });
  Index n = 0;
  for (; n + 4 <= rows; n += 4) {
    const T *a = x + n * stride, *b = a + stride, *d = b + stride, *e = d + stride;
    const auto add = [=](Index c) {
      const T from = m[c], da = a[c] - from, db = b[c] - from, dd = d[c] - from, de = e[c] - from;
      r[c] += (da + db) + (dd + de);
      second[c] += fma(da, da, db * db) + fma(dd, dd, de * de);
    };
    for_each_calling({0, columns}, 4 * stride, add, a, b, d, e);
  }
  for (; n < rows; ++n) {
    const T* a = x + n * stride;
    for_each({0, columns}, [=](Index c) {
      const T da = a[c] - m[c];
      r[c] += da;
      second[c] = fma(da, da, second[c]);
    });
  }
  const T inverse = T{1} / static_cast<T>(rows);
  for_each({0, columns}, [=](Index c) {
    const T offset = r[c] * inverse;
    second[c] = fma(-offset, r[c], second[c]);
    mean[c] = m[c] + offset;
  });
}

// Joins the moments of pieces (Chan, Golub and LeVeque 1979): mean (C) and second (C) of all N rows, from those of the
// pieces (pieces,C).
template <class T>
inline void join_moments(T* mean, T* second, const T* means, const T* seconds, Range channels, Index N, Index C) {
  const Index pieces = ceil_div(N, kRows);
  const T inverse = T{1} / static_cast<T>(N);
  const T* base = means;
  for_each(channels, [=](Index c) { mean[c] = second[c] = T{0}; });
  for (Index p = 1; p < pieces; ++p) {
    const T part = static_cast<T>(min(kRows, N - p * kRows)) * inverse;
    const T* from = means + p * C;
    for_each(channels, [=](Index c) { mean[c] = fma(part, from[c] - base[c], mean[c]); });
  }
  for_each(channels, [=](Index c) { mean[c] += base[c]; });
  for (Index p = 0; p < pieces; ++p) {
    const T count = static_cast<T>(min(kRows, N - p * kRows));
    const T *from = means + p * C, *square = seconds + p * C;
    for_each(channels, [=](Index c) {
      const T d = from[c] - mean[c];
      second[c] += fma(count * d, d, square[c]);
    });
  }
}

// The same of one channel of x (N,C,L), joined piece by piece; the mean as its distance from the first piece's, which
// is small.
template <class T>
inline void channel_moments(T* mean, T* second, const T* x, Index N, Index C, Index L) {
  T base = 0, distance = 0, square = 0, count = 0;
  for (Index n = 0; n < N; ++n) {
    for (Index first = 0; first < L; first += kChunk) {
      const Index size = min(kChunk, L - first);
      const Two<T> piece = row_moments(x + n * C * L + first, size);
      if (count == T{0}) base = piece.first;
      const T total = count + static_cast<T>(size), part = static_cast<T>(size) / total;
      const T d = (piece.first - base) - distance;
      distance = fma(d, part, distance);
      square += fma(d * d * count, part, piece.second);
      count = total;
    }
  }
  *mean = base + distance;
  *second = square;
}

}  // namespace
}  // namespace nnative
