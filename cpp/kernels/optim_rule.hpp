// How a rule becomes a kernel. A rule is a small struct of an optimizer's factors: made from the hyperparameters and
// the numbers of a parameter, applied to each element, and told to advance those numbers.
#pragma once

#include "kernels/optim.hpp"
#include "kernels/slots.hpp"

namespace nnative {
namespace {

// The numbers of a parameter; the first counts the updates.
struct Cells {
  double value[kOptimCells];
};

// The first `count` of them.
template <int count, class Slot>
inline Cells cells_of(const Slot& slot) {
  Cells cells{};
  for (int c = 0; c < count; ++c) {
    if (slot.cell[c] != nullptr) cells.value[c] = *slot.cell[c];
  }
  return cells;
}

// What most rules do with their numbers.
struct Counted {
  static constexpr int kCells = 1;

  template <class Hyper>
  static void advance(const Hyper&, Cells& cells) {
    cells.value[0] += 1;
  }
};

// ±grad + weight_decay · p
template <class T>
struct Gradient {
  T sign, decay;

  Gradient(double maximize, double weight_decay)
      : sign(maximize != 0 ? T(-1) : T(1)), decay(static_cast<T>(weight_decay)) {}
  [[gnu::always_inline]] T operator()(T p, T grad) const {
    const T g = sign * grad, decayed = g + decay * p;
    return decay != T{0} ? decayed : g;
  }
};

// Takes a cache line from the cores that have read it while other work goes on, by a store that changes nothing. A
// prefetch for writing does not do: on Zen 4 it leaves lines that this core has as well where they are.
template <class T>
inline void claim(T* line) {
  volatile T* element = line;
  const T same = *element;
  *element = same;
}

// The kernel of a rule; every slot has the same arrays and cells.
template <class Rule, class T, class Hyper>
inline void run_rule(const Team& team, const OptimSlot<T>* slots, Index count, const Hyper* hyper) {
  const Hyper h = *hyper;
  Cells seen = cells_of<Rule::kCells>(slots[0]);
  Rule rule(h, seen);
  for_share(team, slots, count, [&](const OptimSlot<T>& slot, Index begin, Index end) {
    const bool bounded = slot.max_norm != nullptr;
    if (bounded) begin = round_up(begin, slot.row), end = round_up(end, slot.row);  // whole rows
    const Cells now = cells_of<Rule::kCells>(slot);
    bool same = true;  // as parameters of a group mostly are
    for (int c = 0; c < Rule::kCells; ++c) same &= now.value[c] == seen.value[c];
    if (!same) rule = Rule(h, seen = now);
    const OptimSlot<T> s = slot;
    const Rule r = rule;
    constexpr Index kLine = 64 / static_cast<Index>(sizeof(T));
    const Index size = bounded ? s.row : 256;
    for (Index block = begin; block < end; block += size) {
      const Index next = min(block + size, end), behind = min(next + size, end);
      for (Index i = next; i < behind; i += kLine) claim(s.param + i);
#pragma omp simd
      for (Index i = block; i < next; ++i) r(s, i);
      if (bounded) limit_norm(s.param + block, size, *s.max_norm);
    }
  });
}

// Advances the numbers of all parameters.
template <class Rule, class Hyper>
inline void run_advance(const Team& team, const OptimCells* cells, Index count, const Hyper* hyper) {
  const Range mine = share(team, count);
  for (Index i = mine.begin; i < mine.end; ++i) {
    Cells values = cells_of<Rule::kCells>(cells[i]);
    Rule::advance(*hyper, values);
    for (int c = 0; c < Rule::kCells; ++c) {
      if (cells[i].cell[c] != nullptr) *cells[i].cell[c] = values.value[c];
    }
  }
}

// Both kernels of a rule that has no variants.
template <class Rule, class T, class Hyper>
constexpr OptimRule<T, Hyper> kernels_of{run_advance<Rule, Hyper>, run_rule<Rule, T, Hyper>};

}  // namespace
}  // namespace nnative
