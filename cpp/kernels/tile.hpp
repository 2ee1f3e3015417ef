// The register tile of the matrix product: R rows of A by V vectors of B, held in registers over all steps of a block.
#pragma once

#include "kernels/vector.hpp"

namespace nnative {
namespace {

enum class Order { rows, columns };

// Columns of B that one full panel holds.
template <class T>
constexpr Index kPanel = tuning::kTileVectors * kWidth<T>;

// Rows of A: element (r, s) is data[r·row + s·step].
template <class T>
struct TileRows {
  const T* data;
  Index row, step;
};

// Vectors of B: step s is data[s·step …].
template <class T>
struct Panel {
  const T* data;
  Index step;
};

// Where C goes: C(i,j) = c[i·c_row + j] in order of rows, c[j·c_row + i] in order of columns; plus a bias, if any.
template <class T>
struct Output {
  T* c;
  Index c_row;
  Order order;
  const T* bias_i = nullptr;  // (I)
  const T* bias_j = nullptr;  // (J)
  bool relu = false;          // max(C, 0), NaN staying NaN
  const T* gate = nullptr;    // C is 0 where this, laid out like it in order of rows, is not positive
};

// A tile (rows of kPanel elements) to C in order of columns, by way of transposed squares. Not inlined, since every
// shape of tile ends in it.
template <class T, int R>
__attribute__((noinline)) void store_columns(T* c, Index c_row, const T* tile, Index columns) {
  constexpr int W = kWidth<T>;
  for (Index j = 0; j < columns; j += W) {
    for (int g = 0; g < R; g += W) {
      Vector<T> square[W];
      load_transposed(square, tile + g * kPanel<T> + j, kPanel<T>);
      const int rows = R - g < W ? R - g : W;
      const Index count = min<Index>(W, columns - j);
#pragma GCC unroll 16
      for (int l = 0; l < W; ++l) {
        if (l < count) {
          if (rows == W) {
            store(c + (j + l) * c_row + g, square[l]);
          } else {
            store_partial(c + (j + l) * c_row + g, square[l], rows);
          }
        }
      }
    }
  }
}

// A tile from C in either order; zero beyond its columns.
template <class T>
__attribute__((noinline)) void load_tile(T* tile, const T* c, Index c_row, Order order, Index rows, Index columns) {
  const Index row = order == Order::rows ? c_row : 1, column = order == Order::rows ? 1 : c_row;
  for (Index r = 0; r < rows; ++r) {
    for (Index j = 0; j < kPanel<T>; ++j) tile[r * kPanel<T> + j] = j < columns ? c[r * row + j * column] : T(0);
  }
}

// Where a tile's sums come from and go to: zero or C or a tile put aside, C or a tile put aside. The last steps of all
// add the bias and apply the epilogue.
template <class T>
struct Stage {
  const T* resume;  // (R, kPanel) or null
  T* suspend;       // (R, kPanel) or null
  bool first, last;
};

// One tile: acc (R, V·W) plus Σ_s a(r,s) · panel(s). `columns` of the panel are real.
template <class T, int R, int V, bool kUnitStep>
void tile(const TileRows<T>& a, const Panel<T>& b, Index steps, const Output<T>& out, Index i, Index j, Index columns,
          const Stage<T>& stage) {
  constexpr int W = kWidth<T>;
  T* c = out.order == Order::rows ? out.c + i * out.c_row + j : out.c + j * out.c_row + i;
  Vector<T> acc[R][V] = {};
  T apart[(R + W - 1) / W * W * kPanel<T>];  // on the way to or from C; whole squares of it are read
  const bool last = stage.last;
  if (!stage.first) {
    if (stage.resume == nullptr) load_tile(apart, c, out.c_row, out.order, R, columns);
    const T* from = stage.resume != nullptr ? stage.resume : apart;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = load(from + r * kPanel<T> + v * W);
  }
  if (out.order == Order::rows && stage.suspend == nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) __builtin_prefetch(c + r * out.c_row, 1);
  }
  const T* data = a.data;
  const T* panel = b.data;
  const Index a_row = kUnitStep ? a.row : 1;
  for (Index s = 0; s < steps; ++s) {
    Vector<T> lanes[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) lanes[v] = load(panel + v * W);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vector<T> x = broadcast(data[r * a_row]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = fma<T>(x, lanes[v], acc[r][v]);
    }
    data += kUnitStep ? 1 : a.step;
    panel += b.step;
  }
  if (stage.suspend != nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) store(stage.suspend + r * kPanel<T> + v * W, acc[r][v]);
    return;
  }
  if (last && out.bias_i != nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] += out.bias_i[i + r];
  }
  if (last && out.bias_j != nullptr) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const Vector<T> bias = load_partial(out.bias_j + j + v * W, min<Index>(W, columns - v * W));
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) acc[r][v] += bias;
    }
  }
  if (last && out.relu) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = acc[r][v] <= T{0} ? Vector<T>{} : acc[r][v];
  }
  if (last && out.gate != nullptr) {
    const T* gate = out.gate + i * out.c_row + j;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const Vector<T> open = load_partial(gate + r * out.c_row + v * W, min<Index>(W, columns - v * W));
        acc[r][v] = open <= T{0} ? Vector<T>{} : acc[r][v];
      }
  }
  const bool direct = out.order == Order::rows;
  if (direct && columns != V * W) {
    const Index edge = columns - (V - 1) * W;  // a panel's last vector alone has an edge
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < V - 1; ++v) store(c + r * out.c_row + v * W, acc[r][v]);
      store_partial(c + r * out.c_row + (V - 1) * W, acc[r][V - 1], edge);
    }
    return;
  }
  T* to = direct ? c : apart;
  const Index to_row = direct ? out.c_row : kPanel<T>;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(to + r * to_row + v * W, acc[r][v]);
  }
  if (!direct) store_columns<T, R>(c, out.c_row, apart, columns);
}

template <class T>
using Tile = void (*)(const TileRows<T>&, const Panel<T>&, Index, const Output<T>&, Index, Index, Index,
                      const Stage<T>&);

// tiles[r - 1] has r rows.
template <class T, int V, bool kUnitStep, class = std::make_integer_sequence<int, tuning::kTileRows>>
struct Tiles;
template <class T, int V, bool kUnitStep, int... R>
struct Tiles<T, V, kUnitStep, std::integer_sequence<int, R...>> {
  static constexpr Tile<T> tiles[] = {tile<T, R + 1, V, kUnitStep>...};
};

template <class T>
void run_tile(const TileRows<T>& a, Index rows, const Panel<T>& b, Index steps, const Output<T>& out, Index i, Index j,
              Index columns, const Stage<T>& stage) {
  const bool wide = columns > kWidth<T>;
  const Tile<T>* tiles = a.step == 1 && a.row != 1
                             ? (wide ? Tiles<T, tuning::kTileVectors, true>::tiles : Tiles<T, 1, true>::tiles)
                             : (wide ? Tiles<T, tuning::kTileVectors, false>::tiles : Tiles<T, 1, false>::tiles);
  tiles[rows - 1](a, b, steps, out, i, j, columns, stage);
}

}  // namespace
}  // namespace nnative
