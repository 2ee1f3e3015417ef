#include "kernels/shape.hpp"

#include <cstring>

#include "kernels/rows.hpp"
#include "kernels/vector.hpp"
#include "kernels/walk.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

template <class T>
inline void copy_row(T* out, Index out_stride, const T* in, Index in_stride, Index count) {
  if (out_stride == 1 && in_stride == 1) {
    std::memcpy(out, in, static_cast<std::size_t>(count) * sizeof(T));
  } else if (out_stride == 1 && in_stride == 0) {
    for_each({0, count}, [out, value = *in](Index i) { out[i] = value; });
  } else {
    for (Index i = 0; i < count; ++i) out[i * out_stride] = in[i * in_stride];
  }
}

// out (rows, columns), rows `out_row` apart, from the transpose of in, whose columns are `in_column` apart.
template <class T>
inline void transpose_block(T* out, Index out_row, const T* in, Index in_column, Index rows, Index columns) {
  constexpr int W = kWidth<T>;
  for (Index c = 0; c < columns; c += W) {
    for (Index r = 0; r < rows; r += W) {
      if (r + W <= rows && c + W <= columns) {
        Vector<T> square[W];
        for (int i = 0; i < W; ++i) square[i] = load(in + (c + i) * in_column + r);
        transpose<T>(square);
        for (int i = 0; i < W; ++i) store(out + (r + i) * out_row + c, square[i]);
        continue;
      }
      for (Index i = r; i < min(r + W, rows); ++i) {
        for (Index j = c; j < min(c + W, columns); ++j) out[i * out_row + j] = in[j * in_column + i];
      }
    }
  }
}

// The dimension along which `in` is contiguous where `out` is contiguous along the innermost, 0 if there is none.
inline int transposed_dim(const Layout<2>& layout) {
  if (layout.stride[0][0] != 1 || layout.stride[1][0] <= 1) return 0;
  for (int d = 1; d < layout.ndim; ++d) {
    if (layout.stride[1][d] == 1) return d;
  }
  return 0;
}

// Rows of blocks of kTile × kTile elements: two such blocks fit the L1 cache.
constexpr Index kTile = 64;

template <class T>
inline void copy_transposed(const Team& team, T* out, const T* in, const Layout<2>& layout, int dim) {
  const Index columns = layout.shape[0], rows = layout.shape[dim];
  Layout<2> rest = layout;  // the dimensions but these two
  rest.shape[0] = rest.shape[dim] = 1;
  const Index row_tiles = ceil_div(rows, kTile), tiles = row_tiles * ceil_div(columns, kTile);
  const Range mine = share(team, size_of(rest) * tiles);
  for (Index item = mine.begin; item < mine.end; ++item) {
    const Index r = item % tiles % row_tiles * kTile, c = item % tiles / row_tiles * kTile;
    walk(rest, {item / tiles, item / tiles + 1}, [&](Index, Index, const Index* offset) {
      T* to = out + offset[0] + r * layout.stride[0][dim] + c;
      const T* from = in + offset[1] + c * layout.stride[1][0] + r;
      transpose_block(to, layout.stride[0][dim], from, layout.stride[1][0], min(kTile, rows - r),
                      min(kTile, columns - c));
    });
  }
}

template <class T>
inline void copy_items(const Team& team, std::byte* out_bytes, const std::byte* in_bytes, const Layout<2>& layout) {
  T* out = reinterpret_cast<T*>(out_bytes);
  const T* in = reinterpret_cast<const T*>(in_bytes);
  if constexpr (sizeof(T) >= 4) {
    if (const int dim = transposed_dim(layout); dim > 0) return copy_transposed(team, out, in, layout, dim);
  }
  walk(layout, share(team, size_of(layout), 64 / sizeof(T)), [&](Index, Index count, const Index* offset) {
    copy_row(out + offset[0], layout.stride[0][0], in + offset[1], layout.stride[1][0], count);
  });
}

// Elements of 4 and 8 bytes move as floats and doubles, which loads and stores leave as they are.
void copy(const Team& team, std::byte* out, const std::byte* in, Layout<2> layout, Index item) {
  switch (item) {
    case 1:
      return copy_items<std::uint8_t>(team, out, in, layout);
    case 2:
      return copy_items<std::uint16_t>(team, out, in, layout);
    case 4:
      return copy_items<float>(team, out, in, layout);
    case 8:
      return copy_items<double>(team, out, in, layout);
    default:
      return;
  }
}

}  // namespace

extern const ShapeKernels shape_kernels;
constinit const ShapeKernels shape_kernels{.copy = copy};

}  // namespace nnative::NNATIVE_ISA
