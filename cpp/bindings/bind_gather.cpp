#include <pybind11/stl.h>

#include "bindings/layout.hpp"
#include "bindings/movable.hpp"

namespace nnative {
namespace {

// Sizes before, along and behind a dimension.
struct Around {
  Index A = 1, N = 1, B = 1;
};
Around around(const char* kernel, const py::array& x, py::ssize_t dim) {
  if (dim < 0 || dim >= x.ndim())
    throw py::value_error(std::string("[") + kernel + "] expected a dimension of " + shape_text(x) + ", got " +
                          std::to_string(dim));
  Around result;
  for (py::ssize_t d = 0; d < x.ndim(); ++d) (d < dim ? result.A : d == dim ? result.N : result.B) *= x.shape(d);
  return result;
}

const std::int64_t* indices(const char* kernel, const py::array& index, Index begin, Index end) {
  const std::int64_t* data = input<std::int64_t>(kernel, "index", index);
  for (py::ssize_t i = 0; i < index.size(); ++i) {
    if (data[i] < begin || data[i] >= end)
      throw py::index_error(std::string("[") + kernel + "] index " + std::to_string(data[i]) +
                            " is out of bounds for a dimension of " + std::to_string(end));
  }
  return data;
}

// The same with indices that may count from the end.
const std::int64_t* indices(const char* kernel, const py::array& index, Index N) {
  return indices(kernel, index, -N, N);
}

Shape replaced(const py::array& x, py::ssize_t dim, const py::ssize_t* begin, const py::ssize_t* end) {
  Shape shape(x.shape(), x.shape() + dim);
  shape.insert(shape.end(), begin, end);
  shape.insert(shape.end(), x.shape() + dim + 1, x.shape() + x.ndim());
  return shape;
}

Work moved(double bytes, Index extra) { return {0.15 * bytes + 2.0 * static_cast<double>(extra)}; }

py::array take(const py::array& table, const py::array& index, py::ssize_t dim) {
  const auto [A, N, B] = around("take", table, dim);
  if (!usable(table)) fail_type("take", "table", table);
  const std::byte* from = bytes("take", "table", table);
  const std::int64_t* which = indices("take", index, N);
  py::array out = empty_of(table.dtype(), replaced(table, dim, index.shape(), index.shape() + index.ndim()));
  const auto M = static_cast<Index>(index.size());
  launch(moved(static_cast<double>(out.nbytes()), A * M), kernels<float>().gather->take,
         static_cast<std::byte*>(out.mutable_data()), from, which, A, N, B * static_cast<Index>(table.itemsize()), M);
  return out;
}

py::array take_backward(const py::array& dout, const py::array& index, const Shape& shape, py::ssize_t dim) {
  constexpr const char* kName = "take_backward";
  if (dim < 0 || dim >= static_cast<py::ssize_t>(shape.size())) throw py::value_error("[take_backward] bad dimension");
  return with_dtype(kName, dout, [&](auto zero) -> py::array {
    using T = decltype(zero);
    auto dtable = empty<T>(shape);
    const auto [A, N, B] = around(kName, dtable, dim);
    const auto M = static_cast<Index>(index.size());
    const T* from = input<T>(kName, "dout", dout, A * M * B);
    launch(moved(static_cast<double>(dtable.nbytes() + 2 * dout.nbytes()), A * M), kernels<T>().gather->take_backward,
           dtable.mutable_data(), from, indices(kName, index, N), A, N, B, M);
    return dtable;
  });
}

py::array pick(const py::array& x, const py::array& index, py::ssize_t dim) {
  const auto [A, N, B] = around("pick", x, dim);
  return with_dtype("pick", x, [&, A = A, N = N, B = B](auto zero) -> py::array {
    using T = decltype(zero);
    const T* from = input<T>("pick", "x", x);
    if (index.size() != A * B) fail_shape("pick", "index", index, std::to_string(A * B) + " elements");
    auto out = empty<T>(replaced(x, dim, nullptr, nullptr));
    launch(moved(0, A * B), kernels<T>().gather->pick, out.mutable_data(), from, indices("pick", index, N), A, N, B);
    return out;
  });
}

py::array pick_backward(const py::array& dout, const py::array& index, const Shape& shape, py::ssize_t dim) {
  constexpr const char* kName = "pick_backward";
  if (dim < 0 || dim >= static_cast<py::ssize_t>(shape.size())) throw py::value_error("[pick_backward] bad dimension");
  return with_dtype(kName, dout, [&](auto zero) -> py::array {
    using T = decltype(zero);
    auto dx = empty<T>(shape);
    const auto [A, N, B] = around(kName, dx, dim);
    const T* from = input<T>(kName, "dout", dout, A * B);
    if (index.size() != A * B) fail_shape(kName, "index", index, std::to_string(A * B) + " elements");
    launch(moved(static_cast<double>(dx.nbytes()), A * B), kernels<T>().gather->pick_backward, dx.mutable_data(), from,
           indices(kName, index, N), A, N, B);
    return dx;
  });
}

py::array join_index(const py::array& first, const py::array& second, Index n, Index b) {
  const std::int64_t* rows = indices("join_index", first, n);
  const std::int64_t* columns = indices("join_index", second, b);
  if (first.size() != second.size())
    fail_shape("join_index", "second", second, std::to_string(first.size()) + " elements");
  auto flat = empty_like<std::int64_t>(first);
  launch(moved(0, first.size()), kernels<float>().gather->join_index, flat.mutable_data(), rows, columns,
         static_cast<Index>(first.size()), n, b);
  return flat;
}

// Rows of a table (N, …) are what an embedding takes, by indices that count from the start only.
struct Table {
  Index N, B;

