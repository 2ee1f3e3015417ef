// Losses. N rows, C classes; all arrays row-major.
#pragma once

#include "kernels/pointwise.hpp"

// Every loss of an input x and a target of its shape, element by element: its name, whether it costs a polynomial or
// traffic alone, and its scalars. The functions are in loss_functions.hpp; kernels, table and bindings follow from
// here.
#define NNATIVE_LOSSES(F)                     \
  F(squared_error, kStream)                   \
  F(absolute_error, kStream)                  \
  F(smooth_l1, kStream, "beta")               \
  F(huber, kStream, "delta")                  \
  F(hinge_embedding, kStream, "margin")       \
  F(cosine_embedding, kStream, "margin")      \
  F(soft_margin, kPolynomial)                 \
  F(binary_cross_entropy, kPolynomial)        \
  F(binary_cross_entropy_logits, kPolynomial) \
  F(kl_div, kPolynomial)                      \
  F(kl_div_log, kPolynomial)                  \
  F(poisson_nll, kPolynomial, "full", "eps")  \
  F(poisson_nll_log, kPolynomial, "full")

namespace nnative {

// Integer types that class indices may have.
enum class IndexType { kInt8, kUint8, kInt16, kUint16, kInt32, kUint32, kInt64, kUint64 };

// Types of the kernels of an elementwise loss: see LossKernels.
template <class T, class... Names>
auto loss_kernel(Names...)
    -> void (*)(const Team&, T* loss, const T* x, const T* target, Index size, Scalar<T, Names>...);
template <class T, class... Names>
auto loss_sum_kernel(Names...)
    -> void (*)(const Team&, T* loss, const T* x, const T* target, Index size, T scale, Scalar<T, Names>...);
template <class T, class... Names>
auto loss_backward_kernel(Names...) -> void (*)(const Team&, T* dx, const T* dloss, const T* x, const T* target,
                                                Index size, Index dloss_stride, T scale, Scalar<T, Names>...);

template <class T>
struct LossKernels {
  // squared_error_forward and so on: loss (size) = f(x, target).
  // squared_error_sum: loss (1) = scale · Σ of it, without the array.
  // squared_error_backward: dx (size) = dloss · scale · ∂f/∂x; dloss has `size` values, or one when dloss_stride is 0.
  // squared_error_backward_target: the same with ∂f/∂target.
#define NNATIVE_LOSS(name, cost, ...)                   \
  decltype(loss_kernel<T>(__VA_ARGS__)) name##_forward; \
  decltype(loss_sum_kernel<T>(__VA_ARGS__)) name##_sum; \
  decltype(loss_backward_kernel<T>(__VA_ARGS__)) name##_backward, name##_backward_target;
  NNATIVE_LOSSES(NNATIVE_LOSS)
#undef NNATIVE_LOSS

  // Losses of rows by their class, target (N). weight (C) or null has the weight of each class; a row of class `ignore`
  // counts for nothing. A row of any other class outside [0, C) has the loss NaN and no gradient.
  //
  // loss (N) = (1 − smoothing) · w_t · (logΣexp(logits) − logits[t]) + smoothing/C · Σ_c w_c · (logΣexp − logits[c])
  void (*cross_entropy_forward)(const Team&, T* loss, const T* logits, const void* target, const T* weight, Index N,
                                Index C, IndexType type, std::int64_t ignore, T smoothing);
  // dlogits (N,C), from softmax(logits) that is computed again: to keep it would take longer where it is large; also
  // loss (N) as above where it is not null. dloss has N values, or one when dloss_stride is 0. With `mean` it is
  // divided by Σ w_t over all `rows` targets of the batch, of which these may be a part: whoever needs the divisor
  // computes it, so that the gradient of a row need not wait for the loss of another.
  void (*cross_entropy_backward)(const Team&, T* loss, T* dlogits, const T* logits, const T* dloss, const void* target,
                                 const T* weight, const void* all_targets, Index N, Index C, Index rows,
                                 Index dloss_stride, IndexType type, std::int64_t ignore, T smoothing, bool mean);
  Scratch (*cross_entropy_scratch)(Index C);  // of the latter
  // The same of x (N,C) = log-probabilities: loss (N) = −w_t · x[t]
  void (*nll_forward)(const Team&, T* loss, const T* x, const void* target, const T* weight, Index N, Index C,
                      IndexType type, std::int64_t ignore);
  void (*nll_backward)(const Team&, T* dx, const T* dloss, const void* target, const T* weight, const void* all_targets,
                       Index N, Index C, Index rows, Index dloss_stride, IndexType type, std::int64_t ignore,
                       bool mean);
  // total (1) = Σ loss (N), with `mean` divided by Σ w_t
  void (*row_total)(const Team&, T* total, const T* loss, const void* target, const T* weight, Index N, Index C,
                    IndexType type, std::int64_t ignore, bool mean);
  // bad (2) = the place plus one and the index of the first target that is no class and not `ignore`; else it stays
  void (*check_labels)(const Team&, std::int64_t* bad, const void* target, Index N, Index C, IndexType type,
                       std::int64_t ignore);

  // loss (N) = Σ over the classes t of a row, and those i that are none, of max(0, 1 − x[t] + x[i]) / C. target (N,C)
  // begins with the row's classes; a −1 ends them. NaN where one is no class. The backward pass has dloss (N).
  void (*multilabel_margin_forward)(const Team&, T* loss, const T* x, const std::int64_t* target, Index N, Index C);
  void (*multilabel_margin_backward)(const Team&, T* dx, const T* dloss, const T* x, const std::int64_t* target,
                                     Index N, Index C);

  // Of the sums over `size` elements, and of multilabel_margin.
  Scratch (*sum_scratch)(Index size);
  Scratch (*multilabel_margin_scratch)(Index C);
};

}  // namespace nnative
