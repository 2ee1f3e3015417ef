#include <pybind11/stl.h>

#include "bindings/array.hpp"

namespace nnative {
namespace {

template <class I>
void check_range(const char* kernel, const py::array& target, Index C, std::int64_t ignore) {
  const I* data = static_cast<const I*>(target.data());
  const Index N = target.size();
  const auto outside = [=](Index n) {
    return static_cast<std::uint64_t>(data[n]) >= static_cast<std::uint64_t>(C) &&
           static_cast<std::int64_t>(data[n]) != ignore;
  };
  bool any = false;
  for (Index n = 0; n < N; ++n) any |= outside(n);
  for (Index n = 0; any && n < N; ++n) {
    if (outside(n))
      throw py::value_error("[" + std::string(kernel) + "] expected class indices below " + std::to_string(C) +
                            " (the number of classes) and not negative, got target[" + std::to_string(n) +
                            "] = " + std::to_string(data[n]));
  }
}

IndexType index_type(const py::array& target) {
  const py::dtype dtype = target.dtype();
  switch (dtype.itemsize() * (dtype.kind() == 'i' ? 1 : -1)) {
    case 1:
      return IndexType::kInt8;
    case -1:
      return IndexType::kUint8;
    case 2:
      return IndexType::kInt16;
    case -2:
      return IndexType::kUint16;
    case 4:
      return IndexType::kInt32;
    case -4:
      return IndexType::kUint32;
    case 8:
      return IndexType::kInt64;
    default:
      return IndexType::kUint64;
  }
}

// The integer type of class indices that a kernel can read.
IndexType usable_target(const char* kernel, const py::array& target) {
  const py::dtype dtype = target.dtype();
  const char kind = dtype.kind(), order = dtype.byteorder();
  if ((kind != 'i' && kind != 'u') || (order != '=' && order != '|'))
    throw py::type_error("[" + std::string(kernel) + "] expected target of an integer dtype (class indices), got " +
                         py::str(dtype).cast<std::string>());
  if (!usable(target)) fail_type(kernel, "target", target);
  if (recorder != nullptr) recorder->note_used(kernel, target);
  return index_type(target);
}

// The same, after checking shape and indices.
IndexType check_target(const char* kernel, const py::array& target, Index N, Index C, std::int64_t ignore) {
  const IndexType type = usable_target(kernel, target);
  if (target.ndim() != 1 || target.shape(0) != N)
    fail_shape(kernel, "target", target, "shape (" + std::to_string(N) + ",), one class for each row");
  switch (type) {
    case IndexType::kInt8:
      return check_range<std::int8_t>(kernel, target, C, ignore), type;
    case IndexType::kUint8:
      return check_range<std::uint8_t>(kernel, target, C, ignore), type;
    case IndexType::kInt16:
      return check_range<std::int16_t>(kernel, target, C, ignore), type;
    case IndexType::kUint16:
      return check_range<std::uint16_t>(kernel, target, C, ignore), type;
    case IndexType::kInt32:
      return check_range<std::int32_t>(kernel, target, C, ignore), type;
    case IndexType::kUint32:
      return check_range<std::uint32_t>(kernel, target, C, ignore), type;
    case IndexType::kInt64:
      return check_range<std::int64_t>(kernel, target, C, ignore), type;
    case IndexType::kUint64:
      return check_range<std::uint64_t>(kernel, target, C, ignore), type;
  }
  return type;
}

template <class T>
Work row_work(const Shape2& shape) {
  return {static_cast<double>(shape.rows) * (15 + 0.25 * sizeof(T) * static_cast<double>(shape.cols))};
}

template <class T>
Work stream_work(Index size) {
  return {0.15 * sizeof(T) * static_cast<double>(size)};
}

// The weights of the classes, or null.
template <class T>
const T* class_weight(const char* kernel, const std::optional<py::array>& weight, Index C) {
  return weight ? input<T>(kernel, "weight", *weight, C) : nullptr;
}

// Elements to the next gradient: 0 when one number is the gradient of all.
Index dloss_stride(const py::array& dloss) { return dloss.size() == 1 ? 0 : 1; }

using Weight = std::optional<py::array>;

template <class T>
py::array row_total(const char* kernel, const py::array& losses, const py::array& target, const T* weight, Index C,
                    IndexType type, std::int64_t ignore, bool mean) {
  auto total = empty<T>({});
  const LossKernels<T>& family = *kernels<T>().loss;
  launch(stream_work<T>(4 * losses.size()), family.sum_scratch(losses.size()), family.row_total, total.mutable_data(),
         input<T>(kernel, "losses", losses), target.data(), weight, losses.size(), C, type, ignore, mean);
  return total;
}

py::array cross_entropy_forward(const py::array& logits, const py::array& target, const Weight& weight,
                                std::int64_t ignore, double smoothing) {
  constexpr const char* kName = "cross_entropy";
  return with_dtype(kName, logits, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Shape2 shape = shape2(kName, "logits", logits);
    const T *data = input<T>(kName, "logits", logits), *weights = class_weight<T>(kName, weight, shape.cols);
    const IndexType type = check_target(kName, target, shape.rows, shape.cols, ignore);
    auto loss = empty<T>({shape.rows});
    launch(row_work<T>(shape), kernels<T>().loss->cross_entropy_forward, each(loss.mutable_data(), 1),
           each(data, shape.cols), each(target.data(), target.itemsize()), weights, Count{shape.rows}, shape.cols, type,
           ignore, static_cast<T>(smoothing));
    return loss;
  });
}

// In two launches, since members can take rows of the first.
py::array cross_entropy_sum(const py::array& logits, const py::array& target, bool mean, const Weight& weight,
                            std::int64_t ignore, double smoothing) {
  return with_dtype("cross_entropy", logits, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const py::array losses = cross_entropy_forward(logits, target, weight, ignore, smoothing);
    const Index C = logits.shape(1);
    return row_total<T>("cross_entropy", losses, target, class_weight<T>("cross_entropy", weight, C), C,
                        index_type(target), ignore, mean);
  });
}

