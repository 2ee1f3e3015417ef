#include <pybind11/stl.h>

#include <algorithm>

#include "bindings/array.hpp"

namespace nnative {
namespace {

// Rows of a batch from which on members take rows of it; of fewer they share the outputs.
constexpr Index kManyRows = 32;

Work product_work(Index N, Index K, Index M) {
  const double weights = static_cast<double>(K) * static_cast<double>(M);
  return {std::max(Work::flops(2 * static_cast<double>(N) * weights).nanoseconds, 0.1 * weights)};
}

void check(const char* kernel, const char* name, const py::array& array, Shape2 shape, Index rows, Index cols) {
  if (shape.rows != rows || shape.cols != cols)
    fail_shape(kernel, name, array, "shape (" + std::to_string(rows) + ", " + std::to_string(cols) + ")");
}

py::array linear_forward(const py::array& x, const py::array& weight, const std::optional<py::array>& bias) {
  constexpr const char* kName = "linear_forward";
  const auto [N, K] = shape2(kName, "x", x);
  const auto [M, K2] = shape2(kName, "weight", weight);
  check(kName, "weight", weight, {M, K2}, M, K);
  return with_dtype(kName, x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const auto& kernel = *kernels<T>().linear;
    py::array_t<T> y = empty<T>({N, M});
    const T *x_data = input<T>(kName, "x", x), *weight_data = input<T>(kName, "weight", weight);
    const T* bias_data = bias ? input<T>(kName, "bias", *bias, M) : nullptr;
    const auto run = [&](auto to, auto from, auto rows) {
      launch(product_work(N, K, M), kernel.forward_scratch(N, K, M), kernel.forward, to, from, weight_data, bias_data,
             rows, K, M, Epilogue::none);
    };
    if (N >= kManyRows) {
      run(each(y.mutable_data(), M), each(x_data, K), Count{N});
    } else {
      run(y.mutable_data(), x_data, N);
    }
    return y;
  });
}

py::array linear_backward_input(const py::array& dy, const py::array& weight) {
  constexpr const char* kName = "linear_backward_input";
  const auto [N, M] = shape2(kName, "dy", dy);
  const auto [M2, K] = shape2(kName, "weight", weight);
  check(kName, "weight", weight, {M2, K}, M, K);
  return with_dtype(kName, dy, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const auto& kernel = *kernels<T>().linear;
    py::array_t<T> dx = empty<T>({N, K});
    const T *dy_data = input<T>(kName, "dy", dy), *weight_data = input<T>(kName, "weight", weight);
    const auto run = [&](auto to, auto from, auto rows) {
      launch(product_work(N, K, M), kernel.backward_input_scratch(N, K, M), kernel.backward_input, to, from,
             weight_data, nullptr, rows, K, M);
    };
    if (N >= kManyRows) {
      run(each(dx.mutable_data(), K), each(dy_data, M), Count{N});
    } else {
      run(dx.mutable_data(), dy_data, N);
    }
    return dx;
  });
}

py::tuple linear_backward_weight(const py::array& dy, const py::array& x, bool with_bias) {
  constexpr const char* kName = "linear_backward_weight";
  const auto [N, M] = shape2(kName, "dy", dy);
  const auto [N2, K] = shape2(kName, "x", x);
  check(kName, "x", x, {N2, K}, N, K);
  return with_dtype(kName, dy, [&](auto zero) -> py::tuple {
    using T = decltype(zero);
    const auto& kernel = *kernels<T>().linear;
    py::array_t<T> dweight = empty<T>({M, K});
    py::object dbias = py::none();
    T* sums = nullptr;
    if (with_bias) {
      py::array_t<T> array = empty<T>({M});
      sums = array.mutable_data();
      dbias = std::move(array);
    }
    launch(product_work(N, K, M), kernel.backward_weight_scratch(N, K, M), kernel.backward_weight,
           each(dweight.mutable_data(), K), each(sums, 1), columns(input<T>(kName, "dy", dy)), input<T>(kName, "x", x),
           N, kernel.split(N, K, M), K, Count{M}, M);
    return py::make_tuple(std::move(dweight), std::move(dbias));
  });
}

}  // namespace

void bind_linear(py::module_& module) {
  def_kernel(module, "linear_forward", &linear_forward, py::arg("x"), py::arg("weight"), py::arg("bias"));
  def_kernel(module, "linear_backward_input", &linear_backward_input, py::arg("dy"), py::arg("weight"));
  def_kernel(module, "linear_backward_weight", &linear_backward_weight, py::arg("dy"), py::arg("x"),
             py::arg("with_bias"));
}

}  // namespace nnative
