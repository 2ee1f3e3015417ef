// How operands of the matrix product are laid out for its tiles: blocks of B as panels, rows of A where they lie apart.
#pragma once

#include "kernels/tile.hpp"

namespace nnative {
namespace {

template <class T>
struct Product {
  Index I, J, P;
  const T* a;  // A(i,p) = a[i·a_row + p·a_step], one of the strides being 1
  Index a_row, a_step;
  const T* b;  // B(p,j) = b[p·b_row + j] in order of rows, b[j·b_row + p] in order of columns
  Index b_row;
  Order b_order;
  Output<T> out;
  const T* packed = nullptr;  // all panels of B, block of steps by block of steps, in place of b
};

// Steps p of one block, and the columns of B that are packed and walked together for them: all of them where half of
// the second-level cache holds their panels, else as many as a quarter of it holds, beside what comes next.
struct Blocking {
  Index steps, columns;
};

template <class T>
constexpr bool in_one_block(Index steps, Index columns) {
  return steps <= tuning::kBlockSteps &&
         max<Index>(1, steps) * columns * static_cast<Index>(sizeof(T)) <= 2 * tuning::kBlockBytes;
}

template <class T>
Blocking blocking(const Product<T>& g) {
  // Blocks of at most kBlockSteps, all of nearly one size. Most products are one block and need no division.
  Index steps = g.P, columns = round_up(g.J, kPanel<T>);
  if (steps > tuning::kBlockSteps) steps = round_up(ceil_div(steps, ceil_div(steps, tuning::kBlockSteps)), 8);
  if (!in_one_block<T>(steps, columns)) {
    const Index panel_bytes = max<Index>(1, steps) * kPanel<T> * static_cast<Index>(sizeof(T));
    columns = kPanel<T> * max<Index>(1, tuning::kBlockBytes / panel_bytes);
  }
  return {steps, columns};
}

// Bytes that stay in the first-level cache beside what else a product reads, and in the second-level one.
constexpr Index kInCache = 24576, kInSecondCache = 262144;

// Whether rows so far apart share a set of the first-level cache, so that they evict each other.
template <class T>
constexpr bool collide(Index row) {
  return row * static_cast<Index>(sizeof(T)) % 4096 == 0;
}

// Columns that the panel at the beginning of so many has room for.
template <class T>
constexpr Index panel_width(Index columns) {
  return min(kPanel<T>, round_up(columns, Index{kNarrowWidth<T>}));
}

// One panel (steps, width) from fewer columns of B in order of rows, zero beyond them.
template <class T>
void pack_partial(T* panel, const T* b, Index b_row, Index steps, Index columns, Index width) {
  using N = Narrow<T>;
  const Index edge = width - kNarrowWidth<T>;
  for (Index p = 0; p < steps; ++p, b += b_row, panel += width) {
    for (Index v = 0; v < edge; v += kNarrowWidth<T>) store(panel + v, load<T, N>(b + v));
    store(panel + edge, load_partial<T, N>(b + edge, columns - edge));
  }
}

// `panels` full panels from B in order of rows, side by side: long pieces of the rows of B are read at a time.
template <class T>
void pack_rows(T* packed, const T* b, Index b_row, Index steps, Index panels) {
  constexpr int V = tuning::kTileVectors, W = kWidth<T>;
  for (Index p = 0; p < steps; ++p, b += b_row, packed += kPanel<T>) {
    for (Index q = 0; q < panels; ++q) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) store(packed + q * kPanel<T> * steps + v * W, load(b + q * kPanel<T> + v * W));
    }
  }
}

// The same as below, where fewer columns or steps than W are left.
template <class T, class Stored>
__attribute__((noinline)) void pack_partial_squares(T* panel, const T* b, Index b_row, Index steps, Index columns,
                                                    Index width) {
  constexpr Index W = kWidth<T>;
  for (Index p = 0; p < steps; p += W) {
    load_transposed_partial(b + p, b_row, columns, min(W, steps - p), [=](Index l, Vector<T> column) {
      store(panel + (p + l) * width, narrowed<T, Stored>(column));
    });
  }
}

