#include "kernels/loss.hpp"

#include "kernels/rows.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

template <class I>
[[gnu::always_inline]] inline Index read_index(const void* target, Index n) {
  return static_cast<Index>(static_cast<const I*>(target)[n]);
}

// The class of row n, or −1 when it is none of the C classes.
[[gnu::always_inline]] inline Index class_of(const void* target, IndexType type, Index n, Index C) {
  Index index = -1;
  switch (type) {
    case IndexType::kInt8:
      index = read_index<std::int8_t>(target, n);
      break;
    case IndexType::kUint8:
      index = read_index<std::uint8_t>(target, n);
      break;
    case IndexType::kInt16:
      index = read_index<std::int16_t>(target, n);
      break;
    case IndexType::kUint16:
      index = read_index<std::uint16_t>(target, n);
      break;
    case IndexType::kInt32:
      index = read_index<std::int32_t>(target, n);
      break;
    case IndexType::kUint32:
      index = read_index<std::uint32_t>(target, n);
      break;
    case IndexType::kInt64:
      index = read_index<std::int64_t>(target, n);
      break;
    case IndexType::kUint64:
      index = read_index<std::uint64_t>(target, n);
      break;
  }
  return index < C ? index : -1;
}

template <class T>
void cross_entropy_forward(const Team& team, T* loss, T* probability, const T* logits, const void* target, Index N,
                           Index C, IndexType type) {
  const Range rows = share_rows<T>(team, N, C);
  // kLanes rows at a time, so that their logarithms are computed together.
  for (Index first = rows.begin; first < rows.end; first += kLanes) {
    T sum[kLanes] = {}, shifted[kLanes] = {};
    const Index count = min(kLanes, rows.end - first);
    for (Index l = 0; l < count; ++l) {
      const Index n = first + l, t = class_of(target, type, n, C);
      const RowSum<T> row = softmax_row(probability + n * C, logits + n * C, C);
      sum[l] = row.sum;
      shifted[l] = t >= 0 ? logits[n * C + t] - row.max : kNan<T>;
    }
    for_each_lane({first, first + count}, [&](Index n, Index l) { loss[n] = nnative::log(sum[l]) - shifted[l]; });
  }
}

template <class T>
void total(const Team& team, T* total, const T* loss, Index N, T scale) {
  shared_sum(team, total, static_cast<T*>(team.shared), N, scale, [=](Index n) { return loss[n]; });
}

template <class T>
void cross_entropy_backward(const Team& team, T* dlogits, const T* dloss, const T* probability, const void* target,
                            Index N, Index C, Index dloss_stride, IndexType type, T scale) {
  const Range rows = share_rows<T>(team, N, C);
  for (Index n = rows.begin; n < rows.end; ++n) {
    const Index t = class_of(target, type, n, C);
    const T factor = t >= 0 ? dloss[n * dloss_stride] * scale : kNan<T>;
    const T* p = probability + n * C;
    T* dx = dlogits + n * C;
    for_each({0, C}, [=](Index i) { dx[i] = factor * p[i]; });
    if (t >= 0) dx[t] = factor * (p[t] - T{1});
  }
}

template <class T>
void squared_error_forward(const Team& team, T* loss, const T* x, const T* target, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) {
    const T error = x[i] - target[i];
    loss[i] = error * error;
  });
}

template <class T>
void squared_error_sum(const Team& team, T* loss, const T* x, const T* target, Index size, T scale) {
  shared_sum(team, loss, static_cast<T*>(team.shared), size, scale, [=](Index i) {
    const T error = x[i] - target[i];
    return error * error;
  });
}

template <class T>
void squared_error_backward(const Team& team, T* dx, const T* dloss, const T* x, const T* target, Index size,
                            Index dloss_stride, T scale) {
  const Range mine = share(team, size, kLanes);
  const T twice = 2 * scale;
  if (dloss_stride == 0) {
    const T factor = twice * *dloss;
    for_each(mine, [=](Index i) { dx[i] = factor * (x[i] - target[i]); });
  } else {
    for_each(mine, [=](Index i) { dx[i] = twice * dloss[i] * (x[i] - target[i]); });
  }
}

template <class T>
Scratch total_scratch(Index size) {
  return {.shared = static_cast<std::size_t>(ceil_div(size, kChunk)) * sizeof(T)};
}

template <class T>
constexpr LossKernels<T> kKernels{
    .cross_entropy_forward = cross_entropy_forward,
    .total = total,
    .cross_entropy_backward = cross_entropy_backward,
    .squared_error_forward = squared_error_forward,
    .squared_error_sum = squared_error_sum,
    .squared_error_backward = squared_error_backward,
    .total_scratch = total_scratch<T>,
};

}  // namespace

extern const LossKernels<float> loss_f32;
extern const LossKernels<double> loss_f64;
constinit const LossKernels<float> loss_f32 = kKernels<float>;
constinit const LossKernels<double> loss_f64 = kKernels<double>;

}  // namespace nnative::NNATIVE_ISA
