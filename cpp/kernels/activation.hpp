// Elementwise activations over `size` elements and row-wise softmax. N rows, C classes; all arrays row-major.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

template <class T>
struct ActivationKernels {
  // y (size) = f(x) (size)
  void (*relu_forward)(const Team&, T* y, const T* x, Index size);
  void (*leaky_relu_forward)(const Team&, T* y, const T* x, Index size, T slope);
  void (*sigmoid_forward)(const Team&, T* y, const T* x, Index size);
  void (*tanh_forward)(const Team&, T* y, const T* x, Index size);
  void (*exp_forward)(const Team&, T* y, const T* x, Index size);
  void (*log_forward)(const Team&, T* y, const T* x, Index size);

  // dx (size) = dy · f′, from the saved input x or the saved output y
  void (*relu_backward)(const Team&, T* dx, const T* dy, const T* y, Index size);
  void (*leaky_relu_backward)(const Team&, T* dx, const T* dy, const T* x, Index size, T slope);
  void (*sigmoid_backward)(const Team&, T* dx, const T* dy, const T* y, Index size);
  void (*tanh_backward)(const Team&, T* dx, const T* dy, const T* y, Index size);
  void (*exp_backward)(const Team&, T* dx, const T* dy, const T* y, Index size);
  void (*log_backward)(const Team&, T* dx, const T* dy, const T* x, Index size);

  // y (N,C) from x (N,C), along the rows; dx (N,C) from dy and the saved output y
  void (*softmax_forward)(const Team&, T* y, const T* x, Index N, Index C);
  void (*softmax_backward)(const Team&, T* dx, const T* dy, const T* y, Index N, Index C);
  void (*log_softmax_forward)(const Team&, T* y, const T* x, Index N, Index C);
  void (*log_softmax_backward)(const Team&, T* dx, const T* dy, const T* y, Index N, Index C);
};

}  // namespace nnative
