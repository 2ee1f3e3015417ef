// Elementwise activations over `size` elements and row-wise softmax. N rows, C classes; all arrays row-major.
#pragma once

#include "kernels/pointwise.hpp"

// Every elementwise activation: its name, what its backward pass reads (the input x or the output y), and its scalars.
// The functions themselves are in activation_functions.hpp; kernels, table and bindings follow from this list.
#define NNATIVE_ACTIVATIONS(F)                 \
  F(relu, "y")                                 \
  F(leaky_relu, "x", "slope")                  \
  F(sigmoid, "y")                              \
  F(tanh, "y")                                 \
  F(exp, "y")                                  \
  F(log, "x")                                  \
  F(elu, "x", "alpha", "scale", "input_scale") \
  F(gelu, "x")                                 \
  F(gelu_tanh, "x")                            \
  F(silu, "x")                                 \
  F(mish, "x")                                 \
  F(log_sigmoid, "x")                          \
  F(softplus, "x", "beta", "threshold")        \
  F(softsign, "x")                             \
  F(tanhshrink, "x")                           \
  F(softshrink, "x", "bound")                  \
  F(hardshrink, "x", "bound")                  \
  F(hardtanh, "x", "low", "high")              \
  F(hardsigmoid, "x")                          \
  F(hardswish, "x")                            \
  F(threshold, "x", "bound", "value")          \
  F(step, "x")                                 \
  F(sign, "x")

namespace nnative {

template <class T>
struct ActivationKernels {
  // relu_forward and so on: y (size) = f(x) (size). relu_backward and so on: dx (size) = dy · f′, from x or y.
#define NNATIVE_ACTIVATION(name, saved, ...)               \
  decltype(forward_kernel<T>(__VA_ARGS__)) name##_forward; \
  decltype(backward_kernel<T>(__VA_ARGS__)) name##_backward;
  NNATIVE_ACTIVATIONS(NNATIVE_ACTIVATION)
#undef NNATIVE_ACTIVATION

  // y (N,C) from x (N,C), along the rows; dx (N,C) from dy and the saved output y
  void (*softmax_forward)(const Team&, T* y, const T* x, Index N, Index C);
  void (*softmax_backward)(const Team&, T* dx, const T* dy, const T* y, Index N, Index C);
  void (*log_softmax_forward)(const Team&, T* y, const T* x, Index N, Index C);
  void (*log_softmax_backward)(const Team&, T* dx, const T* dy, const T* y, Index N, Index C);
};

}  // namespace nnative
