#include <pybind11/stl.h>

#include "bindings/layout.hpp"

namespace nnative {
namespace {

// Nanoseconds an element costs on one core: traffic alone, or a general power.
template <class T>
constexpr double kStream = 0.15 * sizeof(T);
template <class T>
constexpr double kPower = 1.0 * sizeof(T);

template <class Pick, class... Scalars>
py::array unary(const char* name, const py::array& x, Pick pick, Scalars... scalars) {
  return with_dtype(name, x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const T* data = input<T>(name, "x", x);
    auto y = empty_like<T>(x);
    const auto [rows, per] = leading(x);
    launch(Work{kStream<T> * static_cast<double>(x.size())}, pick(*kernels<T>().elementwise),
           pointwise(y.mutable_data(), per), pointwise(data, per), Count{rows, per}, static_cast<T>(scalars)...);
    return y;
  });
}

template <class Pick, class... Scalars>
py::array unary_backward(const char* name, const py::array& dy, const py::array& saved, Pick pick, Scalars... scalars) {
  return with_dtype(name, saved, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const T *dy_data = input<T>(name, "dy", dy, saved.size()), *data = input<T>(name, "saved array", saved);
    auto dx = empty_like<T>(saved);
    const auto [rows, per] = leading(saved);
    launch(Work{kStream<T> * static_cast<double>(saved.size())}, pick(*kernels<T>().elementwise),
           pointwise(dx.mutable_data(), per), pointwise(dy_data, per), pointwise(data, per), Count{rows, per},
           static_cast<T>(scalars)...);
    return dx;
  });
}

template <class Pick>
void def_unary(py::module_& module, const char* name, Pick pick) {
  def_kernel(module, name, [=](const py::array& x) { return unary(name, x, pick); }, py::arg("x"));
}

template <class Pick>
void def_binary(py::module_& module, const char* name, bool power, Pick pick) {
  def_kernel(
      module, name,
      [=](const py::object& a, const py::object& b) {
        const Operand x = operand(name, "a", a), y = operand(name, "b", b);
        return with_dtype_of(name, {&x, &y}, [&](auto zero) -> py::array {
          using T = decltype(zero);
          const T *x_data = operand_data<T>(name, "a", x), *y_data = operand_data<T>(name, "b", y);
          const Broadcast<2> both = broadcast<2>(name, {array_or_null(x), array_or_null(y)});
          auto out = empty<T>(both.shape);
          launch(Work{(power ? kPower<T> : kStream<T>)*elements(both.shape)}, pick(*kernels<T>().elementwise),
                 out.mutable_data(), x_data, y_data, both.layout, static_cast<T>(x.is_number ? x.number : y.number));
          return out;
        });
      },
      py::arg("a"), py::arg("b"));
}

template <class Pick>
void def_gradient(py::module_& module, const char* name, bool power, Pick pick) {
  def_kernel(
      module, name,
      [=](const py::array& dy, const py::object& a, const py::object& b) {
        const Operand g{dy, false, 0}, x = operand(name, "a", a), y = operand(name, "b", b);
        return with_dtype(name, dy, [&](auto zero) -> py::array {
          using T = decltype(zero);
          const T* dy_data = operand_data<T>(name, "dy", g);
          const T *x_data = operand_data<T>(name, "a", x), *y_data = operand_data<T>(name, "b", y);
          const Broadcast<3> all = broadcast<3>(name, {&dy, array_or_null(x), array_or_null(y)});
          auto out = empty<T>(all.shape);
          launch(Work{(power ? 2 * kPower<T> : kStream<T>)*elements(all.shape)}, pick(*kernels<T>().elementwise),
                 out.mutable_data(), dy_data, x_data, y_data, all.layout,
                 static_cast<T>(x.is_number ? x.number : y.number));
          return out;
        });
      },
      py::arg("dy"), py::arg("a"), py::arg("b"));
}

py::array where(const py::array& condition, const py::object& a, const py::object& b) {
  const Operand x = operand("where", "a", a), y = operand("where", "b", b);
  return with_dtype_of("where", {&x, &y}, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const T *x_data = operand_data<T>("where", "a", x), *y_data = operand_data<T>("where", "b", y);
    const bool* chosen = strided_input<bool>("where", "condition", condition);
    const Broadcast<3> all = broadcast<3>("where", {array_or_null(x), array_or_null(y), &condition});
    auto out = empty<T>(all.shape);
    launch(Work{kStream<T> * elements(all.shape)}, kernels<T>().elementwise->where, out.mutable_data(), x_data, y_data,
           chosen, all.layout, static_cast<T>(x.number), static_cast<T>(y.number));
    return out;
  });
}

void accumulate(py::array y, const py::array& x) {
  with_dtype("accumulate", y, [&](auto zero) {
    using T = decltype(zero);
    if (x.ndim() != y.ndim() || !std::equal(x.shape(), x.shape() + x.ndim(), y.shape()))
      fail_shape("accumulate", "x", x, "the shape " + shape_text(y));
    T* data = output<T>("accumulate", "y", y);
    const auto [rows, per] = leading(y);
    launch(Work{kStream<T> * static_cast<double>(y.size())}, kernels<T>().elementwise->accumulate, pointwise(data, per),
           each(input<T>("accumulate", "x", x), per), Count{rows, per});
  });
}

