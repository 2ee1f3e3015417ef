#include "bindings/optional.hpp"

namespace nnative {
namespace {

constexpr const char* kName = "batch_norm";

// x as (N,C,L): what follows the second dimension is one.
struct Extents {
  Index N, C, L, size;

  explicit Extents(const py::array& x) {
    if (x.ndim() < 2) fail_shape(kName, "x", x, "at least 2 dimensions");
    N = x.shape(0), C = x.shape(1), L = 1, size = x.size();
    for (py::ssize_t d = 2; d < x.ndim(); ++d) L *= x.shape(d);
  }
};

template <class T>
Work work(const Extents& e, double streams) {
  return {0.08 * streams * sizeof(T) * static_cast<double>(e.size) + static_cast<double>(e.C)};
}

py::tuple batch_norm_forward(const py::array& x, Optional running_mean, Optional running_var, Optional batches,
                             const Optional& weight, const Optional& bias, std::optional<double> momentum, double eps) {
  return with_dtype(kName, x, [&](auto zero) -> py::tuple {
    using T = decltype(zero);
    const Extents e(x);
    if (e.N * e.L < 2) fail_shape(kName, "x", x, "more than one value for each channel");
    if (running_mean.has_value() != running_var.has_value() || (running_mean && !momentum && !batches))
      throw py::value_error("[batch_norm] expected both running statistics or none, and a count for their average");
    const T* data = input<T>(kName, "x", x);
    T* means = optional_output<T>(kName, "running_mean", running_mean, e.C);
    T* variances = optional_output<T>(kName, "running_var", running_var, e.C);
    auto* count = optional_output<std::int64_t>(kName, "num_batches_tracked", batches, 1);
    const T* weights = optional_input<T>(kName, "weight", weight, e.C);
    const T* biases = optional_input<T>(kName, "bias", bias, e.C);
    auto y = empty_like<T>(x);
    auto mean = empty<T>({e.C}), invstd = empty<T>({e.C});
    const NormKernels<T>& family = *kernels<T>().norm;
    launch(work<T>(e, 3), family.batch_norm_scratch(e.N, e.C, e.L), family.batch_norm_forward, y.mutable_data(),
           mean.mutable_data(), invstd.mutable_data(), means, variances, count, data, weights, biases, e.N, e.C, e.L,
           static_cast<T>(momentum.value_or(0)), static_cast<T>(eps), !momentum);
    return py::make_tuple(std::move(y), std::move(mean), std::move(invstd));
  });
}

py::tuple batch_norm_infer(const py::array& x, const py::array& running_mean, const py::array& running_var,
                           const Optional& weight, const Optional& bias, double eps) {
  return with_dtype(kName, x, [&](auto zero) -> py::tuple {
    using T = decltype(zero);
    const Extents e(x);
    const T *data = input<T>(kName, "x", x), *means = input<T>(kName, "running_mean", running_mean, e.C);
    const T* variances = input<T>(kName, "running_var", running_var, e.C);
    const T* weights = optional_input<T>(kName, "weight", weight, e.C);
    const T* biases = optional_input<T>(kName, "bias", bias, e.C);
    auto y = empty_like<T>(x);
    auto mean = empty<T>({e.C}), invstd = empty<T>({e.C});
    const NormKernels<T>& family = *kernels<T>().norm;
    launch(work<T>(e, 2), family.batch_norm_scratch(e.N, e.C, e.L), family.batch_norm_infer, y.mutable_data(),
           mean.mutable_data(), invstd.mutable_data(), data, means, variances, weights, biases, e.N, e.C, e.L,
           static_cast<T>(eps));
    return py::make_tuple(std::move(y), std::move(mean), std::move(invstd));
  });
}

py::tuple batch_norm_backward(const py::array& dy, const py::array& x, const py::array& mean, const py::array& invstd,
                              const Optional& weight, bool training, bool need_dx) {
  return with_dtype(kName, x, [&](auto zero) -> py::tuple {
    using T = decltype(zero);
    const Extents e(x);
    const T *gradient = input<T>(kName, "dy", dy, e.size), *data = input<T>(kName, "x", x);
    const T *means = input<T>(kName, "mean", mean, e.C), *deviations = input<T>(kName, "invstd", invstd, e.C);
    const T* weights = optional_input<T>(kName, "weight", weight, e.C);
    OptionalResult<T> dx(need_dx, std::vector<py::ssize_t>(x.shape(), x.shape() + x.ndim()));
    auto dweight = empty<T>({e.C}), dbias = empty<T>({e.C});
    const NormKernels<T>& family = *kernels<T>().norm;
    launch(work<T>(e, need_dx ? 5 : 2), family.batch_norm_scratch(e.N, e.C, e.L), family.batch_norm_backward, dx.data,
           dweight.mutable_data(), dbias.mutable_data(), gradient, data, means, deviations, weights, e.N, e.C, e.L,
           training);
    return py::make_tuple(std::move(dx.array), std::move(dweight), std::move(dbias));
  });
}

}  // namespace

void bind_norm(py::module_& module) {
  using py::arg;
  def_kernel(module, "batch_norm_forward", batch_norm_forward, arg("x"), arg("running_mean"), arg("running_var"),
             arg("num_batches_tracked"), arg("weight"), arg("bias"), arg("momentum"), arg("eps"));
  def_kernel(module, "batch_norm_infer", batch_norm_infer, arg("x"), arg("running_mean"), arg("running_var"),
             arg("weight"), arg("bias"), arg("eps"));
  def_kernel(module, "batch_norm_backward", batch_norm_backward, arg("dy"), arg("x"), arg("mean"), arg("invstd"),
             arg("weight"), arg("training"), arg("need_dx"));
}

}  // namespace nnative