// W columns of a panel, each stored as a Stored, from as many columns of B, each contiguous, or fewer. W steps at a
// time are transposed in registers as a square.
template <class T, class Stored>
void pack_squares(T* panel, const T* b, Index b_row, Index steps, Index columns, Index width) {
  constexpr int W = kWidth<T>;
  for (; columns == W && steps >= W; steps -= W, b += W, panel += W * width) {
    Vector<T> square[W];
    if (collide<T>(b_row)) {  // each row is read once, whole
      const T* row = b;
#pragma GCC unroll 16
      for (int l = 0; l < W; ++l, row = opaque(row + b_row)) square[l] = load(row);
      transpose<T>(square);
    } else {
      load_transposed(square, b, b_row);
    }
    T* to = panel;
#pragma GCC unroll 16
    for (int l = 0; l < W; ++l, to = opaque(to + width)) store(to, narrowed<T, Stored>(square[l]));
  }
  if (steps > 0) pack_partial_squares<T, Stored>(panel, b, b_row, steps, columns, width);
}

// One panel (steps, width) from columns of B, each contiguous. What is beyond the columns has no meaning.
template <class T>
void pack_columns(T* panel, const T* b, Index b_row, Index steps, Index columns, Index width) {
  constexpr Index W = kWidth<T>;
  for (Index j = 0; j < width; j += W) {
    const auto pack = j + W <= width ? pack_squares<T, Vector<T>> : pack_squares<T, Narrow<T>>;
    pack(panel + j, b + j * b_row, b_row, steps, min(W, columns - j), width);
  }
}

// Whether full panels are read where they lie: too few rows of A use them to repay a copy, or all rows of B stay in a
// cache as they are, in the second-level one if they do not crowd into a few sets of the first.
template <class T>
bool in_place(const Product<T>& g) {
  if (g.b_order != Order::rows) return false;
  const Index bytes = g.P * g.b_row * Index{sizeof(T)};
  return g.I <= 2 * tuning::kTileRows || bytes <= kInCache ||
         (bytes <= kInSecondCache && g.b_row * Index{sizeof(T)} % tuning::kCrowdedRows != 0);
}

// Packs the panels in columns [columns.begin, columns.end) of B for steps [p, p + steps); `packed` is where column 0
// would be.
template <class T>
void pack_b(const Product<T>& g, T* packed, Range columns, Index p, Index steps) {
  constexpr Index kSideBySide = 4;
  Index j = columns.begin;
  if (g.b_order == Order::columns) {
    for (; j < columns.end; j += kPanel<T>) {
      const Index count = min(kPanel<T>, g.J - j);
      pack_columns(packed + j * steps, g.b + j * g.b_row + p, g.b_row, steps, count, panel_width<T>(count));
    }
    return;
  }
  const Index whole = columns.begin + (columns.end - columns.begin) / kPanel<T> * kPanel<T>;
  if (in_place(g)) j = whole;
  for (; j < whole; j += kSideBySide * kPanel<T>) {
    const Index panels = min(kSideBySide, (whole - j) / kPanel<T>);
    pack_rows(packed + j * steps, g.b + p * g.b_row + j, g.b_row, steps, panels);
  }
  if (whole < columns.end) {
    const Index count = columns.end - whole;
    pack_partial(packed + whole * steps, g.b + p * g.b_row + whole, g.b_row, steps, count, panel_width<T>(count));
  }
}

// Whether rows of A are copied before a tile reads them: elements of a row lie apart and do not all fit into the
// first-level cache as they are, or rows collide in it.
template <class T>
bool copies_a(const Product<T>& g) {
  if (g.a_step != 1) return g.P * g.a_step * Index{sizeof(T)} > kInCache;
  return g.I > 4 && collide<T>(g.a_row);
}

// Of these the elements of a step lie together, not those of a row.
template <class T>
bool copies_pieces(const Product<T>& g) {
  return g.a_step != 1 && copies_a(g);
}

// Where A is copied, in pieces of kTileRows rows that take turns in so many places: all of them have one where several
// blocks of columns meet them; else two of rows that lie together, one while the other is in use, or as many of columns
// that lie together as stay in the second-level cache, since a line of A has parts of several pieces.
template <class T>
struct Copies {
  T* first;
  Index size;  // elements of a place
  Index places;
  bool made = false;  // they are there from the block of columns before

