#include "kernels/activation.hpp"

#include "kernels/rows.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

template <class T>
void relu_forward(const Team& team, T* y, const T* x, Index size) {
  // Written so that NaN fails the comparison and passes through.
  for_each(share(team, size, kLanes), [=](Index i) { y[i] = x[i] <= T{0} ? T{0} : x[i]; });
}

template <class T>
void relu_backward(const Team& team, T* dx, const T* dy, const T* y, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) { dx[i] = y[i] <= T{0} ? T{0} : dy[i]; });
}

template <class T>
void leaky_relu_forward(const Team& team, T* y, const T* x, Index size, T slope) {
  for_each(share(team, size, kLanes), [=](Index i) { y[i] = x[i] > T{0} ? x[i] : x[i] * slope; });
}

template <class T>
void leaky_relu_backward(const Team& team, T* dx, const T* dy, const T* x, Index size, T slope) {
  for_each(share(team, size, kLanes), [=](Index i) { dx[i] = x[i] > T{0} ? dy[i] : dy[i] * slope; });
}

template <class T>
void sigmoid_forward(const Team& team, T* y, const T* x, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) { y[i] = nnative::sigmoid(x[i]); });
}

template <class T>
void sigmoid_backward(const Team& team, T* dx, const T* dy, const T* y, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) { dx[i] = dy[i] * (y[i] * (T{1} - y[i])); });
}

template <class T>
void tanh_forward(const Team& team, T* y, const T* x, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) { y[i] = nnative::tanh(x[i]); });
}

template <class T>
void tanh_backward(const Team& team, T* dx, const T* dy, const T* y, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) { dx[i] = dy[i] * fma(-y[i], y[i], T{1}); });
}

template <class T>
void exp_forward(const Team& team, T* y, const T* x, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) { y[i] = nnative::exp(x[i]); });
}

template <class T>
void exp_backward(const Team& team, T* dx, const T* dy, const T* y, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) { dx[i] = dy[i] * y[i]; });
}

template <class T>
void log_forward(const Team& team, T* y, const T* x, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) { y[i] = nnative::log(x[i]); });
}

template <class T>
void log_backward(const Team& team, T* dx, const T* dy, const T* x, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) { dx[i] = dy[i] / x[i]; });
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
    .relu_forward = relu_forward,
    .leaky_relu_forward = leaky_relu_forward,
    .sigmoid_forward = sigmoid_forward,
    .tanh_forward = tanh_forward,
    .exp_forward = exp_forward,
    .log_forward = log_forward,
    .relu_backward = relu_backward,
    .leaky_relu_backward = leaky_relu_backward,
    .sigmoid_backward = sigmoid_backward,
    .tanh_backward = tanh_backward,
    .exp_backward = exp_backward,
    .log_backward = log_backward,
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
