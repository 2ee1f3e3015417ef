// Elements picked by index, and what comes back to them. A outer, N indexed and B inner elements of the table, M
// picked. Negative indices count from the end. Indices may change between replays, so kernels check them: what lies
// outside is read as NaN (all bits set for other dtypes) and not written.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

template <class T>
struct GatherKernels {
  // The next two feed the minibatches of an epoch and have no Python face. Indices are trusted; a null pointer is
  // 0 … N-1.
  // out (N, bytes) = table (·, bytes)[index (N)], rows of any dtype
  void (*rows)(const Team&, std::byte* out, const std::byte* table, const std::int64_t* index, Index N, Index bytes);
  // out (N, C) = scale · table (·, C)[index (N)], from bytes
  void (*scaled_bytes)(const Team&, T* out, const std::uint8_t* table, const std::int64_t* index, Index N, Index C,
                       T scale);

  // out (A,M,B) = table (A,N,B)[:, index (M)], B in bytes
  void (*take)(const Team&, std::byte* out, const std::byte* table, const std::int64_t* index, Index A, Index N,
               Index B, Index M);
  // dtable (A,N,B) = 0; dtable[:, index (M)] += dout (A,M,B), in the order of the indices
  void (*take_backward)(const Team&, T* dtable, const T* dout, const std::int64_t* index, Index A, Index N, Index B,
                        Index M);
  // out (A,B) = x (A,N,B)[a, index (A,B), b]
  void (*pick)(const Team&, T* out, const T* x, const std::int64_t* index, Index A, Index N, Index B);
  // dx (A,N,B) = 0; dx[a, index (A,B), b] = dout (A,B)
  void (*pick_backward)(const Team&, T* dx, const T* dout, const std::int64_t* index, Index A, Index N, Index B);
  // flat (M) = place of (first, second) (M) in a matrix (N,B), −(2⁶²) where one lies outside
  void (*join_index)(const Team&, std::int64_t* flat, const std::int64_t* first, const std::int64_t* second, Index M,
                     Index N, Index B);

  // Embeddings: rows of a weight (N,B) at indices from 0 on.
  // y (M,B) = weight[index (M)]
  void (*embedding_forward)(const Team&, T* y, const T* weight, const std::int64_t* index, Index N, Index B, Index M);
  // dweight (N,B) = 0; dweight[index (M)] += dy (M,B), in the order of the indices and not where they are `padding`;
  // with by_frequency (scratch: shared (N) indices) divided by how often the index occurs
  void (*embedding_backward)(const Team&, T* dweight, const T* dy, const std::int64_t* index, Index N, Index B, Index M,
                             Index padding, bool by_frequency);
  // weight[index (M)] · max_norm / (norm + 1e-7), once each, where the norm ‖row‖_p > max_norm; 0 < p ≤ ∞;
  // scratch: shared (N) bytes
  void (*embedding_renorm)(const Team&, T* weight, const std::int64_t* index, Index N, Index B, Index M, T max_norm,
                           T p);
};

}  // namespace nnative
