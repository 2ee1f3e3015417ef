// The register tile of the matrix product: R rows of A by V vectors of B, held in registers over all steps of a block.
#pragma once

#include <cstdint>

#include "kernels/vector.hpp"

namespace nnative {
namespace {

enum class Order { rows, columns };

// Columns of B that one full panel holds.
template <class T>
constexpr Index kPanel = tuning::kTileVectors * kWidth<T>;

// Rows of A: element (r, s) is data[r·row + s·step]. One of these distances is 1, or kTileRows rows lie in strips of
// kStrip steps: all rows of a strip one after the other, then those of the next.
enum class Layout { unit_row, unit_step, strips };
constexpr Index kStrip = 16;

template <class T>
struct TileRows {
  const T* data;
  Index row, step;
  Layout layout = step == 1 && row != 1 ? Layout::unit_step : Layout::unit_row;
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
  const T* addend = nullptr;  // (I,J) in whole panels, `addend_row` apart; added to C
  Index addend_row = 0;
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

// Columns of C that lie at least so many bytes apart are called before they are written; nearer ones are small.
constexpr Index kFarApart = 2048;

// Which of all steps a tile has: its sums begin with zero at the first of them and with C otherwise; after the last
// come bias and epilogue.
struct Stage {
  bool first, last;
};

// Memory that is needed later: a tile calls one line of it into the second-level cache at each of its steps, `step`
// bytes from the line before. Any address will do, also one that is not there.
struct Ahead {
  std::uintptr_t at;
  Index step;
};

// What a whole tile copies for later, some vectors at a step, while its multiply-adds leave loads and stores idle:
// steps of a panel of B, or kTileRows rows of A to strips.
enum class Carries { nothing, panel, strips };

// From where, with the distance of steps or rows, and to where; nothing where `from` is null. Of a panel a step is
// carried at every so many of the tile's: several tiles carry it in parts, since all at once would wait for memory.
template <class T>
struct Carry {
  const T* from = nullptr;
  Index step = 0;
  T* to = nullptr;
  Index every = 1;
};

// Whether a panel does not stay in the first-level cache, so that tiles call it on the way: the second level answers
// late where other programs use it too.
template <class T>
constexpr bool far(Index steps) {
  return tuning::kPanelNear > 0 && steps * kPanel<T> * static_cast<Index>(sizeof(T)) > 16384;
}

// One tile, of rows from i on: its sums plus Σ_s a(r,s) · panel(s). A row of it is V vectors, of which the last is a
// Last. `columns` of the panel are real.
template <class T, int R, int V, class Last, Layout kLayout, bool kFar = false, Carries kCarries = Carries::nothing>
[[gnu::always_inline]] inline void tile(const TileRows<T>& a, const Panel<T>& b, Index steps, const Output<T>& out,
                                        Index i, Index j, Index columns, const Stage& stage, const Ahead& ahead,
                                        const Carry<T>& carry = {}) {
  constexpr int W = kWidth<T>, kFull = (V - 1) * W, kColumns = kFull + sizeof(Last) / sizeof(T);
  const Index edge = columns - kFull;  // the last vector alone has an edge
  Vector<T> full[R][V] = {};
  Last last[R] = {};
  // f(sums, number of their row, their first column, how many of them are real: a constant where all are)
  const auto each = [&](auto f) __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < V - 1; ++v) f(full[r][v], r, v * W, std::integral_constant<Index, W>{});
      f(last[r], r, kFull, edge);
    }
  };
  // f(sums, where they are in rows that lie `step` apart, how many of them are real as above)
  const auto each_in = [&](auto* row, Index step, auto f) __attribute__((always_inline)) {
    int before = 0;
    each([&](auto& sum, int r, int column, auto real) __attribute__((always_inline)) {
      if (r != before) row = opaque(row + step);
      before = r;
      f(sum, row + column, real);
    });
  };
  const Index c_row = out.c_row;
  T* c = out.order == Order::rows ? out.c + i * c_row + j : out.c + j * c_row + i;
  T apart[(R + W - 1) / W * W * kPanel<T>];  // on the way to or from C; whole squares of it are read
  if (!stage.first) {
    load_tile(apart, c, c_row, out.order, R, columns);
    each_in(apart, kPanel<T>, []<class S>(S& sum, const T* from, Index) { sum = load<T, S>(from); });
  }
  if (out.order == Order::rows) {
    T* row = c;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r, row = opaque(row + c_row)) __builtin_prefetch(row, 1);
  } else if (c_row * Index{sizeof(T)} >= kFarApart) {
    for (Index column = 0; column < columns; ++column) __builtin_prefetch(c + column * c_row + R - 1, 1);
  }
  const Index a_row = kLayout == Layout::unit_row ? 1 : kLayout == Layout::strips ? kStrip : a.row;
  static_assert(R <= kStrip && kStrip % W == 0);
  // Every third row, since twelve offsets from one pointer do not fit into the registers unless they are constants.
  constexpr int kGroup = kLayout == Layout::strips ? R : 3, kGroups = (R + kGroup - 1) / kGroup;
  const T* data[kGroups];
