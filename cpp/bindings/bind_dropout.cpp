#include <algorithm>
#include <cmath>

#include "bindings/array.hpp"

namespace nnative {
namespace {

// The kernel on an array, with p as a multiple of 2⁻¹⁶.
template <class T>
py::array apply(const char* kernel, const py::array& x, const std::uint64_t* state, double p, double scale) {
  const auto threshold = static_cast<std::uint32_t>(std::lround(65536 * std::clamp(p, 0.0, 1.0)));
  const T* data = input<T>(kernel, "x", x);
  auto y = empty_like<T>(x);
  const double size = static_cast<double>(x.size());
  const auto [rows, per] = leading(x);
  launch({size * (0.15 * sizeof(T) + 0.2)}, kernels<T>().dropout->dropout, pointwise(y.mutable_data(), per),
         pointwise(data, per), state, Offset{per}, Count{rows, per}, threshold, static_cast<T>(scale));
  return y;
}

py::tuple dropout_forward(const py::array& x, py::array& cell, double p, double scale) {
  return with_dtype("dropout", x, [&](auto zero) -> py::tuple {
    std::uint64_t* counter = output<std::uint64_t>("dropout", "cell", cell, 2);
    auto state = empty<std::uint64_t>({2});
    launch(Work{5}, kernels<float>().random->take_stream, state.mutable_data(), counter);
    py::array y = apply<decltype(zero)>("dropout", x, state.data(), p, scale);
    return py::make_tuple(std::move(y), std::move(state));
  });
}

py::array dropout_backward(const py::array& dy, const py::array& state, double p, double scale) {
  return with_dtype("dropout", dy, [&](auto zero) -> py::array {
    return apply<decltype(zero)>("dropout", dy, input<std::uint64_t>("dropout", "state", state, 2), p, scale);
  });
}

}  // namespace

void bind_dropout(py::module_& module) {
  using py::arg;
  def_kernel(module, "dropout_forward", dropout_forward, arg("x"), arg("cell"), arg("p"), arg("scale"));
  def_kernel(module, "dropout_backward", dropout_backward, arg("dy"), arg("state"), arg("p"), arg("scale"));
}

}  // namespace nnative
