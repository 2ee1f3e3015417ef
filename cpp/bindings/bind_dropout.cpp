#include <algorithm>
#include <cmath>

#include "bindings/array.hpp"

namespace nnative {
namespace {

// Seed and stream from a generator's cell, which goes on to the next stream.
py::array_t<std::uint64_t> take_state(const char* kernel, py::array& cell) {
  std::uint64_t* counter = output<std::uint64_t>(kernel, "cell", cell, 2);
  auto state = empty<std::uint64_t>({2});
  launch(Work{5}, kernels<float>().random->take_stream, state.mutable_data(), counter);
  return state;
}

// The kernel on an array, with p as a multiple of 2⁻¹⁶.
template <class T>
py::array dropped(const py::array& x, const std::uint64_t* state, double p, double scale, double shift,
                  double instead) {
  const auto threshold = static_cast<std::uint32_t>(std::lround(65536 * std::clamp(p, 0.0, 1.0)));
  const T* data = input<T>("dropout", "x", x);
  auto y = empty_like<T>(x);
  const double size = static_cast<double>(x.size());
  const auto [rows, per] = leading(x);
  launch({size * (0.15 * sizeof(T) + 0.2)}, kernels<T>().dropout->dropout, pointwise(y.mutable_data(), per),
         pointwise(data, per), state, Offset{per}, Count{rows, per}, threshold, static_cast<T>(scale),
         static_cast<T>(shift), static_cast<T>(instead));
  return y;
}

py::tuple dropout_forward(const py::array& x, py::array& cell, double p, double scale, double shift, double instead) {
  return with_dtype("dropout", x, [&](auto zero) -> py::tuple {
    auto state = take_state("dropout", cell);
    py::array y = dropped<decltype(zero)>(x, state.data(), p, scale, shift, instead);
    return py::make_tuple(std::move(y), std::move(state));
  });
}

py::array dropout_backward(const py::array& dy, const py::array& state, double p, double scale) {
  return with_dtype("dropout", dy, [&](auto zero) -> py::array {
    return dropped<decltype(zero)>(dy, input<std::uint64_t>("dropout", "state", state, 2), p, scale, -0.0, 0.0);
  });
}

template <class T>
py::array noisy(const char* kernel, const py::array& x, const std::uint64_t* state, double std, bool factor) {
  const T* data = input<T>(kernel, "x", x);
  auto y = empty_like<T>(x);
  const auto [rows, per] = leading(x);
  launch({static_cast<double>(x.size()) * (0.15 * sizeof(T) + 1)}, kernels<T>().dropout->gaussian,
         pointwise(y.mutable_data(), per), pointwise(data, per), state, Offset{per}, Count{rows, per},
         static_cast<T>(std), factor);
  return y;
}

py::array gaussian_noise(const py::array& x, py::array& cell, double std) {
  return with_dtype("gaussian_noise", x, [&](auto zero) -> py::array {
    const auto state = take_state("gaussian_noise", cell);
    return noisy<decltype(zero)>("gaussian_noise", x, state.data(), std, false);
  });
}

py::tuple gaussian_dropout_forward(const py::array& x, py::array& cell, double std) {
  return with_dtype("gaussian_dropout", x, [&](auto zero) -> py::tuple {
    auto state = take_state("gaussian_dropout", cell);
    py::array y = noisy<decltype(zero)>("gaussian_dropout", x, state.data(), std, true);
    return py::make_tuple(std::move(y), std::move(state));
  });
}

py::array gaussian_dropout_backward(const py::array& dy, const py::array& state, double std) {
  constexpr const char* kName = "gaussian_dropout";
  return with_dtype(kName, dy, [&](auto zero) -> py::array {
    return noisy<decltype(zero)>(kName, dy, input<std::uint64_t>(kName, "state", state, 2), std, true);
  });
}

}  // namespace

void bind_dropout(py::module_& module) {
  using py::arg;
  def_kernel(module, "dropout_forward", dropout_forward, arg("x"), arg("cell"), arg("p"), arg("scale"),
             arg("shift") = -0.0, arg("instead") = 0.0);
  def_kernel(module, "dropout_backward", dropout_backward, arg("dy"), arg("state"), arg("p"), arg("scale"));
  def_kernel(module, "gaussian_noise", gaussian_noise, arg("x"), arg("cell"), arg("std"));
  def_kernel(module, "gaussian_dropout_forward", gaussian_dropout_forward, arg("x"), arg("cell"), arg("std"));
  def_kernel(module, "gaussian_dropout_backward", gaussian_dropout_backward, arg("dy"), arg("state"), arg("std"));
}

}  // namespace nnative