#pragma GCC unroll 4
  for (int q = 0; q < kGroups; ++q) data[q] = a.data + kGroup * q * a_row;
  const T* panel = b.data;
  [[maybe_unused]] const auto panel_ahead = static_cast<std::uintptr_t>(tuning::kPanelNear * b.step) * sizeof(T);
  std::uintptr_t later = ahead.at;
  const auto later_step = static_cast<std::uintptr_t>(ahead.step);
  const auto step = [&]() __attribute__((always_inline)) {
    Vector<T> lanes[V];
#pragma GCC unroll 4
    for (int v = 0; v < V - 1; ++v) lanes[v] = load(panel + v * W);
    const Last last_lanes = load<T, Last>(panel + kFull);
    if constexpr (kFar) {
      const auto near = reinterpret_cast<std::uintptr_t>(panel) + panel_ahead;
#pragma GCC unroll 4
      for (unsigned v = 0; v < V; ++v)
        __builtin_prefetch(reinterpret_cast<const void*>(near + v * sizeof(Vector<T>)), 0, 3);
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vector<T> x = broadcast(data[r / kGroup][r % kGroup * a_row]);
#pragma GCC unroll 4
      for (int v = 0; v < V - 1; ++v) full[r][v] = fma<T>(x, lanes[v], full[r][v]);
      last[r] = fma<T>(narrowed<T, Last>(x), last_lanes, last[r]);
    }
#pragma GCC unroll 4
    for (int q = 0; q < kGroups; ++q) data[q] += kLayout == Layout::unit_row ? a.step : 1;
    panel += b.step;
    __builtin_prefetch(reinterpret_cast<const void*>(later), 0, 2);
    later += later_step;
  };
  // Some vectors of what is carried; the memory so many elements further is called.
  const auto copy = [](T* to, const T* from, int vectors, Index further) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const auto at = reinterpret_cast<std::uintptr_t>(from + v * W) + static_cast<std::uintptr_t>(further) * sizeof(T);
      __builtin_prefetch(reinterpret_cast<const void*>(at), 0, 2);
      store(to + v * W, load(from + v * W));
    }
  };
  constexpr Index kAnswer = 32;  // steps that memory needs to answer
  [[maybe_unused]] const T* source = carry.from;
  [[maybe_unused]] T* target = carry.to;
  if constexpr (kCarries == Carries::panel) {
    const Index far = tuning::kPanelAhead / carry.every * carry.step;
    for (Index s = 0; s < steps;) {
      const Index end = kLayout == Layout::strips ? s + kStrip : steps;
      for (; s < end; s += carry.every, source += carry.step, target += kPanel<T>) {
        step();
        copy(target, source, tuning::kTileVectors, far);
        for (Index idle = 1; idle < carry.every; ++idle) step();
      }
      if (kLayout == Layout::strips) data[0] += (R - 1) * kStrip;
    }
  } else if constexpr (kLayout == Layout::strips) {
    for (Index s = 0; s < steps; s += kStrip, data[0] += (R - 1) * kStrip) {
      int k = 0;
      if constexpr (kCarries == Carries::strips) {
        for (; k < R; ++k, source += carry.step, target += kStrip) {
          step();
          copy(target, source, kStrip / W, kAnswer);
        }
        source += kStrip - R * carry.step;
      }
      for (; k < kStrip; ++k) step();
    }
  } else {
    for (Index s = 0; s < steps; ++s) step();
  }
  if (stage.last && out.addend != nullptr) {
    each_in(out.addend + i * out.addend_row + j, out.addend_row,
            []<class S>(S& sum, const T* from, Index) { sum += load<T, S>(from); });
  }
  if (stage.last && out.bias_i != nullptr) each([&](auto& sum, int r, int, Index) { sum += out.bias_i[i + r]; });
  if (stage.last && out.bias_j != nullptr) {
    const T* bias = out.bias_j + j;
    each([&]<class S>(S& sum, int, int column, Index real) { sum += load_partial<T, S>(bias + column, real); });
  }
  if (stage.last && out.relu) each([]<class S>(S& sum, int, int, Index) { sum = sum <= T{0} ? S{} : sum; });
  if (stage.last && out.gate != nullptr) {
    each_in(out.gate + i * c_row + j, c_row, []<class S>(S& sum, const T* gate, Index real) {
      sum = load_partial<T, S>(gate, real) <= T{0} ? S{} : sum;
    });
  }
  if (out.order == Order::columns) {
    each_in(apart, kPanel<T>, [](auto& sum, T* to, Index) { store(to, sum); });
    store_columns<T, R>(c, c_row, apart, columns);
  } else if (columns == kColumns) {
    each_in(c, c_row, [](auto& sum, T* to, Index) { store(to, sum); });
  } else {
    each_in(c, c_row, []<class Real>(auto& sum, T* to, Real real) {
      if constexpr (std::is_same_v<Real, Index>) {
        store_partial(to, sum, real);
      } else {
        store(to, sum);
      }
    });
  }
}

