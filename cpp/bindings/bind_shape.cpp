#include <pybind11/stl.h>

#include "bindings/layout.hpp"

namespace nnative {
namespace {

// Elements that may be moved as bytes: numbers and bools of 1, 2, 4 or 8 bytes.
void check_movable(const char* kernel, const char* name, const py::array& array) {
  const char kind = array.dtype().kind();
  const py::ssize_t item = array.itemsize();
  const bool number = kind == 'f' || kind == 'i' || kind == 'u' || kind == 'b';
  if (!number || item > 8 || !(array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_)) fail_type(kernel, name, array);
}

py::array empty_of(const py::dtype& dtype, const Shape& shape) {
  py::array array(dtype, shape);
  if (recorder != nullptr) recorder->note_fresh(array);
  return array;
}

const std::byte* bytes(const char* kernel, const char* name, const py::array& array) {
  check_movable(kernel, name, array);
  if (recorder != nullptr) recorder->note_used(kernel, array);
  return static_cast<const std::byte*>(array.data());
}

void launch_copy(const char* kernel, std::byte* out, const py::array& out_array, const py::array& x) {
  const std::byte* from = bytes(kernel, "x", x);
  const Broadcast<2> both = broadcast<2>(kernel, {&out_array, &x});
  if (both.shape.size() != static_cast<std::size_t>(out_array.ndim()) ||
      !std::equal(both.shape.begin(), both.shape.end(), out_array.shape()))
    fail_shape(kernel, "x", x, "a shape that broadcasts to " + shape_text(out_array));
  const auto item = static_cast<Index>(x.itemsize());
  launch(Work{0.15 * static_cast<double>(item) * elements(both.shape)}, active_table().shape->copy, out, from,
         both.layout, item);
}

py::array copy(const py::array& x) {
  check_movable("copy", "x", x);
  py::array out = empty_of(x.dtype(), Shape(x.shape(), x.shape() + x.ndim()));
  launch_copy("copy", static_cast<std::byte*>(out.mutable_data()), out, x);
  return out;
}

void assign(py::array out, const py::array& x) {
  bytes("assign", "out", out);
  if (!out.writeable() || !out.dtype().equal(x.dtype())) fail_type("assign", "out", out);
  launch_copy("assign", static_cast<std::byte*>(out.mutable_data()), out, x);
}

py::array empty_array(const Shape& shape, const py::dtype& dtype) { return empty_of(dtype, shape); }

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

const std::int64_t* indices(const char* kernel, const py::array& index, Index N) {
  const std::int64_t* data = input<std::int64_t>(kernel, "index", index);
  for (py::ssize_t i = 0; i < index.size(); ++i) {
    if (data[i] < -N || data[i] >= N)
      throw py::index_error(std::string("[") + kernel + "] index " + std::to_string(data[i]) +
                            " is out of bounds for a dimension of " + std::to_string(N));
  }
  return data;
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

}  // namespace

void bind_shape(py::module_& module) {
  using py::arg;
  module.def("empty", &empty_array, arg("shape"), arg("dtype"));
  def_kernel(module, "copy", &copy, arg("x"));
  def_kernel(module, "assign", &assign, arg("out"), arg("x"));
  def_kernel(module, "take", &take, arg("table"), arg("index"), arg("dim"));
  def_kernel(module, "take_backward", &take_backward, arg("dout"), arg("index"), arg("shape"), arg("dim"));
  def_kernel(module, "pick", &pick, arg("x"), arg("index"), arg("dim"));
  def_kernel(module, "pick_backward", &pick_backward, arg("dout"), arg("index"), arg("shape"), arg("dim"));
  def_kernel(module, "join_index", &join_index, arg("first"), arg("second"), arg("n"), arg("b"));
}

}  // namespace nnative
