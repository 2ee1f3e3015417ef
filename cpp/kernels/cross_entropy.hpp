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
  [[gnu::always_inline]] T own(Index t) const { return (T{1} - smoothing) * weight_of(weight, t); }

 private:
  T total_weight() const {
    return weight ? row_sum<T>(C, [w = weight](Index c) { return w[c]; }) : static_cast<T>(C);
  }
};

// loss (N) of the rows [first, first + count), at most kLanes, whose logarithms are computed together, from the largest
// logit of each and the total of its exponentials
template <class T>
inline void cross_entropy_losses(T* loss, const T* largest, const T* total, const T* logits, const Classes<T>& classes,
                                 Index first, Index count) {
  const Index C = classes.C;
  T sum[kLanes] = {}, factor[kLanes] = {}, shifted[kLanes] = {};
  for (Index l = 0; l < count; ++l) {
    const Index t = classes.of(first + l);
    const T *x = logits + (first + l) * C, *weight = classes.weight;
    sum[l] = T{1};
    if (t == kBad) shifted[l] = kNan<T>;
    if (t < 0) continue;
    const T own = classes.own(t), most = largest[l], each = classes.each;
    sum[l] = total[l];
    factor[l] = own + classes.all;
    shifted[l] = own * (x[t] - most);
    if (classes.smoothing != T{0}) {
      shifted[l] += each * row_sum<T>(C, [=](Index c) { return (weight ? weight[c] : T{1}) * (x[c] - most); });
    }
  }
  for_each_lane({first, first + count},
                [&](Index n, Index l) { loss[n] = factor[l] * nnative::log(sum[l]) - shifted[l]; });
}

// The same, and their probabilities (count,C), which begin at p
template <class T>
inline void cross_entropy_rows(T* loss, T* p, const T* logits, const Classes<T>& classes, Index first, Index count) {
  const Index C = classes.C;
  T largest[kLanes], total[kLanes];
  if (C <= kLanes) {
    alignas(64) T side[kLanes][kLanes];
    softmax_side_by_side(side, largest, total, logits + first * C, count, C);
    to_rows(p, side, count, C);
  } else {
    for (Index l = 0; l < count; ++l) {
      const RowSum<T> row = softmax_row(p + l * C, logits + (first + l) * C, C);
      largest[l] = row.max;
      total[l] = row.sum;
    }
  }
  cross_entropy_losses(loss, largest, total, logits, classes, first, count);
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

// loss (N), and dlogits (N,C) at dx, of the rows [first, first + count) of at most kLanes classes without smoothing;
// arrived(n) is the gradient of loss n
template <class T, class Arrived>
inline void cross_entropy_side_by_side(T* loss, T* dx, const T* logits, const Classes<T>& classes, Index first,
                                       Index count, Arrived arrived) {
  using Lane = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  alignas(64) T side[kLanes][kLanes];
  T largest[kLanes], total[kLanes], factor[kLanes] = {};
  Lane its_class[kLanes] = {};
  softmax_side_by_side(side, largest, total, logits + first * classes.C, count, classes.C);
  cross_entropy_losses(loss, largest, total, logits, classes, first, count);
  for (Index l = 0; l < count; ++l) {
    const Index t = classes.of(first + l);
    its_class[l] = static_cast<Lane>(t);
    factor[l] = arrived(first + l) * (classes.own(t) + classes.all);
  }
  for (Index c = 0; c < classes.C; ++c) {
    T* p = side[c];
    const Lane its = static_cast<Lane>(c);
    for_each({0, kLanes}, [=, &its_class, &factor](Index l) {
      const T gradient = factor[l] * (p[l] - (its_class[l] == its ? T{1} : T{0}));
      p[l] = its_class[l] < 0 ? T{0} : gradient;
    });
  }
  to_rows(dx, side, count, classes.C);
}

// Rows that a member takes together where it keeps their probabilities in its scratch memory.
constexpr Index rows_together(Index C) { return C <= 256 ? kLanes : 1; }

}  // namespace
}  // namespace nnative
