// Cross-entropy of rows of logits (loss.hpp): losses and probabilities, and gradients from these.
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
  // its (count) = the same of the rows from `first` on
  template <class Lane>
  void of(Lane* its, Index first, Index count) const {
    with_index(type, [=, classes = C, none = ignore, at = target]<class I>(const I*) {
      const I* index = static_cast<const I*>(at) + first;
      for_each({0, count},
               [=](Index l) { its[l] = static_cast<Lane>(class_named(static_cast<Index>(index[l]), classes, none)); });
    });
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

// loss (N) of the rows [first, first + count), at most kLanes, whose logarithms are computed together, from the largest
// logit of each and the total of its exponentials; `its` are their classes, and factor is what their weights come to
template <class T>
inline void cross_entropy_losses(T* loss, Lane<T>* its, T* factor, const T* largest, const T* total, const T* logits,
                                 const Classes<T>& classes, Index first, Index count) {
  const Index C = classes.C;
  const T *weight = classes.weight, *x = logits + first * C, each = classes.each, all = classes.all;
  const T most = T{1} - classes.smoothing;
  T chosen[kLanes] = {}, own[kLanes], rest[kLanes] = {};
  for_each({0, kLanes}, [&](Index l) { its[l] = kIgnored, own[l] = most; });
  classes.of(its, first, count);
  for (Index l = 0; l < count; ++l) chosen[l] = x[l * C + max(static_cast<Index>(its[l]), Index{0})];
  if (weight != nullptr) {
    for (Index l = 0; l < count; ++l) own[l] = most * weight_of(weight, its[l]);
  }
  if (classes.smoothing != T{0}) {
    for (Index l = 0; l < count; ++l) {
      const T *row = x + l * C, middle = largest[l];
      rest[l] = each * row_sum<T>(C, [=](Index c) { return (weight ? weight[c] : T{1}) * (row[c] - middle); });
    }
  }
  for_each({0, count}, [&](Index l) {
    const bool counts = its[l] >= 0;
    const T sum = counts ? total[l] : T{1}, bad = its[l] == kBad ? kNan<T> : T{0};
    factor[l] = counts ? own[l] + all : T{0};
    const T shifted = own[l] * (chosen[l] - largest[l]) + rest[l];
    loss[first + l] = factor[l] * nnative::log(sum) - (counts ? shifted : bad);
  });
}

// The same, and their probabilities (count,C), which begin at p
template <class T>
inline void cross_entropy_rows(T* loss, T* p, const T* logits, const Classes<T>& classes, Index first, Index count) {
  const Index C = classes.C;
  T largest[kLanes], total[kLanes];
  if (C <= kFewClasses) {
    alignas(64) T side[kFewClasses][kLanes];
    softmax_side_by_side(side, largest, total, logits + first * C, count, C);
    to_rows(p, side, count, C);
  } else {
    for (Index l = 0; l < count; ++l) {
      const RowSum<T> row = softmax_row(p + l * C, logits + (first + l) * C, C);
      largest[l] = row.max;
      total[l] = row.sum;
    }
  }
  Lane<T> its[kLanes];
  T factor[kLanes];
  cross_entropy_losses(loss, its, factor, largest, total, logits, classes, first, count);
}

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

// loss (N), and dlogits (N,C) at dx, of the rows [first, first + count) of at most kFewClasses without smoothing;
// arrived(n) is the gradient of loss n
template <class T, class Arrived>
inline void cross_entropy_side_by_side(T* loss, T* dx, const T* logits, const Classes<T>& classes, Index first,
                                       Index count, Arrived arrived) {
  alignas(64) T side[kFewClasses][kLanes];
  T largest[kLanes], total[kLanes], factor[kLanes] = {}, came[kLanes] = {};
  Lane<T> its[kLanes];
  softmax_side_by_side(side, largest, total, logits + first * classes.C, count, classes.C);
  cross_entropy_losses(loss, its, factor, largest, total, logits, classes, first, count);
  for_each({0, count}, [&](Index l) { came[l] = arrived(first + l) * factor[l]; });
  for (Index c = 0; c < classes.C; ++c) {
    T* p = side[c];
    const auto here = static_cast<Lane<T>>(c);
    for_each({0, kLanes}, [=, &its, &came](Index l) {
      const T gradient = came[l] * (p[l] - (its[l] == here ? T{1} : T{0}));
      p[l] = its[l] < 0 ? T{0} : gradient;
    });
  }
  to_rows(dx, side, count, classes.C);
}

// Rows that a member takes together where it keeps their probabilities in its scratch memory.
constexpr Index rows_together(Index C) { return C <= 256 ? kLanes : 1; }

}  // namespace
}  // namespace nnative
