#include "bindings/array.hpp"

namespace nnative {
namespace {

// Nanoseconds an element costs on one core: traffic alone, or a polynomial and a division besides.
template <class T>
constexpr double kStream = 0.15 * sizeof(T);
template <class T>
constexpr double kPolynomial = 0.25 * sizeof(T);

// The bindings of an elementwise activation: y = f(x), and dx = dy · f′ from what the forward pass saved.
template <class Pick, class PickBackward, class... Names>
void def_activation(py::module_& module, const char* name, const char* saved_name, Pick pick,
                    PickBackward pick_backward, Names... names) {
  const std::string prefix = name;
  def_kernel(
      module, (prefix + "_forward").c_str(),
      [=](const py::array& x, Scalar<double, Names>... scalars) {
        return with_dtype(name, x, [&](auto zero) -> py::array {
          using T = decltype(zero);
          const T* data = input<T>(name, "x", x);
          auto y = empty_like<T>(x);
          const auto [rows, per] = leading(x);
          launch(Work{kPolynomial<T> * static_cast<double>(x.size())}, pick(*kernels<T>().activation),
                 pointwise(y.mutable_data(), per), pointwise(data, per), Count{rows, per}, static_cast<T>(scalars)...);
          return y;
        });
      },
      py::arg("x"), py::arg(names)...);
  const double factor = *saved_name == 'y' ? kStream<char> : kPolynomial<char>;  // an output saves the polynomial
  def_kernel(
      module, (prefix + "_backward").c_str(),
      [=](const py::array& dy, const py::array& saved, Scalar<double, Names>... scalars) {
        return with_dtype(name, saved, [&](auto zero) -> py::array {
          using T = decltype(zero);
          const T *dy_data = input<T>(name, "the gradient", dy, saved.size()),
                  *data = input<T>(name, "saved array", saved);
          auto dx = empty_like<T>(saved);
          const auto [rows, per] = leading(saved);
          launch(Work{factor * sizeof(T) * static_cast<double>(saved.size())}, pick_backward(*kernels<T>().activation),
                 pointwise(dx.mutable_data(), per), pointwise(dy_data, per), pointwise(data, per), Count{rows, per},
                 static_cast<T>(scalars)...);
          return dx;
        });
      },
      py::arg("dy"), py::arg(saved_name), py::arg(names)...);
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
#define NNATIVE_ACTIVATION(name, saved, ...)                          \
  def_activation(                                                     \
      module, #name, saved, [](auto& k) { return k.name##_forward; }, \
      [](auto& k) { return k.name##_backward; } __VA_OPT__(, ) __VA_ARGS__);
  NNATIVE_ACTIVATIONS(NNATIVE_ACTIVATION)
#undef NNATIVE_ACTIVATION
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
