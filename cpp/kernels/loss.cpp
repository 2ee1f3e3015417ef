#include "kernels/loss.hpp"

#include "kernels/cross_entropy.hpp"
#include "kernels/loss_functions.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

// What a mean multiplies by: 1 / Σ w_t of the rows that count.
template <class T>
inline T mean_scale(const void* target, const T* weight, Index N, Index C, IndexType type, std::int64_t ignore) {
  if (weight) {
    return T{1} / row_sum<T>(N, [=](Index n) { return weight_of(weight, class_of(target, type, n, C, ignore)); });
  }
  const Index counted = with_index(type, [=]<class I>(const I*) {
    const I* index = static_cast<const I*>(target);
    Index sum = 0;
#pragma omp simd reduction(+ : sum)
    for (Index n = 0; n < N; ++n) sum += static_cast<Index>(index[n]) != ignore;
    return sum;
  });
  return T{1} / static_cast<T>(counted);
}

template <class T>
void row_total(const Team& team, T* total, const T* loss, const void* target, const T* weight, Index N, Index C,
               IndexType type, std::int64_t ignore, bool mean) {
  shared_sum(team, total, static_cast<T*>(team.shared), N, T{1}, [=](Index n) { return loss[n]; });
  if (mean && team.rank == 0) *total *= mean_scale(target, weight, N, C, type, ignore);
}

void check_labels(const Team& team, std::int64_t* bad, const void* target, Index N, Index C, IndexType type,
                  std::int64_t ignore) {
  if (team.rank != 0) return;
  with_index(type, [=]<class I>(const I*) {
    const I* index = static_cast<const I*>(target);
    const auto outside = [=](Index n) {
      return (static_cast<std::uint64_t>(index[n]) >= static_cast<std::uint64_t>(C)) &
             (static_cast<std::int64_t>(index[n]) != ignore);
    };
    int any = 0;
#pragma omp simd reduction(| : any)
    for (Index n = 0; n < N; ++n) any |= outside(n);
    for (Index n = 0; any != 0; ++n) {
      if (!outside(n)) continue;
      bad[0] = n + 1;
      bad[1] = static_cast<std::int64_t>(index[n]);
      return;
    }
  });
}

template <class T>
void cross_entropy_forward(const Team& team, T* loss, const T* logits, const void* target, const T* weight, Index N,
                           Index C, IndexType type, std::int64_t ignore, T smoothing) {
  const Range rows = share_rows<T>(team, N, C);
  const Classes<T> classes(target, weight, C, type, ignore, smoothing);
  for (Index first = rows.begin; first < rows.end; first += kLanes)
    cross_entropy_rows<T>(loss, nullptr, logits, classes, first, min(kLanes, rows.end - first));
}

template <class T>
void cross_entropy_backward(const Team& team, T* loss, T* dlogits, const T* logits, const T* dloss, const void* target,
                            const T* weight, const void* all_targets, Index N, Index C, Index rows, Index dloss_stride,
                            IndexType type, std::int64_t ignore, T smoothing, bool mean) {
  const Range mine = share_rows<T>(team, N, C);
  const Classes<T> classes(target, weight, C, type, ignore, smoothing);
  const T scale = mean ? mean_scale(all_targets, weight, rows, C, type, ignore) : T{1};
  const Writer<T> write((mine.end - mine.begin) * C, C, true);
  const Arrived<T> arrived{dloss, dloss_stride, scale};
  T* p = static_cast<T*>(team.own);
  if (rows_together(C) == 1 && C <= kManyClasses && smoothing == T{0})
    return cross_entropy_row_by_row(write, loss, dlogits, logits, classes, mine, p, arrived);
  if (C <= kFewClasses && smoothing == T{0})
    return cross_entropy_side_by_side(loss, dlogits, logits, classes, mine, arrived);
  for (Index first = mine.begin; first < mine.end; first += rows_together(C)) {
    const Index count = min(rows_together(C), mine.end - first);
    cross_entropy_rows(loss, p, logits, classes, first, count);
    for (Index l = 0; l < count; ++l)
      cross_entropy_gradient(write, dlogits + (first + l) * C, p + l * C, classes, first + l, arrived(first + l));
  }
}

template <class T>
Scratch cross_entropy_scratch(Index C) {
  return {.own = static_cast<std::size_t>(max(rows_together(C), Index{2}) * round_up(C, kLanes)) * sizeof(T)};
}

template <class T>
void nll_forward(const Team& team, T* loss, const T* x, const void* target, const T* weight, Index N, Index C,
                 IndexType type, std::int64_t ignore) {
  const Range rows = share(team, N, kLanes);
  for (Index n = rows.begin; n < rows.end; ++n) {
    const Index t = class_of(target, type, n, C, ignore);
    const T none = t == kBad ? kNan<T> : T{0};
    loss[n] = t >= 0 ? -weight_of(weight, t) * x[n * C + t] : none;
  }
}

template <class T>
void nll_backward(const Team& team, T* dx, const T* dloss, const void* target, const T* weight, const void* all_targets,
                  Index N, Index C, Index rows, Index dloss_stride, IndexType type, std::int64_t ignore, bool mean) {
  const Range mine = share_rows<T>(team, N, C);
  const T scale = mean ? mean_scale(all_targets, weight, rows, C, type, ignore) : T{1};
  for (Index n = mine.begin; n < mine.end; ++n) {
    const Index t = class_of(target, type, n, C, ignore);
    for_each({n * C, (n + 1) * C}, [=](Index i) { dx[i] = T{0}; });
    if (t >= 0) dx[n * C + t] = -weight_of(weight, t) * (dloss[n * dloss_stride] * scale);
  }
}

