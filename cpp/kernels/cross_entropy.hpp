// Cross-entropy of rows of logits (loss.hpp): losses, and gradients by way of probabilities.
#pragma once

#include "kernels/labels.hpp"
#include "kernels/small_rows.hpp"
#include "kernels/writer.hpp"

namespace nnative {
namespace {

// What the losses of rows of class t count in a mean.
template <class T>
[[gnu::always_inline]] inline T weight_of(const T* weight, Index t) {
  if (t < 0) return T{0};
  return weight ? weight[t] : T{1};
}

// The classes of the rows and how they count: (1 − smoothing) for a row's own class and `each` for all.
template <class T>
struct Classes {
  const void* target;
  const T* weight;
  Index C;
  IndexType type;
  std::int64_t ignore;
  T smoothing, each, all;

  Classes(const void* target_, const T* weight_, Index C_, IndexType type_, std::int64_t ignore_, T smoothing_)
      : target(target_), weight(weight_), C(C_), type(type_), ignore(ignore_), smoothing(smoothing_) {
    each = smoothing / static_cast<T>(C);
    all = smoothing == T{0} ? T{0} : each * total_weight();
  }
  [[gnu::always_inline]] Index of(Index n) const { return class_of(target, type, n, C, ignore); }
  // its (kLanes) = the same of `count` rows from `first` on, kIgnored behind them
  template <class Lane>
  void of(Lane* its, Index first, Index count) const {
    with_index(type, [=, classes = C, none = ignore, at = target]<class I>(const I*) {
      const I* index = static_cast<const I*>(at) + first;
      I some[kLanes] = {};
      if (count < kLanes) std::memcpy(some, index, static_cast<std::size_t>(count) * sizeof(I)), index = some;
      for_each({0, kLanes},
               [=](Index l) { its[l] = static_cast<Lane>(class_named(static_cast<Index>(index[l]), classes, none)); });
    });
    for (Index l = count; l < kLanes; ++l) its[l] = kIgnored;
  }
  [[gnu::always_inline]] T own(Index t) const { return (T{1} - smoothing) * weight_of(weight, t); }

 private:
  T total_weight() const {
    return weight ? row_sum<T>(C, [w = weight](Index c) { return w[c]; }) : static_cast<T>(C);
  }
};

// An integer as wide as a number.
template <class T>
using Lane = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

// The classes of kLanes rows, and their logits.
template <class T>
struct Chosen {
  Lane<T> its[kLanes];
  T logit[kLanes];

