#include "kernels/gather.hpp"

#include <cstring>

#include "kernels/simd.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

void rows(const Team& team, std::byte* out, const std::byte* table, const std::int64_t* index, Index N, Index bytes) {
  const Range share_of_rows = share(team, N);
  for (Index n = share_of_rows.begin; n < share_of_rows.end; ++n)
    std::memcpy(out + n * bytes, table + index[n] * bytes, static_cast<std::size_t>(bytes));
}

template <class T>
void scaled_bytes(const Team& team, T* out, const std::uint8_t* table, const std::int64_t* index, Index N, Index C,
                  T scale) {
  const Range rows = share(team, N);
  for (Index n = rows.begin; n < rows.end; ++n) {
    T* to = out + n * C;
    const std::uint8_t* from = table + index[n] * C;
#pragma omp simd
    for (Index c = 0; c < C; ++c) to[c] = static_cast<T>(from[c]) * scale;
  }
}

}  // namespace

extern const GatherKernels<float> gather_f32;
extern const GatherKernels<double> gather_f64;
constinit const GatherKernels<float> gather_f32{.rows = rows, .scaled_bytes = scaled_bytes<float>};
constinit const GatherKernels<double> gather_f64{.rows = rows, .scaled_bytes = scaled_bytes<double>};

}  // namespace nnative::NNATIVE_ISA
