#include "bindings/array.hpp"

namespace nnative {
namespace {

// A list with one array for each parameter; `name` is for messages.
struct Column {
  const char* kernel;
  const char* name;
  const py::list& list;

  Column(const char* kernel_, const char* name_, const py::list& list_, std::size_t count)
      : kernel(kernel_), name(name_), list(list_) {
    if (list.size() != count)
      throw py::value_error(std::string("[") + kernel + "] expected " + std::to_string(count) + " arrays in " + name +
                            ", got " + std::to_string(list.size()));
  }
};

Index size_of(const py::detail::PyArray_Proxy* array) {
  Index size = 1;
  for (int d = 0; d < array->nd; ++d) size *= array->dimensions[d];
  return size;
}

// Data of the i-th array: contiguous, of dtype T without const, of `size` elements, writable unless T is const. A step
// on a small network looks at some thirty arrays, so the usual case is a comparison of pointers and the checks of
// array.hpp are left to explain the rest.
template <class T>
T* element(const Column& column, std::size_t i, Index size) {
  using Value = std::remove_const_t<T>;
  using Api = py::detail::npy_api;
  constexpr int kFlags = Api::NPY_ARRAY_C_CONTIGUOUS_ | Api::NPY_ARRAY_ALIGNED_ |
                         (std::is_const_v<T> ? 0 : static_cast<int>(Api::NPY_ARRAY_WRITEABLE_));
  const py::handle item = PyList_GET_ITEM(column.list.ptr(), static_cast<py::ssize_t>(i));
  if (py::isinstance<py::array>(item)) {
    const auto* proxy = py::detail::array_proxy(item.ptr());
    if (proxy->descr == native_descriptor<Value>() && (proxy->flags & kFlags) == kFlags && size_of(proxy) == size) {
      if (recorder != nullptr) recorder->note_used(column.kernel, py::reinterpret_borrow<py::array>(item));
      return reinterpret_cast<T*>(proxy->data);
    }
  }
  const std::string name = std::string(column.name) + "[" + std::to_string(i) + "]";
  if (!py::isinstance<py::array>(item))
    throw py::type_error(std::string("[") + column.kernel + "] expected an array for " + name);
  auto array = py::reinterpret_borrow<py::array>(item);
  if constexpr (std::is_const_v<T>) {
    return input<Value>(column.kernel, name.c_str(), array, size);
  } else {
    return output<T>(column.kernel, name.c_str(), array, size);
  }
}

// The memory of a structured 0-d array, whose fields are the doubles of Hyper.
template <class Hyper>
const Hyper* hyper_cell(const char* kernel, const py::array& cell) {
  if (cell.dtype().num() != py::detail::npy_api::NPY_VOID_ || cell.ndim() != 0 ||
      cell.itemsize() != static_cast<py::ssize_t>(sizeof(Hyper)) ||
      !(cell.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_))
    fail_type(kernel, "hyper, a structured 0-d array", cell);
  if (recorder != nullptr) recorder->note_used(kernel, cell);
  return static_cast<const Hyper*>(cell.data());
}

// The slots of a group by dtype, checked in full before any kernel runs. Null columns are state that is not used.
struct Slots {
  std::vector<OptimSlot<float>> f32;
  std::vector<OptimSlot<double>> f64;
  std::vector<OptimCount> counts;

  template <class T>
  void add(std::vector<OptimSlot<T>>& slots, std::size_t i, Index rows, Index size, const Column& params,
           const Column& grads, const Column* state0, const Column* state1, const Column* steps) {
    if (slots.empty()) slots.reserve(params.list.size());
    slots.push_back({element<T>(params, i, size), element<const T>(grads, i, size),
                     state0 ? element<T>(*state0, i, size) : nullptr, state1 ? element<T>(*state1, i, size) : nullptr,
                     steps ? count(*steps, i) : nullptr, rows, rows == 0 ? 0 : size / rows});
  }

  double* count(const Column& steps, std::size_t i) {
    counts.push_back({element<double>(steps, i, 1)});
    return counts.back().step;
  }