template <class F, class T, class... Scalars>
void forward(const Team& team, T* loss, const T* x, const T* target, Index size, Scalars... scalars) {
  for_each(share(team, size, kLanes), [=](Index i) { loss[i] = F::value(x[i], target[i], scalars...); });
}

template <class F, class T, class... Scalars>
void sum(const Team& team, T* loss, const T* x, const T* target, Index size, T scale, Scalars... scalars) {
  shared_sum(team, loss, static_cast<T*>(team.shared), size, scale,
             [=](Index i) { return F::value(x[i], target[i], scalars...); });
}

template <class T>
Scratch sum_scratch(Index size) {
  return {.shared = static_cast<std::size_t>(ceil_div(size, kChunk)) * sizeof(T)};
}

// out (size) = dloss · scale · slope(i)
template <class T, class Slope>
[[gnu::always_inline]] inline void scaled(const Team& team, T* out, const T* dloss, Index size, Index dloss_stride,
                                          T scale, Slope slope) {
  const Range mine = share(team, size, kLanes);
  if (dloss_stride == 0) {
    const T factor = scale * *dloss;
    for_each(mine, [=](Index i) { out[i] = factor * slope(i); });
  } else {
    for_each(mine, [=](Index i) { out[i] = scale * dloss[i] * slope(i); });
  }
}

template <class F, class T, class... Scalars>
void backward(const Team& team, T* dx, const T* dloss, const T* x, const T* target, Index size, Index dloss_stride,
              T scale, Scalars... scalars) {
  scaled(team, dx, dloss, size, dloss_stride, scale, [=](Index i) { return F::by_x(x[i], target[i], scalars...); });
}

template <class F, class T, class... Scalars>
void backward_target(const Team& team, T* dtarget, const T* dloss, const T* x, const T* target, Index size,
                     Index dloss_stride, T scale, Scalars... scalars) {
  scaled(team, dtarget, dloss, size, dloss_stride, scale,
         [=](Index i) { return F::by_target(x[i], target[i], scalars...); });
}

// other (C) = 1 for the classes that are none of the row's, else 0
template <class T>
inline bool find_others(T* other, const std::int64_t* target, Index C) {
  for_each({0, C}, [=](Index i) { other[i] = T{1}; });
  return for_each_label(target, C, [=](Index t) { other[t] = T{0}; });
}

template <class T>
void multilabel_margin_forward(const Team& team, T* loss, const T* x, const std::int64_t* target, Index N, Index C) {
  T* other = static_cast<T*>(team.own);
  const Range rows = share_rows<T>(team, N, 1);
  for (Index n = rows.begin; n < rows.end; ++n) {
    const T* row = x + n * C;
    T total = T{0};
    if (!find_others(other, target + n * C, C)) {
      total = kNan<T>;
    } else {
      for_each_label(target + n * C, C, [&](Index t) {
        const T base = T{1} - row[t];
        total += row_sum<T>(C, [=](Index i) { return base + row[i] > T{0} ? (base + row[i]) * other[i] : T{0}; });
      });
    }
    loss[n] = total / static_cast<T>(C);
  }
}

template <class T>
void multilabel_margin_backward(const Team& team, T* dx, const T* dloss, const T* x, const std::int64_t* target,
                                Index N, Index C) {
  T* other = static_cast<T*>(team.own);
  const Range rows = share_rows<T>(team, N, C);
  for (Index n = rows.begin; n < rows.end; ++n) {
    const T *row = x + n * C, factor = dloss[n] / static_cast<T>(C);
    T* out = dx + n * C;
    for_each({0, C}, [=](Index i) { out[i] = T{0}; });
    if (!find_others(other, target + n * C, C)) continue;
    // Whole numbers first, which are exact.
    for_each_label(target + n * C, C, [=](Index t) __attribute__((always_inline)) {
      const T base = T{1} - row[t];
      const auto active = [=](Index i) { return base + row[i] > T{0} ? other[i] : T{0}; };
      out[t] -= row_sum<T>(C, active);
      for_each({0, C}, [=](Index i) { out[i] += active(i); });
    });
    for_each({0, C}, [=](Index i) { out[i] *= factor; });
  }
}

template <class T>
Scratch multilabel_margin_scratch(Index C) {
  return {.own = static_cast<std::size_t>(C) * sizeof(T)};
}

template <class T>
constexpr LossKernels<T> kKernels{
#define NNATIVE_LOSS(name, ...)                                                   \
  .name##_forward = forward<losses::name<T>>, .name##_sum = sum<losses::name<T>>, \
  .name##_backward = backward<losses::name<T>>, .name##_backward_target = backward_target<losses::name<T>>,
    NNATIVE_LOSSES(NNATIVE_LOSS)
#undef NNATIVE_LOSS
        .cross_entropy_forward = cross_entropy_forward,
    .cross_entropy_backward = cross_entropy_backward,
    .cross_entropy_scratch = cross_entropy_scratch<T>,
    .nll_forward = nll_forward,
    .nll_backward = nll_backward,
    .row_total = row_total,
    .check_labels = check_labels,
    .multilabel_margin_forward = multilabel_margin_forward,
    .multilabel_margin_backward = multilabel_margin_backward,
    .sum_scratch = sum_scratch<T>,
    .multilabel_margin_scratch = multilabel_margin_scratch<T>,
};

}  // namespace

extern const LossKernels<float> loss_f32;
extern const LossKernels<double> loss_f64;
constinit const LossKernels<float> loss_f32 = kKernels<float>;
constinit const LossKernels<double> loss_f64 = kKernels<double>;

}  // namespace nnative::NNATIVE_ISA
