#include "kernels/gather.hpp"

#include <cstring>

#include "kernels/power.hpp"
#include "kernels/rows.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

// `bytes` bytes in so many pieces, of which the last overlaps the one before where they are not a multiple.
template <Index kPiece, Index kPieces>
[[gnu::always_inline]] inline void copy_pieces(std::byte* to, const std::byte* from, Index bytes) {
#pragma GCC unroll 4
  for (Index i = 0; i < kPieces - 1; ++i) std::memcpy(to + i * kPiece, from + i * kPiece, kPiece);
  std::memcpy(to + bytes - kPiece, from + bytes - kPiece, kPiece);
}

// Calls f(copy), where copy(to, from) copies a row of `bytes` bytes: for a few of them without the call of memcpy, and
// without a branch for each row.
template <class F>
[[gnu::always_inline]] inline void with_row_copy(Index bytes, F f) {
  using B = std::byte;
  if (bytes > 128) {
    const auto size = static_cast<std::size_t>(bytes);
    f([=](B* to, const B* from) { std::memcpy(to, from, size); });
  } else if (bytes > 96) {
    f([=](B* to, const B* from) { copy_pieces<32, 4>(to, from, bytes); });
  } else if (bytes > 64) {
    f([=](B* to, const B* from) { copy_pieces<32, 3>(to, from, bytes); });
  } else if (bytes >= 32) {
    f([=](B* to, const B* from) { copy_pieces<32, 2>(to, from, bytes); });
  } else if (bytes >= 16) {
    f([=](B* to, const B* from) { copy_pieces<16, 2>(to, from, bytes); });
  } else if (bytes == 8) {
    f([](B* to, const B* from) { std::memcpy(to, from, 8); });
  } else if (bytes > 8) {
    f([=](B* to, const B* from) { copy_pieces<8, 2>(to, from, bytes); });
  } else if (bytes >= 4) {
    f([=](B* to, const B* from) { copy_pieces<4, 2>(to, from, bytes); });
  } else {
    f([=](B* to, const B* from) {
      for (Index i = 0; i < bytes; ++i) to[i] = from[i];
    });
  }
}

void rows(const Team& team, std::byte* out, const std::byte* table, const std::int64_t* index, Index N, Index bytes) {
  const Range mine = share(team, N);
  if (index == nullptr) {
    std::memcpy(out + mine.begin * bytes, table + mine.begin * bytes,
                static_cast<std::size_t>((mine.end - mine.begin) * bytes));
    return;
  }
  with_row_copy(bytes, [=](auto copy) {
    std::byte* to = out + mine.begin * bytes;
    for (Index n = mine.begin; n < mine.end; ++n, to += bytes) copy(to, table + index[n] * bytes);
  });
}

template <class T>
void scaled_bytes(const Team& team, T* out, const std::uint8_t* table, const std::int64_t* index, Index N, Index C,
                  T scale) {
  const Range rows = share(team, N);
  for (Index n = rows.begin; n < rows.end; ++n) {
    T* to = out + n * C;
    const std::uint8_t* from = table + (index == nullptr ? n : index[n]) * C;
#pragma omp simd
    for (Index c = 0; c < C; ++c) to[c] = static_cast<T>(from[c]) * scale;
  }
}

// The index counted from the front, −1 when it lies outside [−N, N).
inline Index place(std::int64_t index, Index N) {
  const Index n = index < 0 ? index + N : index;
  return n >= 0 && n < N ? n : -1;
}

void take(const Team& team, std::byte* out, const std::byte* table, const std::int64_t* index, Index A, Index N,
          Index B, Index M) {
  const Range mine = share(team, A * M);
  with_row_copy(B, [=](auto copy) {
    for (Index item = mine.begin; item < mine.end; ++item) {
      const Index n = place(index[item % M], N);
      std::byte* to = out + item * B;
      if (n < 0) {
        std::memset(to, 0xff, static_cast<std::size_t>(B));
      } else {
        copy(to, table + (item / M * N + n) * B);
      }
    }
  });
}

// Each member owns rows of the table and looks through all indices, so that every row adds up in the same order.
template <class T>
void take_backward(const Team& team, T* dtable, const T* dout, const std::int64_t* index, Index A, Index N, Index B,
                   Index M) {
  const Range rows = share(team, A * N);
  for_each({rows.begin * B, rows.end * B}, [=](Index i) { dtable[i] = T{0}; });
  if (N == 0 || rows.begin == rows.end) return;
  for (Index a = rows.begin / N; a <= (rows.end - 1) / N; ++a) {
    for (Index m = 0; m < M; ++m) {
      const Index n = place(index[m], N), row = a * N + n;
      if (n < 0 || row < rows.begin || row >= rows.end) continue;
      T* to = dtable + row * B;
      const T* from = dout + (a * M + m) * B;
      if (B == 1) {
        *to += *from;
      } else {
        for_each({0, B}, [=](Index b) { to[b] += from[b]; });
      }
    }
  }
}