  T* piece(Index part) const { return first + part % places * size; }
};

template <class T>
Copies<T> copies_of(T* first, const Product<T>& g, const Blocking& block) {
  constexpr Index R = tuning::kTileRows;
  const Index size = R * (block.steps + kWidth<T>), all = ceil_div(g.I, R);
  if (!copies_a(g)) return {first, size, 0};
  const Index near = g.a_step == 1 ? 2 : max<Index>(1, tuning::kBlockBytes / 2 / (size * Index{sizeof(T)}));
  return {first, size, g.J > block.columns ? all : min(near, all)};
}

// Copies pieces, the first of which has row i of A, to the places from `part` on. Long parts of a few steps of A are
// read at a time, and of each piece several steps are written, since pieces lie on more pages than a core can write to
// at once.
template <class T>
void copy_pieces(const Product<T>& g, const Copies<T>& copies, Index part, Index i, Index rows, Index p, Index steps) {
  constexpr Index R = tuning::kTileRows, kTogether = 8;
  const Index whole = rows / R * R;
  const T* a = g.a + p * g.a_step + i;
  T* first = copies.piece(part);
  for (Index s = 0; s < steps; s += kTogether, a += kTogether * g.a_step, first += kTogether * R) {
    const Index together = min(kTogether, steps - s);
    T* piece = first;
    for (Index row = 0; row < whole; row += R, piece += copies.size) {
      for (Index t = 0; t < together; ++t) std::memcpy(piece + t * R, a + t * g.a_step + row, R * sizeof(T));
    }
    for (Index t = 0; t < together; ++t) {
      for (Index row = whole; row < rows; ++row) piece[t * R + row - whole] = a[t * g.a_step + row];
    }
  }
}

// Rows [i, i + rows) of A for steps [p, p + steps) in the order in which the tile reads them: those of piece number
// `part`, and others after it, where they are copied. Rows that lie together are copied here, unless a tile did.
template <class T>
TileRows<T> prepare_a(const Product<T>& g, const Copies<T>& copies, Index part, bool copied, Index i, Index rows,
                      Index p, Index steps) {
  constexpr Index R = tuning::kTileRows;
  const T* a = g.a + i * g.a_row + p * g.a_step;
  if (!copies_a(g)) return {a, g.a_row, g.a_step};
  T* buffer = copies.piece(part);
  if (g.a_step != 1) return {buffer, copies.size / R, R};
  if (rows == R && steps % kStrip == 0) {
    for (Index s = 0; s < steps && !copied; s += kStrip) {
      for (Index r = 0; r < rows; ++r)
        std::memcpy(buffer + s * rows + r * kStrip, a + r * g.a_row + s, kStrip * sizeof(T));
    }
    return {buffer, kStrip, 1, Layout::strips};
  }
  const Index stride = steps + kWidth<T>;
  for (Index r = 0; r < rows && !copied; ++r)
    std::memcpy(buffer + r * stride, a + r * g.a_row, static_cast<std::size_t>(steps) * sizeof(T));
  return {buffer, stride, 1};
}

// The panel at column j, packed or, where full ones are in place, as it lies.
template <class T>
Panel<T> panel_of(const Product<T>& g, bool as_it_lies, const T* packed, Index j, Index p, Index steps) {
  if (as_it_lies && j + kPanel<T> <= g.J) return {g.b + p * g.b_row + j, g.b_row};
  return {packed + j * steps, panel_width<T>(g.J - j)};
}

// Columns of B that its panels have room for.
template <class T>
Index padded_columns(Index J) {
  const Index whole = J / kPanel<T> * kPanel<T>;
  return whole + (J > whole ? panel_width<T>(J - whole) : 0);
}

template <class T>
void pack_all(const Product<T>& g, T* packed) {
  const Index steps = blocking(g).steps;
  for (Index p = 0; p < g.P; p += steps)
    pack_b(g, packed + p * padded_columns<T>(g.J), {0, g.J}, p, min(steps, g.P - p));
}

}  // namespace
}  // namespace nnative
