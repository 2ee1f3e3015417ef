// The bindings of the losses of pairs of elements, made from their list in kernels/loss.hpp.
#include "bindings/array.hpp"

namespace nnative {
namespace {

// Nanoseconds a byte costs on one core: traffic alone, or a polynomial and a division besides.
constexpr double kStream = 0.15, kPolynomial = 0.3;

template <class T>
Work work(double cost, Index size) {
  return {cost * sizeof(T) * static_cast<double>(size)};
}

// Data of an array that must have the shape of another.
template <class T>
const T* matching(const char* kernel, const char* name, const py::array& array, const py::array& other) {
  if (array.ndim() != other.ndim() || !std::equal(array.shape(), array.shape() + array.ndim(), other.shape()))
    fail_shape(kernel, name, array, "the input's shape " + shape_text(other));
  return input<T>(kernel, name, array);
}

template <class Pick, class... Names>
void def_gradient(py::module_& module, const char* name, const char* suffix, double cost, Pick pick, Names... names) {
  def_kernel(
      module, (std::string(name) + suffix).c_str(),
      [=](const py::array& dloss, const py::array& x, const py::array& target, double scale,
          Scalar<double, Names>... scalars) {
        return with_dtype(name, x, [&](auto zero) -> py::array {
          using T = decltype(zero);
          const Index stride = dloss.size() == 1 ? 0 : 1;
          const T* dloss_data = input<T>(name, "the gradient", dloss, stride == 0 ? 1 : x.size());
          const T *data = input<T>(name, "input", x), *target_data = matching<T>(name, "target", target, x);
          auto dx = empty_like<T>(x);
          const auto [rows, per] = leading(x);
          launch(work<T>(cost, x.size()), pick(*kernels<T>().loss), each(dx.mutable_data(), per),
                 each(dloss_data, stride * per), each(data, per), each(target_data, per), Count{rows, per}, stride,
                 static_cast<T>(scale), static_cast<T>(scalars)...);
          return dx;
        });
      },
      py::arg("dloss"), py::arg("x"), py::arg("target"), py::arg("scale"), py::arg(names)...);
}

template <class Pick, class PickSum, class... Names>
void def_loss(py::module_& module, const char* name, double cost, Pick pick, PickSum pick_sum, Names... names) {
  const std::string prefix = name;
  def_kernel(
      module, (prefix + "_forward").c_str(),
      [=](const py::array& x, const py::array& target, Scalar<double, Names>... scalars) {
        return with_dtype(name, x, [&](auto zero) -> py::array {
          using T = decltype(zero);
          const T *data = input<T>(name, "input", x), *target_data = matching<T>(name, "target", target, x);
          auto loss = empty_like<T>(x);
          const auto [rows, per] = leading(x);
          launch(work<T>(cost, x.size()), pick(*kernels<T>().loss), each(loss.mutable_data(), per), each(data, per),
                 each(target_data, per), Count{rows, per}, static_cast<T>(scalars)...);
          return loss;
        });
      },
      py::arg("x"), py::arg("target"), py::arg(names)...);
  def_kernel(
      module, (prefix + "_sum").c_str(),
      [=](const py::array& x, const py::array& target, double scale, Scalar<double, Names>... scalars) {
        return with_dtype(name, x, [&](auto zero) -> py::array {
          using T = decltype(zero);
          const T *data = input<T>(name, "input", x), *target_data = matching<T>(name, "target", target, x);
          auto loss = empty<T>({});
          const LossKernels<T>& family = *kernels<T>().loss;
          launch(work<T>(cost, x.size()), family.sum_scratch(x.size()), pick_sum(family), loss.mutable_data(), data,
                 target_data, x.size(), static_cast<T>(scale), static_cast<T>(scalars)...);
          return loss;
        });
      },
      py::arg("x"), py::arg("target"), py::arg("scale"), py::arg(names)...);
}

}  // namespace

void bind_elementwise_loss(py::module_& module) {
#define NNATIVE_LOSS(name, cost, ...)                                                 \
  def_loss(                                                                           \
      module, #name, cost, [](auto& k) { return k.name##_forward; },                  \
      [](auto& k) { return k.name##_sum; } __VA_OPT__(, ) __VA_ARGS__);               \
  def_gradient(module, #name, "_backward", cost,                                      \
               [](auto& k) { return k.name##_backward; } __VA_OPT__(, ) __VA_ARGS__); \
  def_gradient(module, #name, "_backward_target", cost,                               \
               [](auto& k) { return k.name##_backward_target; } __VA_OPT__(, ) __VA_ARGS__);
  NNATIVE_LOSSES(NNATIVE_LOSS)
#undef NNATIVE_LOSS
}

}  // namespace nnative
