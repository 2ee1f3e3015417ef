#include <algorithm>
#include <array>

#include "bindings/optional.hpp"

namespace nnative {
namespace {

constexpr const char* kName = "row_norm";

// x as (N,G,D,S).
struct Sizes {
  Index N, G, D, S;

  Sizes(const std::array<Index, 4>& sizes, const py::array& x) : N(sizes[0]), G(sizes[1]), D(sizes[2]), S(sizes[3]) {
    const Index largest = std::max<Index>(x.size(), Index{1} << 31);  // products of two do not overflow
    double product = 1;
    for (const Index size : sizes) product = size < 0 || size > largest ? -1 : product * static_cast<double>(size);
    if (product != static_cast<double>(x.size())) fail_shape(kName, "x", x, "the elements of the four sizes");
  }

  Index channels() const { return G * D; }
  template <class T>
  Work work(double streams) const {
    const double groups = static_cast<double>(N) * static_cast<double>(G);
    return {groups * (10 + 0.08 * streams * sizeof(T) * static_cast<double>(D) * static_cast<double>(S))};
  }
};

py::tuple row_norm_forward(const py::array& x, const Optional& weight, const Optional& bias,
                           const std::array<Index, 4>& sizes, double eps, bool centred) {
  return with_dtype(kName, x, [&](auto zero) -> py::tuple {
    using T = decltype(zero);
    const Sizes e(sizes, x);
    const T *data = input<T>(kName, "x", x), *weights = optional_input<T>(kName, "weight", weight, e.channels());
    const T* biases = optional_input<T>(kName, "bias", bias, e.channels());
    auto y = empty_like<T>(x), invstd = empty<T>({e.N * e.G});
    OptionalResult<T> mean(centred, {e.N * e.G});
    const Index row = e.channels() * e.S;
    launch(e.work<T>(2), kernels<T>().row_norm->row_norm_forward, each(y.mutable_data(), row), each(mean.data, e.G),
           each(invstd.mutable_data(), e.G), each(data, row), weights, biases, Count{e.N}, e.G, e.D, e.S,
           static_cast<T>(eps));
    return py::make_tuple(std::move(y), std::move(mean.array), std::move(invstd));
  });
}

py::tuple row_norm_backward(const py::array& dy, const py::array& x, const Optional& mean, const py::array& invstd,
                            const Optional& weight, const std::array<Index, 4>& sizes, bool need_dx, bool need_dweight,
                            bool need_dbias) {
  return with_dtype(kName, x, [&](auto zero) -> py::tuple {
    using T = decltype(zero);
    const Sizes e(sizes, x);
    const T *gradient = input<T>(kName, "dy", dy, x.size()), *data = input<T>(kName, "x", x);
    const T *means = optional_input<T>(kName, "mean", mean, e.N * e.G),
            *scales = input<T>(kName, "invstd", invstd, e.N * e.G);
    const T* weights = optional_input<T>(kName, "weight", weight, e.channels());
    OptionalResult<T> dx(need_dx, std::vector<py::ssize_t>(x.shape(), x.shape() + x.ndim()));
    OptionalResult<T> dweight(need_dweight || need_dbias, {e.channels()}), dbias(need_dbias, {e.channels()});
    const RowNormKernels<T>& family = *kernels<T>().row_norm;
    launch(e.work<T>(need_dx ? 4 : 3), family.row_norm_scratch(e.N, e.G, e.D, e.S), family.row_norm_backward, dx.data,
           dweight.data, dbias.data, gradient, data, means, scales, weights, e.N, e.G, e.D, e.S);
    return py::make_tuple(std::move(dx.array), need_dweight ? std::move(dweight.array) : py::none(),
                          std::move(dbias.array));
  });
}

}  // namespace

void bind_row_norm(py::module_& module) {
  using py::arg;
  def_kernel(module, "row_norm_forward", row_norm_forward, arg("x"), arg("weight"), arg("bias"), arg("sizes"),
             arg("eps"), arg("centred"));
  def_kernel(module, "row_norm_backward", row_norm_backward, arg("dy"), arg("x"), arg("mean"), arg("invstd"),
             arg("weight"), arg("sizes"), arg("need_dx"), arg("need_dweight"), arg("need_dbias"));
}

}  // namespace nnative
