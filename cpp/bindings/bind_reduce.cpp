#include <pybind11/stl.h>

#include "bindings/layout.hpp"

namespace nnative {
namespace {

void add_dimension(const char* kernel, Layout<1>& layout, Index extent, Index stride) {
  if (layout.ndim == kMaxDims)
    throw py::value_error(std::string("[") + kernel + "] more than " + std::to_string(kMaxDims) +
                          " groups of dimensions");
  layout.shape[layout.ndim] = extent;
  layout.stride[0][layout.ndim++] = stride;
}

// How to sum the dimensions of a contiguous array that `summed` names: neighbours of one kind are one dimension.
Reduction reduction(const char* kernel, const py::array& x, const std::vector<bool>& summed) {
  Reduction result{{}, {}, 1, true};
  Index stride = 1;
  bool innermost = true;
  for (py::ssize_t d = x.ndim() - 1; d >= 0;) {
    const bool kind = summed[static_cast<std::size_t>(d)];
    Index extent = 1;
    for (; d >= 0 && (summed[static_cast<std::size_t>(d)] == kind || x.shape(d) == 1); --d) extent *= x.shape(d);
    if (extent == 1) continue;
    if (innermost) {
      result.inner = extent;
      result.inner_is_summed = kind;
    } else {
      add_dimension(kernel, kind ? result.summed : result.kept, extent, stride);
    }
    innermost = false;
    stride *= extent;
  }
  for (Layout<1>* layout : {&result.kept, &result.summed}) {
    if (layout->ndim == 0) add_dimension(kernel, *layout, 1, 0);
  }
  return result;
}

py::array sum_dimensions(const char* kernel, const py::array& x, const std::vector<bool>& summed, const Shape& shape,
                         double scale) {
  const Reduction how = reduction(kernel, x, summed);
  return with_dtype(kernel, x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const T* data = input<T>(kernel, "x", x);
    auto out = empty<T>(shape);
    const auto& reduce = *kernels<T>().reduce;
    launch(Work{0.1 * sizeof(T) * static_cast<double>(x.size()) + 3 * static_cast<double>(out.size())},
           reduce.sum_scratch(how), reduce.sum, out.mutable_data(), data, how, static_cast<T>(scale));
    return out;
  });
}

py::array sum(const py::array& x, const std::vector<py::ssize_t>& dims, bool keepdim, double scale) {
  std::vector<bool> summed(static_cast<std::size_t>(x.ndim()), false);
  for (const py::ssize_t d : dims) {
    if (d < 0 || d >= x.ndim())
      throw py::value_error("[sum] expected dimensions of " + shape_text(x) + ", got " + std::to_string(d));
    summed[static_cast<std::size_t>(d)] = true;
  }
  Shape shape;
  for (py::ssize_t d = 0; d < x.ndim(); ++d) {
    if (!summed[static_cast<std::size_t>(d)]) {
      shape.push_back(x.shape(d));
    } else if (keepdim) {
      shape.push_back(1);
    }
  }
  return sum_dimensions("sum", x, summed, shape, scale);
}

py::array sum_to(const py::array& x, const Shape& shape, double scale) {
  const py::ssize_t extra = x.ndim() - static_cast<py::ssize_t>(shape.size());
  bool fits = extra >= 0;
  std::vector<bool> summed(static_cast<std::size_t>(x.ndim()), true);
  for (py::ssize_t d = 0; fits && d < static_cast<py::ssize_t>(shape.size()); ++d) {
    const py::ssize_t own = shape[static_cast<std::size_t>(d)], have = x.shape(d + extra);
    fits = own == have || own == 1;
    summed[static_cast<std::size_t>(d + extra)] = own != have;
  }
  if (!fits)
    throw py::value_error("[sum_to] expected a shape that broadcasts to " + shape_text(x) + ", got " +
                          py::str(py::cast(shape)).cast<std::string>());
  return sum_dimensions("sum_to", x, summed, shape, scale);
}

template <class Pick>
py::array locate(const char* name, const py::array& x, py::ssize_t dim, Pick pick) {
  if (dim < 0 || dim >= x.ndim() || x.shape(dim) == 0)
    throw py::value_error(std::string("[") + name + "] expected a dimension with elements of " + shape_text(x) +
                          ", got " + std::to_string(dim));
  return with_dtype(name, x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    Index A = 1, B = 1;
    Shape shape;
    for (py::ssize_t d = 0; d < x.ndim(); ++d) {
      if (d != dim) (d < dim ? A : B) *= x.shape(d);
      if (d != dim) shape.push_back(x.shape(d));
    }
    const T* data = input<T>(name, "x", x);
    auto index = empty<std::int64_t>(shape);
    const Index N = x.shape(dim);
    const auto& reduce = *kernels<T>().reduce;
    launch(Work::bytes(static_cast<double>(x.nbytes())), reduce.extremes_scratch(A, N, B), pick(reduce),
           index.mutable_data(), data, A, N, B);
    return index;
  });
}

}  // namespace

void bind_reduce(py::module_& module) {
  using py::arg;
  def_kernel(module, "sum", &sum, arg("x"), arg("dims"), arg("keepdim"), arg("scale"));
  def_kernel(module, "sum_to", &sum_to, arg("x"), arg("shape"), arg("scale"));
  def_kernel(
      module, "argmax",
      [](const py::array& x, py::ssize_t dim) {
        return locate("argmax", x, dim, [](const auto& k) { return k.argmax; });
      },
      arg("x"), arg("dim"));
  def_kernel(
      module, "argmin",
      [](const py::array& x, py::ssize_t dim) {
        return locate("argmin", x, dim, [](const auto& k) { return k.argmin; });
      },
      arg("x"), arg("dim"));
}

}  // namespace nnative