void fill(py::array y, double value) {
  with_dtype("fill", y, [&](auto zero) {
    using T = decltype(zero);
    T* data = output<T>("fill", "y", y);
    const auto [rows, per] = leading(y);
    launch(Work{kStream<T> * static_cast<double>(y.size())}, kernels<T>().elementwise->fill, pointwise(data, per),
           Count{rows, per}, static_cast<T>(value));
  });
}

py::array full(const Shape& shape, double value, const py::dtype& dtype) {
  const auto make = [&](auto zero) -> py::array {
    using T = decltype(zero);
    auto y = empty<T>(shape);
    launch(Work{kStream<T> * elements(shape)}, kernels<T>().elementwise->fill, y.mutable_data(),
           static_cast<Index>(y.size()), static_cast<T>(value));
    return y;
  };
  if (dtype.num() == py::dtype::num_of<float>()) return make(float{});
  if (dtype.num() == py::dtype::num_of<double>()) return make(double{});
  throw py::type_error("[full] expected dtype float32 or float64, got " + py::str(dtype).cast<std::string>());
}

template <class T>
py::array convert(const py::array& x) {
  const auto& kernel = *kernels<T>().elementwise;
  auto y = empty_like<T>(x);
  const Work work{0.15 * static_cast<double>(sizeof(T) + 4) * static_cast<double>(x.size())};
  const Index size = x.size();
  if (py::isinstance<py::array_t<float>>(x)) {
    launch(work, kernel.from_float, y.mutable_data(), input<float>("cast", "x", x), size);
  } else if (py::isinstance<py::array_t<double>>(x)) {
    launch(work, kernel.from_double, y.mutable_data(), input<double>("cast", "x", x), size);
  } else if (py::isinstance<py::array_t<std::int64_t>>(x)) {
    launch(work, kernel.from_int64, y.mutable_data(), input<std::int64_t>("cast", "x", x), size);
  } else if (py::isinstance<py::array_t<bool>>(x)) {
    const bool* data = input<bool>("cast", "x", x);
    launch(work, kernel.from_byte, y.mutable_data(), reinterpret_cast<const std::uint8_t*>(data), size);
  } else {
    launch(work, kernel.from_byte, y.mutable_data(), input<std::uint8_t>("cast", "x", x), size);
  }
  return y;
}

py::array cast(const py::array& x, const py::dtype& dtype) {
  if (dtype.num() == py::dtype::num_of<float>()) return convert<float>(x);
  if (dtype.num() == py::dtype::num_of<double>()) return convert<double>(x);
  throw py::type_error("[cast] expected dtype float32 or float64, got " + py::str(dtype).cast<std::string>());
}

}  // namespace

void bind_elementwise(py::module_& module) {
  using py::arg;
  def_unary(module, "neg", [](const auto& k) { return k.neg; });
  def_unary(module, "abs", [](const auto& k) { return k.abs; });
  def_unary(module, "sqrt", [](const auto& k) { return k.sqrt; });
  def_kernel(
      module, "clip",
      [](const py::array& x, double low, double high) {
        return unary("clip", x, [](const auto& k) { return k.clip; }, low, high);
      },
      arg("x"), arg("low"), arg("high"));
  def_kernel(
      module, "abs_backward",
      [](const py::array& dy, const py::array& x) {
        return unary_backward("abs_backward", dy, x, [](const auto& k) { return k.abs_backward; });
      },
      arg("dy"), arg("x"));
  def_kernel(
      module, "sqrt_backward",
      [](const py::array& dy, const py::array& y) {
        return unary_backward("sqrt_backward", dy, y, [](const auto& k) { return k.sqrt_backward; });
      },
      arg("dy"), arg("y"));
  def_kernel(
      module, "clip_backward",
      [](const py::array& dy, const py::array& x, double low, double high) {
        return unary_backward("clip_backward", dy, x, [](const auto& k) { return k.clip_backward; }, low, high);
      },
      arg("dy"), arg("x"), arg("low"), arg("high"));
  def_binary(module, "add", false, [](const auto& k) { return k.add; });
  def_binary(module, "sub", false, [](const auto& k) { return k.sub; });
  def_binary(module, "mul", false, [](const auto& k) { return k.mul; });
  def_binary(module, "div", false, [](const auto& k) { return k.div; });
  def_binary(module, "maximum", false, [](const auto& k) { return k.maximum; });
  def_binary(module, "minimum", false, [](const auto& k) { return k.minimum; });
  def_binary(module, "pow", true, [](const auto& k) { return k.pow; });
  def_binary(module, "prelu", false, [](const auto& k) { return k.prelu; });
  def_gradient(module, "div_backward", false, [](const auto& k) { return k.div_backward; });
  def_gradient(module, "maximum_backward", false, [](const auto& k) { return k.maximum_backward; });
  def_gradient(module, "pow_backward_base", true, [](const auto& k) { return k.pow_backward_base; });
  def_gradient(module, "pow_backward_exponent", true, [](const auto& k) { return k.pow_backward_exponent; });
  def_gradient(module, "prelu_backward_input", false, [](const auto& k) { return k.prelu_backward_input; });
  def_gradient(module, "prelu_backward_weight", false, [](const auto& k) { return k.prelu_backward_weight; });
  def_kernel(module, "where", &where, arg("condition"), arg("a"), arg("b"));
  def_kernel(module, "accumulate", &accumulate, arg("y"), arg("x"));
  def_kernel(module, "fill", &fill, arg("y"), arg("value"));
  def_kernel(module, "full", &full, arg("shape"), arg("value"), arg("dtype"));
  def_kernel(module, "cast", &cast, arg("x"), arg("dtype"));
}

}  // namespace nnative
