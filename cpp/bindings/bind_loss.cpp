#include "bindings/array.hpp"

namespace nnative {
namespace {

template <class I>
void check_range(const py::array& target, Index C) {
  const I* data = static_cast<const I*>(target.data());
  const Index N = target.size();
  const auto outside = [=](Index n) { return static_cast<std::uint64_t>(data[n]) >= static_cast<std::uint64_t>(C); };
  bool any = false;
  for (Index n = 0; n < N; ++n) any |= outside(n);
  for (Index n = 0; any && n < N; ++n) {
    if (outside(n))
      throw py::value_error("[cross_entropy] expected class indices below " + std::to_string(C) +
                            " (the number of classes) and not negative, got target[" + std::to_string(n) +
                            "] = " + std::to_string(data[n]));
  }
}

// The integer type of the class indices, after checking all of them.
IndexType check_target(const py::array& target, Index N, Index C) {
  const py::dtype dtype = target.dtype();
  const char kind = dtype.kind(), order = dtype.byteorder();
  if ((kind != 'i' && kind != 'u') || (order != '=' && order != '|'))
    throw py::type_error("[cross_entropy] expected target of an integer dtype (class indices), got " +
                         py::str(dtype).cast<std::string>());
  if (target.ndim() != 1 || target.shape(0) != N)
    fail_shape("cross_entropy", "target", target, "shape (" + std::to_string(N) + ",), one class for each row");
  if (!(target.flags() & py::array::c_style) || !(target.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_))
    fail_type("cross_entropy", "target", target);
  if (recorder != nullptr) recorder->note_used("cross_entropy", target);
  switch (dtype.itemsize() * (kind == 'i' ? 1 : -1)) {
    case 1:
      return check_range<std::int8_t>(target, C), IndexType::kInt8;
    case -1:
      return check_range<std::uint8_t>(target, C), IndexType::kUint8;
    case 2:
      return check_range<std::int16_t>(target, C), IndexType::kInt16;
    case -2:
      return check_range<std::uint16_t>(target, C), IndexType::kUint16;
    case 4:
      return check_range<std::int32_t>(target, C), IndexType::kInt32;
    case -4:
      return check_range<std::uint32_t>(target, C), IndexType::kUint32;
    case 8:
      return check_range<std::int64_t>(target, C), IndexType::kInt64;
    default:
      return check_range<std::uint64_t>(target, C), IndexType::kUint64;
  }
}

template <class T>
Work row_work(const Shape2& shape) {
  return {static_cast<double>(shape.rows) * (15 + 0.25 * sizeof(T) * static_cast<double>(shape.cols))};
}

template <class T>
Work stream_work(Index size) {
  return {0.15 * sizeof(T) * static_cast<double>(size)};
}

py::tuple cross_entropy_forward(const py::array& logits, const py::array& target) {
  return with_dtype("cross_entropy", logits, [&](auto zero) -> py::tuple {
    using T = decltype(zero);
    const Shape2 shape = shape2("cross_entropy", "logits", logits);
    const T* data = input<T>("cross_entropy", "logits", logits);
    const IndexType type = check_target(target, shape.rows, shape.cols);
    auto loss = empty<T>({shape.rows});
    auto probability = empty_like<T>(logits);
    launch(row_work<T>(shape), kernels<T>().loss->cross_entropy_forward, each(loss.mutable_data(), 1),
           each(probability.mutable_data(), shape.cols), each(data, shape.cols), each(target.data(), target.itemsize()),
           Count{shape.rows}, shape.cols, type);
    return py::make_tuple(std::move(loss), std::move(probability));
  });
}

// In two launches, since members can take rows of the first.
py::tuple cross_entropy_sum(const py::array& logits, const py::array& target, double scale) {
  return with_dtype("cross_entropy", logits, [&](auto zero) -> py::tuple {
    using T = decltype(zero);
    const py::tuple rows = cross_entropy_forward(logits, target);
    const auto losses = py::reinterpret_borrow<py::array_t<T>>(rows[0]);
    auto total = empty<T>({});
    const LossKernels<T>& family = *kernels<T>().loss;
    launch(stream_work<T>(losses.size()), family.total_scratch(losses.size()), family.total, total.mutable_data(),
           losses.data(), losses.size(), static_cast<T>(scale));
    return py::make_tuple(std::move(total), rows[1]);
  });
}

// Elements to the next gradient: 0 when one number is the gradient of all.
Index dloss_stride(const py::array& dloss) { return dloss.size() == 1 ? 0 : 1; }

py::array cross_entropy_backward(const py::array& dloss, const py::array& probability, const py::array& target,
                                 double scale) {
  return with_dtype("cross_entropy", probability, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Shape2 shape = shape2("cross_entropy", "probability", probability);
    const Index stride = dloss_stride(dloss);
    const T* dloss_data = input<T>("cross_entropy", "the gradient", dloss, stride == 0 ? 1 : shape.rows);
    const T* data = input<T>("cross_entropy", "probability", probability);
    const IndexType type = check_target(target, shape.rows, shape.cols);
    auto dlogits = empty_like<T>(probability);
    launch(stream_work<T>(probability.size() + 16 * shape.rows), kernels<T>().loss->cross_entropy_backward,
           each(dlogits.mutable_data(), shape.cols), each(dloss_data, stride), each(data, shape.cols),
           each(target.data(), target.itemsize()), Count{shape.rows}, shape.cols, stride, type, static_cast<T>(scale));
    return dlogits;
  });
}

// Data of an array that must have the shape of another.
template <class T>
const T* matching(const char* kernel, const char* name, const py::array& array, const py::array& other) {
  if (array.ndim() != other.ndim() || !std::equal(array.shape(), array.shape() + array.ndim(), other.shape()))
    fail_shape(kernel, name, array, "the input's shape " + shape_text(other));
  return input<T>(kernel, name, array);
}

py::array squared_error_forward(const py::array& x, const py::array& target) {
  return with_dtype("mse_loss", x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const T *data = input<T>("mse_loss", "input", x), *target_data = matching<T>("mse_loss", "target", target, x);
    auto loss = empty_like<T>(x);
    const auto [rows, per] = leading(x);
    launch(stream_work<T>(x.size()), kernels<T>().loss->squared_error_forward, each(loss.mutable_data(), per),
           each(data, per), each(target_data, per), Count{rows, per});
    return loss;
  });
}

