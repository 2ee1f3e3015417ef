#include "bindings/array.hpp"

namespace nnative {
namespace {

// Nanoseconds an element costs on one core: traffic alone, or a polynomial and a division besides.
template <class T>
constexpr double kStream = 0.15 * sizeof(T);
template <class T>
constexpr double kPolynomial = 0.25 * sizeof(T);

// y = f(x) elementwise, where pick(kernels) is the kernel of f.
template <class Pick, class... Scalars>
py::array map(const char* name, const py::array& x, Pick pick, Scalars... scalars) {
  return with_dtype(name, x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const T* data = input<T>(name, "x", x);
    auto y = empty_like<T>(x);
    const auto [rows, per] = leading(x);
    launch(Work{kPolynomial<T> * static_cast<double>(x.size())}, pick(*kernels<T>().activation),
           pointwise(y.mutable_data(), per), pointwise(data, per), Count{rows, per}, static_cast<T>(scalars)...);
    return y;
  });
}

// dx = dy · f′ elementwise, from what the forward pass saved.
template <class Pick, class... Scalars>
py::array map_backward(const char* name, const py::array& dy, const py::array& saved, Pick pick, Scalars... scalars) {
  return with_dtype(name, saved, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const T *dy_data = input<T>(name, "the gradient", dy, saved.size()), *data = input<T>(name, "saved array", saved);
    auto dx = empty_like<T>(saved);
    const auto [rows, per] = leading(saved);
    launch(Work{kStream<T> * static_cast<double>(saved.size())}, pick(*kernels<T>().activation),
           pointwise(dx.mutable_data(), per), pointwise(dy_data, per), pointwise(data, per), Count{rows, per},
           static_cast<T>(scalars)...);
    return dx;
  });
}

// Rows along the last axis; a number is one row of one class.
Shape2 rows_of(const py::array& array) {
  const Index C = array.ndim() == 0 ? 1 : array.shape(array.ndim() - 1);
  return {C == 0 ? 0 : array.size() / C, C};
}

Work row_work(const Shape2& shape, double element) {
  return {static_cast<double>(shape.rows) * (10 + element * static_cast<double>(shape.cols))};
}

template <class Pick>
py::array map_rows(const char* name, const py::array& x, Pick pick) {
  return with_dtype(name, x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Shape2 shape = rows_of(x);
    const T* data = input<T>(name, "x", x);
    auto y = empty_like<T>(x);
    launch(row_work(shape, kPolynomial<T>), pick(*kernels<T>().activation), each(y.mutable_data(), shape.cols),
           each(data, shape.cols), Count{shape.rows}, shape.cols);
    return y;
  });
}

template <class Pick>
py::array map_rows_backward(const char* name, const py::array& dy, const py::array& y, Pick pick) {
  return with_dtype(name, y, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Shape2 shape = rows_of(y);
    const T *dy_data = input<T>(name, "the gradient", dy, y.size()), *data = input<T>(name, "y", y);
    auto dx = empty_like<T>(y);
    launch(row_work(shape, kPolynomial<T>), pick(*kernels<T>().activation), each(dx.mutable_data(), shape.cols),
           each(dy_data, shape.cols), each(data, shape.cols), Count{shape.rows}, shape.cols);
    return dx;
  });
}

}  // namespace

void bind_activation(py::module_& module) {
  using py::arg;
  using Array = const py::array&;
  def_kernel(
      module, "relu_forward", [](Array x) { return map("relu", x, [](auto& k) { return k.relu_forward; }); }, arg("x"));
  def_kernel(
      module, "relu_backward",
      [](Array dy, Array y) { return map_backward("relu", dy, y, [](auto& k) { return k.relu_backward; }); }, arg("dy"),
      arg("y"));
  def_kernel(
      module, "leaky_relu_forward",
      [](Array x, double slope) { return map("leaky_relu", x, [](auto& k) { return k.leaky_relu_forward; }, slope); },
      arg("x"), arg("slope"));
  def_kernel(
      module, "leaky_relu_backward",
      [](Array dy, Array x, double slope) {
        return map_backward("leaky_relu", dy, x, [](auto& k) { return k.leaky_relu_backward; }, slope);
      },
      arg("dy"), arg("x"), arg("slope"));
  def_kernel(
      module, "sigmoid_forward", [](Array x) { return map("sigmoid", x, [](auto& k) { return k.sigmoid_forward; }); },
      arg("x"));
  def_kernel(
      module, "sigmoid_backward",
      [](Array dy, Array y) { return map_backward("sigmoid", dy, y, [](auto& k) { return k.sigmoid_backward; }); },
      arg("dy"), arg("y"));
  def_kernel(
      module, "tanh_forward", [](Array x) { return map("tanh", x, [](auto& k) { return k.tanh_forward; }); }, arg("x"));
  def_kernel(
      module, "tanh_backward",
      [](Array dy, Array y) { return map_backward("tanh", dy, y, [](auto& k) { return k.tanh_backward; }); }, arg("dy"),
      arg("y"));
  def_kernel(
      module, "exp_forward", [](Array x) { return map("exp", x, [](auto& k) { return k.exp_forward; }); }, arg("x"));
  def_kernel(
      module, "exp_backward",
      [](Array dy, Array y) { return map_backward("exp", dy, y, [](auto& k) { return k.exp_backward; }); }, arg("dy"),
      arg("y"));
  def_kernel(
      module, "log_forward", [](Array x) { return map("log", x, [](auto& k) { return k.log_forward; }); }, arg("x"));
  def_kernel(
      module, "log_backward",
      [](Array dy, Array x) { return map_backward("log", dy, x, [](auto& k) { return k.log_backward; }); }, arg("dy"),
      arg("x"));
  def_kernel(
      module, "softmax_forward",
      [](Array x) { return map_rows("softmax", x, [](auto& k) { return k.softmax_forward; }); }, arg("x"));
  def_kernel(
      module, "softmax_backward",
      [](Array dy, Array y) { return map_rows_backward("softmax", dy, y, [](auto& k) { return k.softmax_backward; }); },
      arg("dy"), arg("y"));
  def_kernel(
      module, "log_softmax_forward",
      [](Array x) { return map_rows("log_softmax", x, [](auto& k) { return k.log_softmax_forward; }); }, arg("x"));
  def_kernel(
      module, "log_softmax_backward",
      [](Array dy, Array y) {
        return map_rows_backward("log_softmax", dy, y, [](auto& k) { return k.log_softmax_backward; });
      },
      arg("dy"), arg("y"));
}

}  // namespace nnative