  // Of the rows at x.
  void from(const T* x, Index count, Index C) {
    for_each({0, kLanes}, [this](Index l) { logit[l] = T{0}; });
    for (Index l = 0; l < count; ++l) logit[l] = x[l * C + max(static_cast<Index>(its[l]), Index{0})];
  }
  // Of rows side by side: compared with every class, since that many scalars that go to memory and come back as a
  // vector take longer.
  void from(const T (*side)[kLanes], Index C) {
    for (Index r = 0; r < kLanes; r += kWidth<T>) {
      const auto own = load<Lane<T>, Vector<Lane<T>>>(its + r);
      Vector<T> found{};
      for (Index c = 0; c < C; ++c) found = own == static_cast<Lane<T>>(c) ? load(side[c] + r) : found;
      store(logit + r, found);
    }
  }
};

// Losses of the rows [first, first + count), at most kLanes, whose logarithms are computed together, from the largest
// logit of each, the total of its exponentials and its own; factor is what their weights come to. They go to
// loss[first …] where loss is not null.
template <class T>
inline void cross_entropy_losses(T* loss, T* factor, const T* largest, const T* total, const Chosen<T>& chosen,
                                 const T* logits, const Classes<T>& classes, Index first, Index count) {
  const Index C = classes.C;
  const T *weight = classes.weight, *x = logits + first * C, each = classes.each, all = classes.all;
  const T most = T{1} - classes.smoothing, *logit = chosen.logit;
  const Lane<T>* its = chosen.its;
  T own[kLanes], rest[kLanes] = {}, losses[kLanes];
  for_each({0, kLanes}, [&](Index l) { own[l] = most; });
  if (weight != nullptr) {
    for (Index l = 0; l < count; ++l) own[l] = most * weight_of(weight, its[l]);
  }
  if (classes.smoothing != T{0}) {
    for (Index l = 0; l < count; ++l) {
      const T *row = x + l * C, middle = largest[l];
      rest[l] = each * row_sum<T>(C, [=](Index c) { return (weight ? weight[c] : T{1}) * (row[c] - middle); });
    }
  }
  for_each({0, kLanes}, [&](Index l) {
    const bool counts = its[l] >= 0;
    const T sum = counts ? total[l] : T{1}, bad = its[l] == kBad ? kNan<T> : T{0};
    factor[l] = counts ? own[l] + all : T{0};
    const T shifted = own[l] * (logit[l] - largest[l]) + rest[l];
    losses[l] = factor[l] * nnative::log(sum) - (counts ? shifted : bad);
  });
  if (loss == nullptr) return;
  if (count == kLanes) {
    std::memcpy(loss + first, losses, sizeof(losses));
  } else {
    std::memcpy(loss + first, losses, static_cast<std::size_t>(count) * sizeof(T));
  }
}

// The same, and their probabilities (count,C) where p, at which they begin, is not null
template <class T>
inline void cross_entropy_rows(T* loss, T* p, const T* logits, const Classes<T>& classes, Index first, Index count) {
  const Index C = classes.C;
  Chosen<T> chosen;
  classes.of(chosen.its, first, count);
  T largest[kLanes] = {}, total[kLanes] = {};
  if (C <= kFewClasses) {
    alignas(64) T side[kFewClasses][kLanes];
    rows_side_by_side(side, logits + first * C, count, C);
    chosen.from(side, C);
    exp_side_by_side(side, largest, total, C);
    if (p != nullptr) {
      T inverse[kLanes];
      for_each({0, kLanes}, [&](Index l) { inverse[l] = T{1} / total[l]; });
      for (Index c = 0; c < C; ++c) for_each({0, kLanes}, [e = side[c], &inverse](Index l) { e[l] *= inverse[l]; });
      to_rows(p, side, count, C);
    }
  } else {
    chosen.from(logits + first * C, count, C);
    for (Index l = 0; l < count; ++l) {
      const T* x = logits + (first + l) * C;
      const RowSum<T> row = p != nullptr ? softmax_row(p + l * C, x, C) : exp_sum_row(x, C);
      largest[l] = row.max;
      total[l] = row.sum;
    }
  }
  T factor[kLanes];
  cross_entropy_losses(loss, factor, largest, total, chosen, logits, classes, first, count);
}

// The gradients of the losses: dloss · scale, of which there is one for all when the stride is 0.
template <class T>
struct Arrived {
  const T* dloss;
  Index stride;
  T scale;

  [[gnu::always_inline]] T operator()(Index n) const { return dloss[n * stride] * scale; }
  // factor = those of the rows from `first` on · factor
  void times(T* factor, Index first, Index count) const {
    if (stride == 0) {
      for_each({0, kLanes}, [=, one = (*this)(0)](Index l) { factor[l] *= one; });
    } else {
      for_each({0, count}, [=, own = dloss + first, by = scale](Index l) { factor[l] *= own[l] * by; });
    }
  }
};

// dx (C) of row n from its probabilities p (C), `arrived` being the gradient of its loss
template <class T>
[[gnu::always_inline]] inline void cross_entropy_gradient(const Writer<T>& write, T* dx, const T* p,
                                                          const Classes<T>& classes, Index n, T arrived) {
  const Range row{0, classes.C};
  const Index t = classes.of(n);
  if (t < 0) {
    for_each(row, [=](Index i) { dx[i] = T{0}; });
    return;
  }
  const T own = classes.own(t), sum = own + classes.all, factor = arrived * sum, each = classes.each;
  const T* weight = classes.weight;
  if (classes.smoothing == T{0}) {
    write.around(dx, row, t, [=](Index i) { return factor * p[i]; });
    dx[t] = factor * (p[t] - T{1});
  } else {
    write.around(dx, row, t, [=](Index i) { return arrived * (sum * p[i] - each * (weight ? weight[i] : T{1})); });
    dx[t] = arrived * (sum * p[t] - (own + each * weight_of(weight, t)));
  }
}

// kLanes rows, of which the first `count` are there, whose losses and gradients are computed together.
template <class T>
struct Group {
  alignas(64) T side[kFewClasses][kLanes];  // the logits of each class, then exponentials, then gradients
  T largest[kLanes], total[kLanes], factor[kLanes];
  Chosen<T> chosen;
  Index first, count;

