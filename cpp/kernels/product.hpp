// The matrix product behind every kernel of the linear family: C (I,J) = Σ_p A(i,p) · B(p,j), blocked, packed,
// register-tiled.
//
// Each output is one chain of fused multiply-adds over p = 0 … P-1, whatever the blocking: a later block of p continues
// from what the block before it left in C. So neither tile sizes nor threads nor the instruction set change a bit.
//
// A tile of kTileRows rows of A, read element by element, meets a panel of kTileVectors vectors of B, packed so that
// the steps p follow each other in memory.
#pragma once

#include "kernels/pack.hpp"

namespace nnative {
namespace {

// A member's memory for multiply_block.
template <class T>
struct Workspace {
  T* aside;          // tiles put aside: R rows of the columns of a block
  T* rows;           // copied rows of A, R of them in each piece
  Index next_piece;  // elements from one to the next; 0 where all take turns in one
  bool copied;       // they are there from the block of columns before
};

// Rows × columns of C for the steps of one block.
template <class T>
void multiply_block(const Product<T>& g, const T* packed, const Workspace<T>& work, Range rows, Range columns, Index p,
                    Index steps) {
  constexpr Index R = tuning::kTileRows;
  const Index parts = ceil_div(rows.end - rows.begin, R), rounds = max<Index>(1, ceil_div(steps, tuning::kTileSteps));
  for (Index part = 0; part < parts; ++part) {
    const Index i = rows.begin + part * R, count = min<Index>(R, rows.end - i);
    for (Index round = 0; round < rounds; ++round) {
      const bool first = round == 0, last = round + 1 == rounds;
      const Index s = first ? 0 : steps * round / rounds, end = last ? steps : steps * (round + 1) / rounds;
      T* copy = work.rows + part * work.next_piece + R * (s + round * kWidth<T>);
      const TileRows<T> a = prepare_a(g, copy, work.copied, i, count, p + s, end - s);
      for (Index j = columns.begin; j < columns.end; j += kPanel<T>) {
        const Index width = min(kPanel<T>, g.J - j);
        T* own = work.aside + (j - columns.begin) * R;
        const Panel<T> panel = panel_of(g, packed, j, p, steps);
        run_tile(a, count, {panel.data + s * panel.step, panel.step}, end - s, g.out, i, j, width,
                 Stage<T>{first ? nullptr : own, last ? nullptr : own, first && p == 0, last && p + steps == g.P});
      }
    }
  }
}

// Elements of a copied piece of A, R rows.
inline Index piece_size(const Blocking& block, Index width) {
  return tuning::kTileRows * (block.steps + max<Index>(1, ceil_div(block.steps, tuning::kTileSteps)) * width);
}

// Pieces of A that are kept: all, if several blocks of columns meet them.
template <class T>
Index kept_pieces(const Product<T>& g, const Blocking& block) {
  return g.J > block.columns && copies_a(g) ? ceil_div(g.I, tuning::kTileRows) : 1;
}

// The member's memory begins with the workspace; what follows it is for its own block of B.
template <class T>
Workspace<T> workspace(const Team& team, const Product<T>& g, const Blocking& block) {
  T* own = static_cast<T*>(team.own);
  const Index next_piece = kept_pieces(g, block) > 1 ? piece_size(block, kWidth<T>) : 0;
  return {own, own + tuning::kTileRows * block.columns, next_piece, false};
}
template <class T>
Index workspace_size(const Product<T>& g, const Blocking& block) {
  return tuning::kTileRows * block.columns + kept_pieces(g, block) * piece_size(block, kWidth<T>);
}

// Whether members divide the columns, in multiples of `grain` and each with panels of its own that stay in its cache,
// rather than the rows, with panels that they share: when a panel or more and the same number of vectors falls to each,
// or the rows are too few. Where B is larger than A, reading what another core packed costs more than some imbalance.
template <class T>
bool by_columns(const Team& team, const Product<T>& g, Index grain) {
  if (team.size == 1) return true;
  const Index all = padded_columns<T>(g.J), most = min(all, round_up(ceil_div(g.J, Index{team.size}), grain));
  const Index even = g.J > g.I ? 8 : 32;
  const bool balanced = even * most * team.size <= (even + 1) * all && most >= kPanel<T>;
  return balanced || g.I < team.size * tuning::kTileRows;
}

// The product's columns [columns.begin, columns.end) as a product of their own.
template <class T>
Product<T> columns_of(Product<T> g, Range columns) {
  const Index j = columns.begin;
  g.J = columns.end - j;
  g.b += g.b_order == Order::rows ? j : j * g.b_row;
  g.out.c += g.out.order == Order::rows ? j : j * g.out.c_row;
  if (g.out.bias_j != nullptr) g.out.bias_j += j;
  if (g.out.gate != nullptr) g.out.gate += j;
  return g;
}

// From panels that were packed once.
template <class T>
void multiply_packed(const Team& team, const Product<T>& g) {
  const bool apart = by_columns(team, g, kPanel<T>);
  const Range rows = apart ? Range{0, g.I} : share(team, g.I);
  const Range columns = apart ? share(team, g.J, kPanel<T>) : Range{0, g.J};
  const Blocking block = blocking(g);
  Workspace<T> work = workspace(team, g, block);
  for (Index p = 0; p == 0 || p < g.P; p += max<Index>(1, block.steps)) {
    const Index steps = min(block.steps, g.P - p);
    for (Index j = columns.begin; j < columns.end; j += block.columns) {
      work.copied = work.next_piece > 0 && j > columns.begin;
      multiply_block(g, g.packed + p * padded_columns<T>(g.J), work, rows, {j, min(j + block.columns, columns.end)}, p,
                     steps);
    }
  }
}

template <class T>
void multiply(const Team& team, const Product<T>& g) {
  if (g.I == 0 || g.J == 0) return;
  if (g.packed != nullptr) return multiply_packed(team, g);
  if (team.size > 1 && by_columns(team, g, kNarrowWidth<T>)) {
    const Team alone{0, 1, nullptr, team.own, nullptr};
    return multiply(alone, columns_of(g, share(team, g.J, kNarrowWidth<T>)));
  }
  const Range rows = share(team, g.I);
  const Blocking block = blocking(g);
  Workspace<T> work = workspace(team, g, block);
  T* panels = team.size == 1 ? static_cast<T*>(team.own) + workspace_size(g, block) : static_cast<T*>(team.shared);
  for (Index p = 0; p == 0 || p < g.P; p += max<Index>(1, block.steps)) {
    const Index steps = min(block.steps, g.P - p);
    for (Index j = 0; j < g.J; j += block.columns) {
      const Range together{j, min(j + block.columns, g.J)}, mine = share(team, together.end - j, kPanel<T>);
      T* packed = panels - j * steps;
      barrier(team);  // until all are done with the block before
      pack_b(g, packed, {j + mine.begin, j + mine.end}, p, steps);
      barrier(team);
      work.copied = work.next_piece > 0 && j > 0;
      multiply_block(g, packed, work, rows, together, p, steps);
    }
  }
}

// Enough for this product and for any part of its rows or columns.
template <class T>
Scratch multiply_scratch(const Product<T>& g) {
  const Blocking block = blocking(g);
  const Index panels = max<Index>(1, block.steps) * block.columns;
  return {.shared = sizeof(T) * static_cast<std::size_t>(panels),
          .own = sizeof(T) * static_cast<std::size_t>(panels + workspace_size(g, block))};
}

}  // namespace
}  // namespace nnative