py::array cross_entropy_backward(const py::array& dloss, const py::array& logits, const py::array& target, bool mean,
                                 const Weight& weight, std::int64_t ignore, double smoothing) {
  constexpr const char* kName = "cross_entropy";
  return with_dtype(kName, logits, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Shape2 shape = shape2(kName, "logits", logits);
    const Index stride = dloss_stride(dloss);
    const T* dloss_data = input<T>(kName, "the gradient", dloss, stride == 0 ? 1 : shape.rows);
    const T *data = input<T>(kName, "logits", logits), *weights = class_weight<T>(kName, weight, shape.cols);
    const IndexType type = check_target(kName, target, shape.rows, shape.cols, ignore);
    auto dlogits = empty_like<T>(logits);
    const LossKernels<T>& family = *kernels<T>().loss;
    launch(row_work<T>(shape), family.cross_entropy_scratch(shape.cols), family.cross_entropy_backward,
           each(static_cast<T*>(nullptr), 1), each(dlogits.mutable_data(), shape.cols), each(data, shape.cols),
           each(dloss_data, stride), each(target.data(), target.itemsize()), weights, target.data(), Count{shape.rows},
           shape.cols, shape.rows, stride, type, ignore, static_cast<T>(smoothing), mean);
    return dlogits;
  });
}

py::array nll_forward(const py::array& x, const py::array& target, const Weight& weight, std::int64_t ignore) {
  return with_dtype("nll_loss", x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Shape2 shape = shape2("nll_loss", "input", x);
    const T *data = input<T>("nll_loss", "input", x), *weights = class_weight<T>("nll_loss", weight, shape.cols);
    const IndexType type = check_target("nll_loss", target, shape.rows, shape.cols, ignore);
    auto loss = empty<T>({shape.rows});
    launch(Work{4.0 * static_cast<double>(shape.rows)}, kernels<T>().loss->nll_forward, each(loss.mutable_data(), 1),
           each(data, shape.cols), each(target.data(), target.itemsize()), weights, Count{shape.rows}, shape.cols, type,
           ignore);
    return loss;
  });
}

py::array nll_sum(const py::array& x, const py::array& target, bool mean, const Weight& weight, std::int64_t ignore) {
  return with_dtype("nll_loss", x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const py::array losses = nll_forward(x, target, weight, ignore);
    const Index C = x.shape(1);
    return row_total<T>("nll_loss", losses, target, class_weight<T>("nll_loss", weight, C), C, index_type(target),
                        ignore, mean);
  });
}