template <class T>
void pick(const Team& team, T* out, const T* x, const std::int64_t* index, Index A, Index N, Index B) {
  const Range mine = share(team, A * B);
  for (Index item = mine.begin; item < mine.end; ++item) {
    const Index n = place(index[item], N);
    out[item] = n < 0 ? std::numeric_limits<T>::quiet_NaN() : x[(item / B * N + n) * B + item % B];
  }
}

template <class T>
void pick_backward(const Team& team, T* dx, const T* dout, const std::int64_t* index, Index A, Index N, Index B) {
  const Range mine = share(team, A);
  for_each({mine.begin * N * B, mine.end * N * B}, [=](Index i) { dx[i] = T{0}; });
  for (Index item = mine.begin * B; item < mine.end * B; ++item) {
    const Index n = place(index[item], N);
    if (n >= 0) dx[(item / B * N + n) * B + item % B] = dout[item];
  }
}

void join_index(const Team& team, std::int64_t* flat, const std::int64_t* first, const std::int64_t* second, Index M,
                Index N, Index B) {
  const Range mine = share(team, M);
  for (Index m = mine.begin; m < mine.end; ++m) {
    const Index n = place(first[m], N), b = place(second[m], B);
    flat[m] = n < 0 || b < 0 ? -(Index{1} << 62) : n * B + b;
  }
}

template <class T>
void embedding_forward(const Team& team, T* y, const T* weight, const std::int64_t* index, Index N, Index B, Index M) {
  const Range mine = share(team, M);
  for (Index m = mine.begin; m < mine.end; ++m) {
    const Index n = index[m];
    T* to = y + m * B;
    if (n >= 0 && n < N) {
      std::memcpy(to, weight + n * B, static_cast<std::size_t>(B) * sizeof(T));
    } else {
      for_each({0, B}, [=](Index b) { to[b] = std::numeric_limits<T>::quiet_NaN(); });
    }
  }
}

// As take_backward: members own rows of the weight.
template <class T>
void embedding_backward(const Team& team, T* dweight, const T* dy, const std::int64_t* index, Index N, Index B, Index M,
                        Index padding, bool by_frequency) {
  const Range rows = share(team, N);
  Index* count = static_cast<Index*>(team.shared);
  for_each({rows.begin * B, rows.end * B}, [=](Index i) { dweight[i] = T{0}; });
  if (by_frequency) for_each(rows, [=](Index n) { count[n] = 0; });
  for (Index m = 0; m < M; ++m) {
    const Index n = index[m];
    if (n < rows.begin || n >= rows.end || n == padding) continue;
    T* to = dweight + n * B;
    const T* from = dy + m * B;
    for_each({0, B}, [=](Index b) { to[b] += from[b]; });
    if (by_frequency) ++count[n];
  }
  if (!by_frequency) return;
  for (Index n = rows.begin; n < rows.end; ++n) {
    if (count[n] < 2) continue;
    T* row = dweight + n * B;
    const T factor = T{1} / static_cast<T>(count[n]);
    for_each({0, B}, [=](Index b) { row[b] *= factor; });
  }
}

template <class T>
inline T norm(const T* x, Index n, T p) {
  if (p == T{2}) return sqrt(row_sum<T>(n, [=](Index i) { return x[i] * x[i]; }));
  if (p == T{1}) return row_sum<T>(n, [=](Index i) { return x[i] < 0 ? -x[i] : x[i]; });
  if (p < kInfinity<T>) {
    return power(row_sum<T>(n, [=](Index i) { return power(x[i] < 0 ? -x[i] : x[i], p); }), T{1} / p);
  }
  T largest = 0;
  for (Index i = 0; i < n; ++i) largest = max(largest, x[i] < 0 ? -x[i] : x[i]);
  return largest;
}

template <class T>
void embedding_renorm(const Team& team, T* weight, const std::int64_t* index, Index N, Index B, Index M, T max_norm,
                      T p) {
  const Range rows = share(team, N);
  std::uint8_t* done = static_cast<std::uint8_t*>(team.shared);
  for_each(rows, [=](Index n) { done[n] = 0; });
  for (Index m = 0; m < M; ++m) {
    const Index n = index[m];
    if (n < rows.begin || n >= rows.end || done[n]) continue;
    done[n] = 1;
    T* row = weight + n * B;
    const T size = norm(row, B, p);
    if (!(size > max_norm)) continue;
    const T factor = max_norm / (size + T(1e-7));
    for_each({0, B}, [=](Index b) { row[b] *= factor; });
  }
}

template <class T>
constexpr GatherKernels<T> kTable{
    .rows = rows,
    .scaled_bytes = scaled_bytes,
    .take = take,
    .take_backward = take_backward,
    .pick = pick,
    .pick_backward = pick_backward,
    .join_index = join_index,
    .embedding_forward = embedding_forward,
    .embedding_backward = embedding_backward,
    .embedding_renorm = embedding_renorm,
};

}  // namespace

extern const GatherKernels<float> gather_f32;
extern const GatherKernels<double> gather_f64;
constinit const GatherKernels<float> gather_f32 = kTable<float>;
constinit const GatherKernels<double> gather_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