  // Whole groups alone are worth code without a count: others go by way of `padded` (kLanes,C).
  void read(const T* logits, const Classes<T>& classes, T* padded) {
    const Index C = classes.C;
    const T* x = logits + first * C;
    if (count < kLanes) {
      for_each({0, kLanes * C}, [=](Index i) { padded[i] = T{0}; });
      std::memcpy(padded, x, static_cast<std::size_t>(count * C) * sizeof(T));
      x = padded;
    }
    classes.of(chosen.its, first, count);
    rows_side_by_side(side, x, kLanes, C);
    chosen.from(side, C);
  }
  void gradients(const Classes<T>& classes, const Arrived<T>& arrived) {
    arrived.times(factor, first, count);
    for (Index r = 0; r < kLanes; r += kWidth<T>) {
      const auto own = load<Lane<T>, Vector<Lane<T>>>(chosen.its + r);
      const Vector<T> factors = load(factor + r), one = broadcast(T{1}), inverse = one / load(total + r);
      for (Index c = 0; c < classes.C; ++c) {
        const Vector<T> p = load(side[c] + r) * inverse, less = own == static_cast<Lane<T>>(c) ? one : Vector<T>{};
        store(side[c] + r, own < 0 ? Vector<T>{} : factors * (p - less));
      }
    }
  }
  void write(T* dlogits, Index C, T* padded) const {
    T* dx = dlogits + first * C;
    to_rows(count < kLanes ? padded : dx, side, kLanes, C);
    if (count < kLanes) std::memcpy(dx, padded, static_cast<std::size_t>(count * C) * sizeof(T));
  }
};

// Losses as above, and dlogits (N,C), of rows of at most kFewClasses without smoothing. Four groups take each step
// together, since the steps of one wait for each other.
template <class T>
inline void cross_entropy_side_by_side(T* loss, T* dlogits, const T* logits, const Classes<T>& classes, Range rows,
                                       const Arrived<T>& arrived) {
  const Index C = classes.C;
  constexpr Index together = 4;
  Group<T> groups[together];
  T padded[kLanes * kFewClasses];
  for (Index first = rows.begin; first < rows.end;) {
    Group<T>* end = groups;
    for (; end != groups + together && first < rows.end; ++end, first += kLanes) {
      end->first = first;
      end->count = min(kLanes, rows.end - first);
      end->read(logits, classes, padded);
    }
    for (Group<T>* g = groups; g != end; ++g) exp_side_by_side(g->side, g->largest, g->total, C);
    for (Group<T>* g = groups; g != end; ++g)
      cross_entropy_losses(loss, g->factor, g->largest, g->total, g->chosen, logits, classes, g->first, g->count);
    for (Group<T>* g = groups; g != end; ++g) g->gradients(classes, arrived);
    for (Group<T>* g = groups; g != end; ++g) g->write(dlogits, C, padded);
  }
}

template <class T>
constexpr T kCounted[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// A row whose exponentials are computed and whose gradient is to be written.
template <class T>
struct RowBefore {
  T* dx;
  const T* e;  // (C), up to the end of the last block
  T inverse, factor;
  Index t;
  bool past;

  // Whole blocks. Past the caches only in rows that begin at a line: parts of the others would each begin and end
  // within one, as Writer writes them, which took three times as long.
  void write(Range blocks) const {
    if (t < 0) {
      for_each(blocks, [to = dx](Index i) { to[i] = T{0}; });
    } else if (past) {
      for (Index i = blocks.begin; i < blocks.end; i += kLanes) {
        T lane[kLanes];
        compute(lane, i);
        copy_lanes_past(dx + i, lane);
      }
    } else {
      for (Index i = blocks.begin; i < blocks.end; i += kLanes) compute(dx + i, i);
    }
  }
  // The last block, which may be partial.
  void write_last(Index i, Index count) const {
    T lane[kLanes] = {};
    if (t >= 0) compute(lane, i);
    std::memcpy(dx + i, lane, static_cast<std::size_t>(count) * sizeof(T));
  }

 private:
  // In vectors, since an array on the way to dx would be copied in halves of them, which wait for it.
  [[gnu::always_inline]] void compute(T* to, Index i) const {
    constexpr int W = kWidth<T>;
    const Vector<T> scale = broadcast(inverse), times = broadcast(factor), one = broadcast(T{1});
    const auto lanes = load<Lane<T>, Vector<Lane<T>>>(kCounted<Lane<T>>);
#pragma GCC unroll 4
    for (int v = 0; v < kLanes; v += W) {
      const Vector<T> less = lanes == static_cast<Lane<T>>(t - i - v) ? one : Vector<T>{};
      store(to + v, times * (load(e + i + v) * scale - less));
    }
  }
};

// Losses as above, and dlogits (N,C) at dx, of long rows without smoothing; `memory` has room for two of them, in whole
// blocks. The gradient of a row is written, and the row after the next called, while the exponentials of the next are
// computed.
template <class T>
inline void cross_entropy_row_by_row(const Writer<T>& writer, T* loss, T* dlogits, const T* logits,
                                     const Classes<T>& classes, Range rows, T* memory, const Arrived<T>& arrived) {
  const Index C = classes.C, last_begin = (C - 1) / kLanes * kLanes, room = last_begin + kLanes;
  RowBefore<T> before{};
  T largest[kLanes] = {}, total[kLanes] = {};
  for (Index n = rows.begin; n < rows.end; ++n) {
    const T* x = logits + n * C;
    T *e = memory + n % 2 * room, last[kLanes];
    const auto place = [e](Index i) { return e + i; };
    RowSum<T> row;
    if (n == rows.begin) {
      row = exp_row(last, x, C, place);
    } else {
      __builtin_prefetch(x + C + last_begin);
      row = exp_row(last, x, C, place, [=](Range some) {
        for (Index i = some.begin; i < some.end; i += 64 / sizeof(T)) __builtin_prefetch(x + C + i);
        before.write(some);
      });
      before.write_last(last_begin, C - last_begin);
    }
    for_each({0, kLanes}, [=, &last](Index l) { e[last_begin + l] = last[l]; });
    const Index t = classes.of(n), l = (n - rows.begin) % kLanes;
    before = {dlogits + n * C, e, T{1} / row.sum, arrived(n) * classes.own(t), t, writer.past(dlogits + n * C)};
    largest[l] = row.max;
    total[l] = row.sum;
    if (l == kLanes - 1 || n + 1 == rows.end) {
      Chosen<T> chosen;
      classes.of(chosen.its, n - l, l + 1);
      chosen.from(logits + (n - l) * C, l + 1, C);
      T factor[kLanes];
      cross_entropy_losses(loss, factor, largest, total, chosen, logits, classes, n - l, l + 1);
    }
  }
  if (rows.begin == rows.end) return;
  before.write({0, last_begin});
  before.write_last(last_begin, C - last_begin);
}

// Rows whose probabilities a member keeps in its scratch memory together: of few classes, so that their logarithms are
// computed together.
constexpr Index rows_together(Index C) { return C <= 128 ? kLanes : 1; }
// Classes up to which two rows stay in the second-level cache beside what is read and written.
constexpr Index kManyClasses = 16384;

}  // namespace
}  // namespace nnative