  Table(const char* kernel, const py::array& table) {
    if (table.ndim() < 1) fail_shape(kernel, "weight", table, "at least 1 dimension");
    N = table.shape(0), B = 1;
    for (py::ssize_t d = 1; d < table.ndim(); ++d) B *= table.shape(d);
  }
};

py::array embedding_forward(const py::array& weight, const py::array& index) {
  constexpr const char* kName = "embedding";
  return with_dtype(kName, weight, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Table table(kName, weight);
    const T* from = input<T>(kName, "weight", weight);
    const std::int64_t* which = indices(kName, index, 0, table.N);
    auto y = empty<T>(replaced(weight, 0, index.shape(), index.shape() + index.ndim()));
    const auto M = static_cast<Index>(index.size());
    launch(moved(static_cast<double>(y.nbytes()), M), kernels<T>().gather->embedding_forward,
           each(y.mutable_data(), table.B), from, each(which, 1), table.N, table.B, Count{M});
    return y;
  });
}

py::array embedding_backward(const py::array& dy, const py::array& index, const Shape& shape,
                             std::optional<Index> padding_idx, bool scale_grad_by_freq) {
  constexpr const char* kName = "embedding";
  return with_dtype(kName, dy, [&](auto zero) -> py::array {
    using T = decltype(zero);
    auto dweight = empty<T>(shape);
    const Table table(kName, dweight);
    const auto M = static_cast<Index>(index.size());
    const T* from = input<T>(kName, "dy", dy, M * table.B);
    const std::int64_t* which = indices(kName, index, 0, table.N);
    const std::size_t counts = scale_grad_by_freq ? static_cast<std::size_t>(table.N) * sizeof(Index) : 0;
    launch(moved(static_cast<double>(dweight.nbytes() + 2 * dy.nbytes()), M), Scratch{.shared = counts, .own = 0},
           kernels<T>().gather->embedding_backward, dweight.mutable_data(), from, which, table.N, table.B, M,
           padding_idx.value_or(-1), scale_grad_by_freq);
    return dweight;
  });
}

void embedding_renorm(py::array& weight, const py::array& index, double max_norm, double norm_type) {
  constexpr const char* kName = "embedding";
  with_dtype(kName, weight, [&](auto zero) {
    using T = decltype(zero);
    const Table table(kName, weight);
    T* data = output<T>(kName, "weight", weight);
    const std::int64_t* which = indices(kName, index, 0, table.N);
    const auto M = static_cast<Index>(index.size());
    const double elements = static_cast<double>(M) * static_cast<double>(table.B);
    launch({static_cast<double>(table.N) + 4 * static_cast<double>(M) + elements * (norm_type == 2 ? 0.3 : 4)},
           Scratch{.shared = static_cast<std::size_t>(table.N), .own = 0}, kernels<T>().gather->embedding_renorm, data,
           which, table.N, table.B, M, static_cast<T>(max_norm), static_cast<T>(norm_type));
  });
}

}  // namespace

void bind_gather(py::module_& module) {
  using py::arg;
  def_kernel(module, "take", &take, arg("table"), arg("index"), arg("dim"));
  def_kernel(module, "take_backward", &take_backward, arg("dout"), arg("index"), arg("shape"), arg("dim"));
  def_kernel(module, "pick", &pick, arg("x"), arg("index"), arg("dim"));
  def_kernel(module, "pick_backward", &pick_backward, arg("dout"), arg("index"), arg("shape"), arg("dim"));
  def_kernel(module, "join_index", &join_index, arg("first"), arg("second"), arg("n"), arg("b"));
  def_kernel(module, "embedding_forward", &embedding_forward, arg("weight"), arg("index"));
  def_kernel(module, "embedding_backward", &embedding_backward, arg("dy"), arg("index"), arg("shape"),
             arg("padding_idx"), arg("scale_grad_by_freq"));
  def_kernel(module, "embedding_renorm", &embedding_renorm, arg("weight"), arg("index"), arg("max_norm"),
             arg("norm_type"));
}

}  // namespace nnative