// So many of them, one below the other: what a tile begins with is computed once.
template <class T, int R, int V, class Last, Layout kLayout, bool kFar = false>
void tiles_of(const TileRows<T>& first, const Panel<T>& b, Index steps, const Output<T>& out, Index i, Index j,
              Index columns, const Stage& stage, const Ahead& ahead, Index tiles) {
  TileRows<T> a = first;
  for (; tiles > 0; --tiles, i += R, a.data += R * a.row)
    tile<T, R, V, Last, kLayout, kFar>(a, b, steps, out, i, j, columns, stage, ahead);
}

// A whole tile that carries.
template <class T, Layout kLayout, Carries kCarries>
__attribute__((noinline)) void carrying_tile(const TileRows<T>& a, const Panel<T>& b, Index steps, const Output<T>& out,
                                             Index i, Index j, const Stage& stage, const Ahead& ahead,
                                             const Carry<T>& carry) {
  constexpr bool kFar = tuning::kPanelNear > 0;  // small products carry nothing
  tile<T, tuning::kTileRows, tuning::kTileVectors, Vector<T>, kLayout, kFar, kCarries>(a, b, steps, out, i, j,
                                                                                       kPanel<T>, stage, ahead, carry);
}

template <class T>
using CarryingTile = void (*)(const TileRows<T>&, const Panel<T>&, Index, const Output<T>&, Index, Index, const Stage&,
                              const Ahead&, const Carry<T>&);

template <class T>
using Tile = void (*)(const TileRows<T>&, const Panel<T>&, Index, const Output<T>&, Index, Index, Index, const Stage&,
                      const Ahead&, Index);

// tiles[r - 1] has r rows.
template <class T, int V, class Last, Layout kLayout, class = std::make_integer_sequence<int, tuning::kTileRows>>
struct Tiles;
template <class T, int V, class Last, Layout kLayout, int... R>
struct Tiles<T, V, Last, kLayout, std::integer_sequence<int, R...>> {
  static constexpr Tile<T> tiles[] = {tiles_of<T, R + 1, V, Last, kLayout>...};
};

// Vectors of a panel of two narrow vectors.
template <class T>
constexpr int kVectorsOfTwo = kNarrowWidth<T> < kWidth<T> ? 1 : 2;

// By the width of a panel in narrow vectors, less one.
template <class T, Layout kLayout>
constexpr const Tile<T>* kTilesByWidth[] = {
    Tiles<T, 1, Narrow<T>, kLayout>::tiles,
    Tiles<T, kVectorsOfTwo<T>, Vector<T>, kLayout>::tiles,
    Tiles<T, 2, Narrow<T>, kLayout>::tiles,
    Tiles<T, 2, Vector<T>, kLayout>::tiles,
};

template <class T>
constexpr Tile<T> kTilesInStrips[] = {
    tiles_of<T, tuning::kTileRows, 1, Narrow<T>, Layout::strips>,
    tiles_of<T, tuning::kTileRows, kVectorsOfTwo<T>, Vector<T>, Layout::strips>,
    tiles_of<T, tuning::kTileRows, 2, Narrow<T>, Layout::strips>,
    tiles_of<T, tuning::kTileRows, 2, Vector<T>, Layout::strips>,
};

// Whole tiles of a whole panel that is far away.
template <class T, Layout kLayout>
constexpr Tile<T> kFarTile =
    tiles_of<T, tuning::kTileRows, tuning::kTileVectors, Vector<T>, kLayout, (tuning::kPanelNear > 0)>;

// Any number of rows; kTileRows in strips.
template <class T>
void run_tiles(const TileRows<T>& a, Index rows, const Panel<T>& b, Index steps, const Output<T>& out, Index i, Index j,
               Index columns, const Stage& stage, const Ahead& ahead) {
  constexpr Index R = tuning::kTileRows;
  const Index width = (columns - 1) / kNarrowWidth<T>;
  const bool calls = far<T>(steps) && columns == kPanel<T>;
  if (a.layout == Layout::strips) {
    const Tile<T> its = calls ? kFarTile<T, Layout::strips> : kTilesInStrips<T>[width];
    return its(a, b, steps, out, i, j, columns, stage, ahead, 1);
  }
  const Tile<T>* tiles =
      (a.layout == Layout::unit_step ? kTilesByWidth<T, Layout::unit_step> : kTilesByWidth<T, Layout::unit_row>)[width];
  if (rows < R) return tiles[rows - 1](a, b, steps, out, i, j, columns, stage, ahead, 1);
  const Index whole = rows / R, rest = rows % R;
  const Tile<T> far_tile =
      a.layout == Layout::unit_step ? kFarTile<T, Layout::unit_step> : kFarTile<T, Layout::unit_row>;
  (calls ? far_tile : tiles[R - 1])(a, b, steps, out, i, j, columns, stage, ahead, whole);
  if (rest == 0) return;
  const TileRows<T> last{a.data + whole * R * a.row, a.row, a.step, a.layout};
  tiles[rest - 1](last, b, steps, out, i + whole * R, j, columns, stage, ahead, 1);
}

}  // namespace
}  // namespace nnative
