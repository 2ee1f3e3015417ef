#include <pybind11/stl.h>

#include <limits>

#include "bindings/array.hpp"

namespace nnative {
namespace {

using Shape = std::vector<py::ssize_t>;
using Seed = std::uint64_t;

// Allocates an array of the dtype and fills it by the kernel of that dtype.
template <class Kernel>
py::array filled(const char* kernel, const Shape& shape, const py::object& dtype, double flops, Kernel run) {
  double size = 1;
  for (const py::ssize_t extent : shape) {
    if (extent < 0) throw py::value_error(std::string("[") + kernel + "] negative extent in the shape");
    size *= static_cast<double>(extent);
  }
  if (size > 1e18) throw py::value_error(std::string("[") + kernel + "] the shape has too many elements");
  const auto fill = [&]<class T>(T) -> py::array {
    py::array_t<T> out = empty<T>(shape);
    run(T{}, Work::flops(flops * static_cast<double>(out.size())), out.mutable_data(), static_cast<Index>(out.size()));
    return out;
  };
  const py::dtype wanted = py::dtype::from_args(dtype);
  if (wanted.equal(py::dtype::of<float>())) return fill(float{});
  if (wanted.equal(py::dtype::of<double>())) return fill(double{});
  throw py::type_error(std::string("[") + kernel + "] expected dtype float32 or float64, got " +
                       py::str(wanted).cast<std::string>());
}

py::array uniform(const Shape& shape, Seed seed, Seed stream, double low, double high, const py::object& dtype) {
  return filled("uniform", shape, dtype, 25, [&]<class T>(T, Work work, T* out, Index size) {
    launch(work, kernels<T>().random->uniform, out, size, seed, stream, static_cast<T>(low), static_cast<T>(high));
  });
}

py::array normal(const Shape& shape, Seed seed, Seed stream, double mean, double std, const py::object& dtype) {
  return filled("normal", shape, dtype, 60, [&]<class T>(T, Work work, T* out, Index size) {
    launch(work, kernels<T>().random->normal, out, size, seed, stream, static_cast<T>(mean), static_cast<T>(std));
  });
}

py::array_t<std::int64_t> permutation(Index n, Seed seed, Seed stream) {
  if (n < 0 || n > std::numeric_limits<std::uint32_t>::max())
    throw py::value_error("[permutation] expected 0 <= n < 2**32, got " + std::to_string(n));
  auto out = empty<std::int64_t>({n});
  // One member does all of it: a cost below the price of a thread, yet without the GIL when long.
  const auto kernel = kernels<float>().random->permutation;
  std::optional<GilReleased> released;
  std::int64_t* data = out.mutable_data();
  if (n > 10000) released.emplace();
  kernel(Team{0, 1, nullptr, nullptr, nullptr}, data, n, seed, stream);
  return out;
}

py::array_t<std::uint32_t> philox(const py::array& counter, const py::array& key) {
  const Shape2 shape = shape2("philox", "counter", counter);
  if (shape.cols != 4) fail_shape("philox", "counter", counter, "4 columns");
  auto out = empty<std::uint32_t>({shape.rows, 4});
  launch(Work::flops(100 * static_cast<double>(shape.rows)), kernels<float>().random->philox, out.mutable_data(),
         input<std::uint32_t>("philox", "counter", counter), input<std::uint32_t>("philox", "key", key, 2),
         static_cast<Index>(shape.rows));
  return out;
}

py::array uniform_from(const Shape& shape, const py::array& state, double low, double high, const py::object& dtype) {
  const Seed* data = input<Seed>("uniform_from", "state", state, 2);
  return filled("uniform_from", shape, dtype, 25, [&]<class T>(T, Work work, T* out, Index size) {
    launch(work, kernels<T>().random->uniform_from, out, data, size, static_cast<T>(low), static_cast<T>(high));
  });
}

py::array take_stream(py::array& cell) {
  auto state = empty<std::uint64_t>({2});
  launch(Work{5}, kernels<float>().random->take_stream, state.mutable_data(),
         output<std::uint64_t>("take_stream", "cell", cell, 2));
  return state;
}

}  // namespace

void bind_random(py::module_& module) {
  using py::arg;
  def_kernel(module, "uniform", &uniform, arg("shape"), arg("seed"), arg("stream"), arg("low"), arg("high"),
             arg("dtype"));
  def_kernel(module, "normal", &normal, arg("shape"), arg("seed"), arg("stream"), arg("mean"), arg("std"),
             arg("dtype"));
  def_kernel(module, "permutation", &permutation, arg("n"), arg("seed"), arg("stream"));
  def_kernel(module, "philox", &philox, arg("counter"), arg("key"));
  def_kernel(module, "uniform_from", &uniform_from, arg("shape"), arg("state"), arg("low"), arg("high"), arg("dtype"));
  def_kernel(module, "take_stream", &take_stream, arg("cell"));
}

}  // namespace nnative
