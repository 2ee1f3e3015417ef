#include "kernels/linear.hpp"

#include "kernels/product.hpp"
#include "kernels/skinny.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

// Forward has two forms, and the cheaper one is taken. Plain: rows of x against packed columns of weightᵀ. Swapped:
// rows of weight against packed columns of xᵀ, storing the transpose. Both add the same products in the same order. The
// costs are in cycles an element of a transposing pack and of a transposing store, as measured.
bool swapped(Index N, Index K, Index M) {
  const double pack = 0.4, store = 0.35;
  return pack * static_cast<double>(N * K) + store * static_cast<double>(N * M) < pack * static_cast<double>(M * K);
}

template <class T>
Product<T> forward_product(T* y, const T* x, const T* weight, const T* bias, Index N, Index K, Index M) {
  if (swapped(N, K, M))
    return {.I = M,
            .J = N,
            .P = K,
            .a = weight,
            .a_row = K,
            .a_step = 1,
            .b = x,
            .b_row = K,
            .b_order = Order::columns,
            .out = {y, M, Order::columns, bias}};
  return {.I = N,
          .J = M,
          .P = K,
          .a = x,
          .a_row = K,
          .a_step = 1,
          .b = weight,
          .b_row = K,
          .b_order = Order::columns,
          .out = {y, M, Order::rows, nullptr, bias}};
}

template <class T>
Product<T> backward_input_product(T* dx, const T* dy, const T* weight, Index N, Index K, Index M) {
  return {.I = N,
          .J = K,
          .P = M,
          .a = dy,
          .a_row = M,
          .a_step = 1,
          .b = weight,
          .b_row = K,
          .b_order = Order::rows,
          .out = {dx, K, Order::rows}};
}

template <class T>
Product<T> backward_weight_product(T* dweight, T* dbias, const T* dy, const T* x, Index N, Index K, Index M) {
  return {.I = M,
          .J = K,
          .P = N,
          .a = dy,
          .a_row = 1,
          .a_step = M,
          .b = x,
          .b_row = K,
          .b_order = Order::rows,
          .out = {dweight, K, Order::rows},
          .a_sum = dbias};
}

template <class T>
void forward(const Team& team, T* y, const T* x, const T* weight, const T* bias, Index N, Index K, Index M) {
  if (N <= kSkinnyRows && N > 0) {
    skinny_forward(team, y, x, weight, bias, N, K, M);
  } else {
    multiply(team, forward_product(y, x, weight, bias, N, K, M));
  }
}

template <class T>
void backward_input(const Team& team, T* dx, const T* dy, const T* weight, Index N, Index K, Index M) {
  multiply(team, backward_input_product(dx, dy, weight, N, K, M));
}

template <class T>
void backward_weight(const Team& team, T* dweight, T* dbias, const T* dy, const T* x, Index N, Index K, Index M) {
  multiply(team, backward_weight_product(dweight, dbias, dy, x, N, K, M));
}

template <class T>
Scratch forward_scratch(Index N, Index K, Index M) {
  return multiply_scratch(forward_product<T>(nullptr, nullptr, nullptr, nullptr, N, K, M));
}

template <class T>
Scratch backward_input_scratch(Index N, Index K, Index M) {
  return multiply_scratch(backward_input_product<T>(nullptr, nullptr, nullptr, N, K, M));
}

template <class T>
Scratch backward_weight_scratch(Index N, Index K, Index M) {
  return multiply_scratch(backward_weight_product<T>(nullptr, nullptr, nullptr, nullptr, N, K, M));
}

template <class T>
constexpr LinearKernels<T> kTable{
    .forward = forward<T>,
    .backward_input = backward_input<T>,
    .backward_weight = backward_weight<T>,
    .forward_scratch = forward_scratch<T>,
    .backward_input_scratch = backward_input_scratch<T>,
    .backward_weight_scratch = backward_weight_scratch<T>,
};

}  // namespace

extern const LinearKernels<float> linear_f32;
extern const LinearKernels<double> linear_f64;
constinit const LinearKernels<float> linear_f32 = kTable<float>;
constinit const LinearKernels<double> linear_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
