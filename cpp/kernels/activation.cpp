#include "kernels/activation.hpp"

#include "kernels/activation_functions.hpp"
#include "kernels/writer.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

template <class F, class T, class... Scalars>
void forward(const Team& team, T* y, const T* x, Index size, Scalars... scalars) {
  write_share(
      team, y, size, y != x, [=](Index i) __attribute__((always_inline)) { return F::value(x[i], scalars...); }, x);
}

template <class F, class T, class... Scalars>
void backward(const Team& team, T* dx, const T* dy, const T* saved, Index size, Scalars... scalars) {
  write_share(
      team, dx, size, dx != dy && dx != saved,
      [=](Index i) __attribute__((always_inline)) { return F::gradient(dy[i], saved[i], scalars...); }, dy, saved);
}

template <class T>
void softmax_forward(const Team& team, T* y, const T* x, Index N, Index C) {
  const Range rows = share_rows<T>(team, N, C);
  for (Index n = rows.begin; n < rows.end; ++n) softmax_row(y + n * C, x + n * C, C);
}

template <class T>
void softmax_backward(const Team& team, T* dx, const T* dy, const T* y, Index N, Index C) {
  const Range rows = share_rows<T>(team, N, C);
  for (Index n = rows.begin; n < rows.end; ++n) {
    const T *dy_row = dy + n * C, *y_row = y + n * C;
    T* dx_row = dx + n * C;
    const T dot = row_sum<T>(C, [=](Index i) { return dy_row[i] * y_row[i]; });
    for_each({0, C}, [=](Index i) { dx_row[i] = y_row[i] * (dy_row[i] - dot); });
  }
}

template <class T>
void log_softmax_forward(const Team& team, T* y, const T* x, Index N, Index C) {
  const Range rows = share_rows<T>(team, N, C);
  // Short rows go in groups, so that their logarithms are computed together.
  const Index group = C <= 256 ? kLanes : 1;
  for (Index first = rows.begin; first < rows.end; first += group) {
    T max[kLanes] = {}, sum[kLanes] = {}, log_sum[kLanes];
    const Index count = min(group, rows.end - first);
    for (Index l = 0; l < count; ++l) {
      const RowSum<T> row = exp_sum_row(x + (first + l) * C, C);
      max[l] = row.max;
      sum[l] = row.sum;
    }
#pragma omp simd
    for (Index l = 0; l < kLanes; ++l) log_sum[l] = nnative::log(sum[l]);
    for (Index l = 0; l < count; ++l) {
      const T *x_row = x + (first + l) * C, row_max = max[l], row_log_sum = log_sum[l];
      T* y_row = y + (first + l) * C;
      for_each({0, C}, [=](Index i) { y_row[i] = (x_row[i] - row_max) - row_log_sum; });
    }
  }
}

template <class T>
void log_softmax_backward(const Team& team, T* dx, const T* dy, const T* y, Index N, Index C) {
  const Range rows = share_rows<T>(team, N, C);
  for (Index n = rows.begin; n < rows.end; ++n) {
    const T *dy_row = dy + n * C, *y_row = y + n * C;
    T* dx_row = dx + n * C;
    const T sum = row_sum<T>(C, [=](Index i) { return dy_row[i]; });
    for_each({0, C}, [=](Index i) { dx_row[i] = fma(-exp_negative(y_row[i]), sum, dy_row[i]); });
  }
}

template <class T>
constexpr ActivationKernels<T> kKernels{
#define NNATIVE_ACTIVATION(name, ...) \
  .name##_forward = forward<activations::name<T>>, .name##_backward = backward<activations::name<T>>,
    NNATIVE_ACTIVATIONS(NNATIVE_ACTIVATION)
#undef NNATIVE_ACTIVATION
        .softmax_forward = softmax_forward,
    .softmax_backward = softmax_backward,
    .log_softmax_forward = log_softmax_forward,
    .log_softmax_backward = log_softmax_backward,
};

}  // namespace

extern const ActivationKernels<float> activation_f32;
extern const ActivationKernels<double> activation_f64;
constinit const ActivationKernels<float> activation_f32 = kKernels<float>;
constinit const ActivationKernels<double> activation_f64 = kKernels<double>;

}  // namespace nnative::NNATIVE_ISA