  Slots(const Column& params, const Column& grads, const Column* state0, const Column* state1, const Column* steps) {
    for (std::size_t i = 0; i < params.list.size(); ++i) {
      const py::handle item = PyList_GET_ITEM(params.list.ptr(), static_cast<py::ssize_t>(i));
      if (!py::isinstance<py::array>(item))
        throw py::type_error(std::string("[") + params.kernel + "] expected an array for params[" + std::to_string(i) +
                             "]");
      const auto* proxy = py::detail::array_proxy(item.ptr());
      const Index rows = proxy->nd == 0 ? 1 : proxy->dimensions[0];
      if (proxy->descr == native_descriptor<double>()) {
        add(f64, i, rows, size_of(proxy), params, grads, state0, state1, steps);
      } else {
        add(f32, i, rows, size_of(proxy), params, grads, state0, state1, steps);
      }
    }
  }

  template <class T, class Hyper>
  static void run(const std::vector<OptimSlot<T>>& slots, const Hyper* hyper, double streams,
                  void (*kernel)(const Team&, const OptimSlot<T>*, Index, const Hyper*)) {
    if (slots.empty()) return;
    double elements = 0;
    for (const OptimSlot<T>& slot : slots) elements += static_cast<double>(slot.rows * slot.row);
    launch(Work::bytes(streams * sizeof(T) * elements), kernel, Bundles{slots.data()}, static_cast<Index>(slots.size()),
           hyper);
  }

  void advance() const {
    if (counts.empty()) return;
    launch(Work{static_cast<double>(counts.size())}, kernels<float>().optim->advance, counts.data(),
           static_cast<Index>(counts.size()));
  }
};

void sgd_step(const py::list& params, const py::list& grads, const py::list& momentum_buffers, const py::list& steps,
              const py::array& hyper) {
  constexpr const char* kName = "sgd_step";
  const auto* cell = hyper_cell<SgdHyper>(kName, hyper);
  const bool momentum = cell->momentum != 0;
  const std::size_t n = params.size();
  const Column buffers(kName, "momentum_buffers", momentum_buffers, momentum ? n : momentum_buffers.size());
  const Column counts(kName, "steps", steps, momentum ? n : steps.size());
  const Slots slots({kName, "params", params, n}, {kName, "grads", grads, n}, momentum ? &buffers : nullptr, nullptr,
                    momentum ? &counts : nullptr);
  const double streams = momentum ? 5 : 3;
  slots.advance();
  Slots::run(slots.f32, cell, streams, kernels<float>().optim->sgd_step);
  Slots::run(slots.f64, cell, streams, kernels<double>().optim->sgd_step);
}

void adam_step(const py::list& params, const py::list& grads, const py::list& exp_avgs, const py::list& exp_avg_sqs,
               const py::list& steps, const py::array& hyper) {
  constexpr const char* kName = "adam_step";
  const auto* cell = hyper_cell<AdamHyper>(kName, hyper);
  const std::size_t n = params.size();
  const Column averages(kName, "exp_avgs", exp_avgs, n), squares(kName, "exp_avg_sqs", exp_avg_sqs, n);
  const Column counts(kName, "steps", steps, n);
  const Slots slots({kName, "params", params, n}, {kName, "grads", grads, n}, &averages, &squares, &counts);
  slots.advance();
  Slots::run(slots.f32, cell, 7, kernels<float>().optim->adam_step);
  Slots::run(slots.f64, cell, 7, kernels<double>().optim->adam_step);
}

}  // namespace

void bind_optim(py::module_& module) {
  using py::arg;
  def_kernel(module, "sgd_step", &sgd_step, arg("params"), arg("grads"), arg("momentum_buffers"), arg("steps"),
             arg("hyper"));
  def_kernel(module, "adam_step", &adam_step, arg("params"), arg("grads"), arg("exp_avgs"), arg("exp_avg_sqs"),
             arg("steps"), arg("hyper"));
}

}  // namespace nnative
