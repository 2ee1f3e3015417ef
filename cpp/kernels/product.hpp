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

template <class T>
std::uintptr_t address(const T* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

// Memory that the tiles of a block, or of some of its rows, call for later: so many bytes further with each tile.
struct Calls {
  Ahead first{0, 0};
  Index further = 0, tiles = 0;

  // What tile number `tile` calls, or the address `idle`, which is near.
  Ahead of(Index tile, std::uintptr_t idle) const {
    if (tile >= tiles) return {idle, 0};
    return {first.at + static_cast<std::uintptr_t>(tile * further), first.step};
  }
};

// Calls of the columns of B that the member packs, or reads packed, next: each tile calls as many columns as a line
// holds, so that no tile is left for what comes after them. None where they lie apart.
template <class T>
Calls next_columns(const Product<T>& g, Range next, Index p, Index steps) {
  constexpr Index kLine = 64, kSize = sizeof(T), kShare = kLine / kSize;
  const Index j = next.begin, tiles = ceil_div(max(next.end - j, Index{0}), kShare);
  if (g.packed != nullptr)
    return {{address(g.packed + p * padded_columns<T>(g.J) + j * steps), kLine}, kLine * steps, tiles};
  if (g.b_order == Order::rows) return {{address(g.b + p * g.b_row + j), g.b_row * kSize}, kLine, tiles};
  if (g.b_row == steps) return {{address(g.b + j * g.b_row), kLine}, kLine * steps, tiles};
  return {};
}

// Calls of the rows of A from row i on, by one tile for each of so many panels, where they lie together or their copies
// are `made`.
template <class T>
Calls next_rows(const Product<T>& g, const Copies<T>& copies, bool made, Index part, Index i, Index steps,
                Index panels) {
  const Index step = ceil_div(tuning::kTileRows * Index{sizeof(T)}, panels);
  if (made) return {{address(copies.piece(part)), step}, steps * step, panels};
  if (g.a_step == 1 && g.a_row == steps) return {{address(g.a + i * g.a_row), step}, steps * step, panels};
  return {};
}

// Tiles that meet a panel one after the other. Where the panel stays in the first-level cache meanwhile, all whose rows
// are copied together, unless C is too large for that, or at least kTilesAtOnce; else as many as have their rows there
// for the next panel.
template <class T>
Index tiles_at_once(const Product<T>& g, Index steps) {
  constexpr Index R = tuning::kTileRows, kBytes = 16384;
  const Index bytes = max<Index>(1, steps) * Index{sizeof(T)};
  const bool stays = bytes * kPanel<T> <= kBytes;
  const bool near = g.I * g.J * Index{sizeof(T)} <= tuning::kTogetherBytes;
  if (copies_a(g)) return copies_pieces(g) && stays && near ? ceil_div(g.I, R) : 1;
  return max<Index>(stays ? tuning::kTilesAtOnce : 1, kBytes / bytes / R);
}

// Whether tiles pack for the next block: where B is copied as it is, and not by tiles that would follow each other.
template <class T>
bool carries(const Product<T>& g, Index steps) {
  const bool apart = copies_a(g) || tiles_at_once(g, steps) == 1;
  return tuning::kCarries && g.b_order == Order::rows && !in_place(g) && apart;
}

// Columns of B, whole panels of it, that the tiles of the block before pack, 2^shift of them each panel; `packed` is
// where column 0 would be.
template <class T>
struct Carried {
  Range columns{0, 0};
  T* packed = nullptr;
  int shift = 0;

  Index tiles() const { return (columns.end - columns.begin) / kPanel<T> << shift; }
};

// As many of the `next` columns as the whole tiles of so many rows and columns can carry, in as small parts as they
// can.
template <class T>
Carried<T> carried_of(Range rows, Range columns, Range next, T* packed, Index steps) {
  const Index tiles = (rows.end - rows.begin) / tuning::kTileRows * ((columns.end - columns.begin) / kPanel<T>);
  const Index panels = min((next.end - next.begin) / kPanel<T>, tiles);
  int shift = 0;
  while (shift < 3 && panels << (shift + 1) <= tiles && steps % (Index{2} << shift) == 0) ++shift;
  return {{next.begin, next.begin + panels * kPanel<T>}, packed, shift};
}

// What tile number `index` carries of them.
template <class T>
Carry<T> carry_columns(const Product<T>& g, const Carried<T>& carried, Index p, Index steps, Index index) {
  if (index >= carried.tiles()) return {};
  const Index tiles = Index{1} << carried.shift, j = carried.columns.begin + (index >> carried.shift) * kPanel<T>;
  const Index first = (index & (tiles - 1)) * (steps >> carried.shift);
  return {g.b + (p + first) * g.b_row + j, g.b_row, carried.packed + j * steps + first * kPanel<T>, tiles};
}

// Rows × columns of C for the steps of one block. On the way, columns of B are packed for the next one, rows of A are
// copied for the next tile, and memory for later is called: the `next` columns of B, then in each part of the rows
// those after it.
template <class T>
void multiply_block(const Product<T>& g, const T* packed, const Copies<T>& copies, Range rows, Range columns,
                    const Carried<T>& carried, Range next, Index p, Index steps) {
  constexpr Index R = tuning::kTileRows;
  const Index panels = ceil_div(columns.end - columns.begin, kPanel<T>);
  const Index at_once = tiles_at_once(g, steps);
  const Stage stage{p == 0, p + steps == g.P};
  const bool as_it_lies = in_place(g);
  const Calls calls = next_columns(g, next, p, steps);
  [[maybe_unused]] const Index last_whole = (columns.end - columns.begin) / kPanel<T> - 1;
  const bool pieces = copies_pieces(g);
  bool copied = copies.made;
  Index tiles = 0;
  for (Index part = 0, i = rows.begin; i < rows.end; part += tiles, i += tiles * R) {
    tiles = part * panels < carried.tiles() ? 1 : at_once;
    if (pieces) {
      const Index place = part % copies.places, room = copies.places - place;
      if (place == 0 && !copies.made) copy_pieces(g, copies, part, i, min(room * R, rows.end - i), p, steps);
      tiles = min(tiles, room);
    }
    const Index count = min(tiles * R, rows.end - i), after = i + tiles * R;
    const TileRows<T> a = prepare_a(g, copies, part, copied, i, count, p, steps);
    const bool there = copies.made || pieces;
    const Calls later = after < rows.end ? next_rows(g, copies, there, part + tiles, after, steps, panels) : Calls{};
    copied = copies.made;
    for (Index panel = 0; panel < panels; ++panel) {
      const Index j = columns.begin + panel * kPanel<T>, index = part * panels + panel;
      const Ahead ahead = index < calls.tiles ? calls.of(index, 0) : later.of(panel, address(a.data));
      const Panel<T> b = panel_of(g, as_it_lies, packed, j, p, steps);
      const Index real = min(kPanel<T>, g.J - j);
      if constexpr (tuning::kCarries) {
        if (const Carry<T> carry = carry_columns(g, carried, p, steps, index); carry.from != nullptr) {
          constexpr CarryingTile<T> kIts[] = {carrying_tile<T, Layout::unit_row, Carries::panel>,
                                              carrying_tile<T, Layout::unit_step, Carries::panel>,
                                              carrying_tile<T, Layout::strips, Carries::panel>};
          kIts[static_cast<int>(a.layout)](a, b, steps, g.out, i, j, stage, ahead, carry);
          continue;
        }
        if (a.layout == Layout::strips && !copies.made && panel == last_whole && after + R <= rows.end) {
          const T* from = g.a + after * g.a_row + p * g.a_step;
          carrying_tile<T, Layout::strips, Carries::strips>(a, b, steps, g.out, i, j, stage, ahead,
                                                            {from, g.a_row, copies.piece(part + 1)});
          copied = true;
          continue;
        }
      }
      run_tiles(a, count, b, steps, g.out, i, j, real, stage, ahead);
    }
  }
}

// Elements at the beginning of the member's memory that its copies take; what follows is for its own block of B.
template <class T>
Index copies_size(const Product<T>& g, const Blocking& block) {
  const Copies<T> copies = copies_of<T>(nullptr, g, block);
  return copies.size * copies.places;
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
  if (g.out.addend != nullptr) g.out.addend += j;
  return g;
}

// From panels that were packed once.
template <class T>
void multiply_packed(const Team& team, const Product<T>& g) {
  const bool apart = by_columns(team, g, kPanel<T>);
  const Range rows = apart ? Range{0, g.I} : share(team, g.I);
  const Range columns = apart ? share(team, g.J, kPanel<T>) : Range{0, g.J};
  const Blocking block = blocking(g);
  Copies<T> copies = copies_of(static_cast<T*>(team.own), g, block);
  for (Index p = 0; p == 0 || p < g.P; p += max<Index>(1, block.steps)) {
    const Index steps = min(block.steps, g.P - p);
    const T* packed = g.packed + p * padded_columns<T>(g.J);
    for (Index j = columns.begin; j < columns.end; j += block.columns) {
      const Index end = min(j + block.columns, columns.end);
      copies.made = copies_a(g) && j > columns.begin;
      multiply_block(g, packed, copies, rows, {j, end}, {}, {end, min(end + block.columns, columns.end)}, p, steps);
    }
  }
}

// Whether one member does all in one block, with operands and result in the second-level cache: then there is nothing
// to share, to copy or to call for later.
template <class T>
bool small(const Team& team, const Product<T>& g) {
  constexpr Index kMost = 262144 / sizeof(T);
  if (team.size > 1 || g.packed != nullptr || g.P > tuning::kBlockSteps) return false;
  return g.P > 0 && g.P * (g.I + round_up(g.J, kPanel<T>)) + g.I * g.J <= kMost && !copies_a(g);
}

template <class T>
void multiply_small(const Team& team, const Product<T>& g) {
  T* packed = static_cast<T*>(team.own);
  pack_b(g, packed, {0, g.J}, 0, g.P);
  const Index at_once = g.J <= kPanel<T> ? g.I : tiles_at_once(g, g.P) * tuning::kTileRows;
  const bool as_it_lies = in_place(g);
  for (Index i = 0; i < g.I; i += at_once) {
    const TileRows<T> a{g.a + i * g.a_row, g.a_row, g.a_step};
    const Index rows = min(at_once, g.I - i);
    for (Index j = 0; j < g.J; j += kPanel<T>)
      run_tiles(a, rows, panel_of(g, as_it_lies, packed, j, 0, g.P), g.P, g.out, i, j, min(kPanel<T>, g.J - j),
                {true, true}, {address(a.data), 0});
  }
}

template <class T>
void multiply(const Team& team, const Product<T>& g) {
  if (g.I == 0 || g.J == 0) return;
  if (small(team, g)) return multiply_small(team, g);
  if (g.packed != nullptr) return multiply_packed(team, g);
  if (team.size > 1 && by_columns(team, g, kNarrowWidth<T>)) {
    const Team alone{0, 1, nullptr, team.own, nullptr};
    return multiply(alone, columns_of(g, share(team, g.J, kNarrowWidth<T>)));
  }
  const Range rows = share(team, g.I);
  const Blocking block = blocking(g);
  Copies<T> copies = copies_of(static_cast<T*>(team.own), g, block);
  const auto block_at = [&](Index j) { return Range{min(j, g.J), min(j + block.columns, g.J)}; };
  const auto mine_of = [&](Range columns) {
    const Range mine = share(team, columns.end - columns.begin, kPanel<T>);
    return Range{columns.begin + mine.begin, columns.begin + mine.end};
  };
  T* panels = team.size == 1 ? static_cast<T*>(team.own) + copies_size(g, block) : static_cast<T*>(team.shared);
  for (Index p = 0; p == 0 || p < g.P; p += max<Index>(1, block.steps)) {
    const Index steps = min(block.steps, g.P - p);
    const Index apart = carries(g, steps) ? block.columns * steps : 0;  // blocks take turns in two places
    Index place = 0, packed_before = 0;                                 // columns of this member
    for (Index j = 0; j < g.J; j += block.columns) {
      const Range together = block_at(j), mine = mine_of(together);
      Range next = mine_of(block_at(together.end));
      T* packed = panels + place - j * steps;
      barrier(team);  // until all are done with the block before
      pack_b(g, packed, {mine.begin + packed_before, mine.end}, p, steps);
      barrier(team);
      copies.made = copies_a(g) && j > 0;
      place = apart - place;
      Carried<T> carried;
      if (apart > 0) carried = carried_of(rows, together, next, panels + place - together.end * steps, steps);
      next.begin = max(next.begin, carried.columns.end);
      packed_before = carried.columns.end - carried.columns.begin;
      multiply_block(g, packed, copies, rows, together, carried, next, p, steps);
    }
  }
}

// Enough for this product and for any part of its rows or columns.
template <class T>
Scratch multiply_scratch(const Product<T>& g) {
  const Blocking block = blocking(g);
  const Index steps = max<Index>(1, block.steps), most = 2 * tuning::kBlockBytes / static_cast<Index>(sizeof(T));
  const Index panels = max(steps * block.columns, min(steps * round_up(g.J, kPanel<T>), most));
  return {.shared = sizeof(T) * static_cast<std::size_t>(panels),
          .own = sizeof(T) * static_cast<std::size_t>(panels + copies_size(g, block))};
}

}  // namespace
}  // namespace nnative