py::array nll_backward(const py::array& dloss, const py::array& target, Index classes, bool mean, const Weight& weight,
                       std::int64_t ignore) {
  return with_dtype("nll_loss", dloss, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Index N = target.size(), stride = dloss_stride(dloss);
    const T* dloss_data = input<T>("nll_loss", "the gradient", dloss, stride == 0 ? 1 : N);
    const T* weights = class_weight<T>("nll_loss", weight, classes);
    const IndexType type = check_target("nll_loss", target, N, classes, ignore);
    auto dx = empty<T>({N, classes});
    launch(stream_work<T>(dx.size() + 16 * N), kernels<T>().loss->nll_backward, each(dx.mutable_data(), classes),
           each(dloss_data, stride), each(target.data(), target.itemsize()), weights, target.data(), Count{N}, classes,
           N, stride, type, ignore, mean);
    return dx;
  });
}

void check_labels(py::array& bad, const py::array& target, Index classes, std::int64_t ignore) {
  launch(Work{static_cast<double>(target.size())}, kernels<float>().loss->check_labels,
         output<std::int64_t>("check_labels", "bad", bad, 2), target.data(), static_cast<Index>(target.size()), classes,
         usable_target("check_labels", target), ignore);
}

py::array multilabel_margin_forward(const py::array& x, const py::array& target) {
  constexpr const char* kName = "multilabel_margin_loss";
  return with_dtype(kName, x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Shape2 shape = shape2(kName, "input", x);
    auto loss = empty<T>({shape.rows});
    const LossKernels<T>& family = *kernels<T>().loss;
    launch(row_work<T>(shape), family.multilabel_margin_scratch(shape.cols), family.multilabel_margin_forward,
           loss.mutable_data(), input<T>(kName, "input", x), input<std::int64_t>(kName, "target", target, x.size()),
           shape.rows, shape.cols);
    return loss;
  });
}

py::array multilabel_margin_backward(const py::array& dloss, const py::array& x, const py::array& target) {
  constexpr const char* kName = "multilabel_margin_loss";
  return with_dtype(kName, x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Shape2 shape = shape2(kName, "input", x);
    auto dx = empty_like<T>(x);
    const LossKernels<T>& family = *kernels<T>().loss;
    launch(row_work<T>(shape), family.multilabel_margin_scratch(shape.cols), family.multilabel_margin_backward,
           dx.mutable_data(), input<T>(kName, "the gradient", dloss, shape.rows), input<T>(kName, "input", x),
           input<std::int64_t>(kName, "target", target, x.size()), shape.rows, shape.cols);
    return dx;
  });
}

}  // namespace

void bind_elementwise_loss(py::module_& module);

void bind_loss(py::module_& module) {
  using py::arg;
  using py::none;
  const auto weight = [] { return arg("weight") = none(); };
  const auto ignore = [] { return arg("ignore_index") = -100; };
  const auto smoothing = [] { return arg("label_smoothing") = 0.0; };
  def_kernel(module, "cross_entropy_forward", cross_entropy_forward, arg("logits"), arg("target"), weight(), ignore(),
             smoothing());
  def_kernel(module, "cross_entropy_sum", cross_entropy_sum, arg("logits"), arg("target"), arg("mean"), weight(),
             ignore(), smoothing());
  def_kernel(module, "cross_entropy_backward", cross_entropy_backward, arg("dloss"), arg("logits"), arg("target"),
             arg("mean"), weight(), ignore(), smoothing());
  def_kernel(module, "nll_forward", nll_forward, arg("x"), arg("target"), weight(), ignore());
  def_kernel(module, "nll_sum", nll_sum, arg("x"), arg("target"), arg("mean"), weight(), ignore());
  def_kernel(module, "nll_backward", nll_backward, arg("dloss"), arg("target"), arg("classes"), arg("mean"), weight(),
             ignore());
  def_kernel(module, "check_labels", check_labels, arg("bad"), arg("target"), arg("classes"), ignore());
  def_kernel(module, "multilabel_margin_forward", multilabel_margin_forward, arg("x"), arg("target"));
  def_kernel(module, "multilabel_margin_backward", multilabel_margin_backward, arg("dloss"), arg("x"), arg("target"));
  bind_elementwise_loss(module);
}

}  // namespace nnative
