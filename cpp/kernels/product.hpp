// The matrix product behind every kernel of the linear family: C (I,J) = Σ_p A(i,p) · B(p,j), blocked, packed,
// register-tiled.
//
// Each output is one chain of fused multiply-adds over p = 0 … P-1, whatever the blocking: a later block of p continues
// from what the block before it left in C. So neither tile sizes nor threads nor the instruction set change a bit.
//
// A tile of kTileRows rows of A, read element by element, meets a panel of kTileVectors vectors of B, packed so that
// the steps p follow each other in memory.
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

// Steps p of one block, and the columns of B that are packed and walked together for them: as many panels as half of
// the second-level cache holds.
template <class T>
Index block_steps(const Product<T>& g) {
  return min<Index>(g.P, tuning::kBlockSteps);
}
template <class T>
Index block_columns(const Product<T>& g) {
  const Index panel_bytes = max<Index>(1, block_steps(g)) * kPanel<T> * static_cast<Index>(sizeof(T));
  return kPanel<T> * max<Index>(1, tuning::kBlockBytes / panel_bytes);
}

template <class T>
constexpr Index panel_width(Index columns) {
  return columns <= kWidth<T> ? kWidth<T> : kPanel<T>;
}

// One panel (steps, width) from fewer columns of B in order of rows, zero beyond them.
template <class T>
void pack_partial(T* panel, const T* b, Index b_row, Index steps, Index columns, Index width) {
  constexpr int W = kWidth<T>;
  const Index edge = columns - (width - W);
  for (Index p = 0; p < steps; ++p, b += b_row, panel += width) {
    for (Index v = 0; v < width - W; v += W) store(panel + v, load(b + v));
    store(panel + width - W, load_partial(b + width - W, edge));
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

// The same from columns of B, each contiguous: squares of W×W elements are transposed in registers.
template <class T>
void pack_columns(T* panel, const T* b, Index b_row, Index steps, Index columns, Index width) {
  constexpr int W = kWidth<T>;
  for (Index j = 0; j < width; j += W) {
    const Index rows = min<Index>(W, columns - j);
    for (Index p = 0; p < steps; p += W) {
      const Index count = min<Index>(W, steps - p);
      Vector<T> square[W];
      if (rows == W && count == W) {
        load_transposed(square, b + j * b_row + p, b_row);
      } else {
        for (int l = 0; l < W; ++l) square[l] = l < rows ? load_partial(b + (j + l) * b_row + p, count) : Vector<T>{};
        transpose<T>(square);
      }
      for (Index l = 0; l < count; ++l) store(panel + (p + l) * width + j, square[l]);
    }
  }
}

// Whether full panels are read where they lie: too few rows of A use them to repay a copy.
template <class T>
bool in_place(const Product<T>& g) {
  return g.b_order == Order::rows && g.I <= 2 * tuning::kTileRows;
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

// Rows [i, i + rows) of A for steps [p, p + steps) in the order in which the tile reads them; copied to `buffer` where
// they lie apart.
template <class T>
TileRows<T> prepare_a(const Product<T>& g, T* buffer, Index i, Index rows, Index p, Index steps) {
  const T* a = g.a + i * g.a_row + p * g.a_step;
  if (g.a_step != 1) {
    constexpr Index R = tuning::kTileRows;
    if (rows == R) {
      for (Index s = 0; s < steps; ++s) std::memcpy(buffer + s * R, a + s * g.a_step, R * sizeof(T));
    } else {
      for (Index s = 0; s < steps; ++s) {
        for (Index r = 0; r < rows; ++r) buffer[s * rows + r] = a[s * g.a_step + r];
      }
    }
    return {buffer, 1, rows};
  }
  // Rows a multiple of 4 KiB apart share a set of the first-level cache and would evict each other.
  if (rows > 4 && g.a_row * static_cast<Index>(sizeof(T)) % 4096 == 0) {
    const Index stride = steps + kWidth<T>;
    for (Index r = 0; r < rows; ++r)
      std::memcpy(buffer + r * stride, a + r * g.a_row, static_cast<std::size_t>(steps) * sizeof(T));
    return {buffer, stride, 1};
  }
  return {a, g.a_row, 1};
}

template <class T>
Panel<T> panel_of(const Product<T>& g, const T* packed, Index j, Index p, Index steps) {
  if (in_place(g) && j + kPanel<T> <= g.J) return {g.b + p * g.b_row + j, g.b_row};
  return {packed + j * steps, panel_width<T>(g.J - j)};
}

// Rows × columns of C for the steps of one block.
template <class T>
void multiply_block(const Product<T>& g, const T* packed, T* buffer, Range rows, Range columns, Index p, Index steps) {
  for (Index i = rows.begin; i < rows.end; i += tuning::kTileRows) {
    const Index count = min<Index>(tuning::kTileRows, rows.end - i);
    const TileRows<T> a = prepare_a(g, buffer, i, count, p, steps);
    for (Index j = columns.begin; j < columns.end; j += kPanel<T>) {
      const Index width = min(kPanel<T>, g.J - j);
      run_tile(a, count, panel_of(g, packed, j, p, steps), steps, g.out, i, j, width, p == 0, p + steps == g.P);
    }
  }
}

// Whether members divide the columns, each with panels of its own that stay in its cache, rather than the rows, with
// panels that they share: when that gives them the same number of vectors, or the rows are too few.
template <class T>
bool by_columns(const Team& team, const Product<T>& g) {
  const Index all = round_up(g.J, Index{kWidth<T>});
  const Index most = min(all, ceil_div(ceil_div(g.J, kPanel<T>), Index{team.size}) * kPanel<T>);
  return 32 * most * team.size <= 33 * all || g.I < team.size * tuning::kTileRows;
}

// Columns of B that its panels have room for.
template <class T>
Index padded_columns(Index J) {
  const Index whole = J / kPanel<T> * kPanel<T>;
  return whole + (J > whole ? panel_width<T>(J - whole) : 0);
}

template <class T>
void pack_all(const Product<T>& g, T* packed) {
  for (Index p = 0; p < g.P; p += block_steps(g))
    pack_b(g, packed + p * padded_columns<T>(g.J), {0, g.J}, p, min(block_steps(g), g.P - p));
}

template <class T>
void multiply_packed(const Team& team, const Product<T>& g) {
  const bool apart = by_columns(team, g);
  const Range rows = apart ? Range{0, g.I} : share(team, g.I);
  const Range columns = apart ? share(team, g.J, kPanel<T>) : Range{0, g.J};
  for (Index p = 0; p == 0 || p < g.P; p += max<Index>(1, block_steps(g))) {
    const Index steps = min(block_steps(g), g.P - p);
    for (Index j = columns.begin; j < columns.end; j += block_columns(g))
      multiply_block(g, g.packed + p * padded_columns<T>(g.J), static_cast<T*>(team.own), rows,
                     {j, min(j + block_columns(g), columns.end)}, p, steps);
  }
}

template <class T>
void multiply(const Team& team, const Product<T>& g) {
  if (g.I == 0 || g.J == 0) return;
  if (g.packed != nullptr) return multiply_packed(team, g);
  const bool apart = by_columns(team, g);
  const Range rows = apart ? Range{0, g.I} : share(team, g.I);
  const Range columns = apart ? share(team, g.J, kPanel<T>) : Range{0, g.J};
  T* buffer = static_cast<T*>(team.own);
  T* block = apart ? buffer + tuning::kTileRows * (block_steps(g) + kWidth<T>) : static_cast<T*>(team.shared);
  for (Index p = 0; p == 0 || p < g.P; p += max<Index>(1, block_steps(g))) {
    const Index steps = min(block_steps(g), g.P - p);
    for (Index jb = columns.begin; jb < columns.end; jb += block_columns(g)) {
      const Range together{jb, min(jb + block_columns(g), columns.end)};
      T* packed = block - jb * steps;
      if (apart) {
        pack_b(g, packed, together, p, steps);
      } else {
        const Range mine = share(team, together.end - jb, kPanel<T>);
        barrier(team);  // until all are done with the block before
        pack_b(g, packed, {jb + mine.begin, jb + mine.end}, p, steps);
        barrier(team);
      }
      multiply_block(g, packed, buffer, rows, together, p, steps);
    }
  }
}

// Scratch of any product with at most J columns and P steps.
template <class T>
Scratch multiply_scratch(Index J, Index P) {
  const Index steps = max<Index>(1, min<Index>(P, tuning::kBlockSteps));
  const Index most = max<Index>(tuning::kBlockBytes / static_cast<Index>(sizeof(T)), steps * kPanel<T>);
  const Index block = min(most, steps * round_up(J, kPanel<T>));
  return {.shared = sizeof(T) * static_cast<std::size_t>(block),
          .own = sizeof(T) * static_cast<std::size_t>(block + tuning::kTileRows * (steps + kWidth<T>))};
}

}  // namespace
}  // namespace nnative