py::array squared_error_sum(const py::array& x, const py::array& target, double scale) {
  return with_dtype("mse_loss", x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const T *data = input<T>("mse_loss", "input", x), *target_data = matching<T>("mse_loss", "target", target, x);
    auto loss = empty<T>({});
    const LossKernels<T>& family = *kernels<T>().loss;
    launch(stream_work<T>(x.size()), family.total_scratch(x.size()), family.squared_error_sum, loss.mutable_data(),
           data, target_data, x.size(), static_cast<T>(scale));
    return loss;
  });
}

py::array squared_error_backward(const py::array& dloss, const py::array& x, const py::array& target, double scale) {
  return with_dtype("mse_loss", x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Index stride = dloss_stride(dloss);
    const T* dloss_data = input<T>("mse_loss", "the gradient", dloss, stride == 0 ? 1 : x.size());
    const T *data = input<T>("mse_loss", "input", x), *target_data = matching<T>("mse_loss", "target", target, x);
    auto dx = empty_like<T>(x);
    const auto [rows, per] = leading(x);
    launch(stream_work<T>(x.size()), kernels<T>().loss->squared_error_backward, each(dx.mutable_data(), per),
           each(dloss_data, stride * per), each(data, per), each(target_data, per), Count{rows, per}, stride,
           static_cast<T>(scale));
    return dx;
  });
}

}  // namespace

void bind_loss(py::module_& module) {
  using py::arg;
  def_kernel(module, "cross_entropy_forward", cross_entropy_forward, arg("logits"), arg("target"));
  def_kernel(module, "cross_entropy_sum", cross_entropy_sum, arg("logits"), arg("target"), arg("scale"));
  def_kernel(module, "cross_entropy_backward", cross_entropy_backward, arg("dloss"), arg("probability"), arg("target"),
             arg("scale"));
  def_kernel(module, "squared_error_forward", squared_error_forward, arg("x"), arg("target"));
  def_kernel(module, "squared_error_sum", squared_error_sum, arg("x"), arg("target"), arg("scale"));
  def_kernel(module, "squared_error_backward", squared_error_backward, arg("dloss"), arg("x"), arg("target"),
             arg("scale"));
}

}  // namespace nnative
