// Operations on the elements of one array or of several that broadcast. Results are contiguous.
#pragma once

#include "kernels/layout.hpp"

namespace nnative {

template <class T>
struct ElementwiseKernels {
  // y (size) = f(x) (size)
  using Unary = void (*)(const Team&, T* y, const T* x, Index size);
  Unary neg, abs, sqrt;
  void (*clip)(const Team&, T* y, const T* x, Index size, T low, T high);
  // y (size) = value
  void (*fill)(const Team&, T* y, Index size, T value);
  // y (size) += x (size)
  void (*accumulate)(const Team&, T* y, const T* x, Index size);

  // y (size) = x (size), converted
  void (*from_float)(const Team&, T* y, const float* x, Index size);
  void (*from_double)(const Team&, T* y, const double* x, Index size);
  void (*from_int64)(const Team&, T* y, const std::int64_t* x, Index size);
  void (*from_byte)(const Team&, T* y, const std::uint8_t* x, Index size);

  // dx (size) = dy · f′, from the saved input x or the saved output y
  void (*abs_backward)(const Team&, T* dx, const T* dy, const T* x, Index size);
  void (*sqrt_backward)(const Team&, T* dx, const T* dy, const T* y, Index size);
  void (*clip_backward)(const Team&, T* dx, const T* dy, const T* x, Index size, T low, T high);

  // out = f(a, b); an operand that is null is the scalar
  using Binary = void (*)(const Team&, T* out, const T* a, const T* b, Layout<2> layout, T scalar);
  Binary add, sub, mul, div, maximum, minimum, pow;
  Binary add_relu;  // relu_forward of add
  // a where a > 0, else a · b: PReLU, b being the weight
  Binary prelu;
  // out = a where the condition holds, else b; two scalars
  void (*where)(const Team&, T* out, const T* a, const T* b, const bool* condition, Layout<3> layout, T a_scalar,
                T b_scalar);

  // Gradients for one operand, before the sum over broadcast dimensions: of b for div, of a for maximum (minimum is
  // maximum with its operands exchanged), of each for pow and prelu. An operand that is null is the scalar.
  using Gradient = void (*)(const Team&, T* out, const T* dy, const T* a, const T* b, Layout<3> layout, T scalar);
  Gradient div_backward, maximum_backward, pow_backward_base, pow_backward_exponent, prelu_backward_input,
      prelu_backward_weight;
};

}  // namespace nnative
