#include <pybind11/stl.h>

#include "bindings/columns.hpp"

namespace nnative {
namespace {

// What a slot's array is to the kernel.
enum class Use { read, write };

// The slots of arrays that must all be of one dtype, since a number comes out of them.
template <class T>
std::vector<ListSlot<T>> slots_of(const char* kernel, const py::list& arrays, Use use) {
  const Column column(kernel, "arrays", arrays, arrays.size());
  std::vector<ListSlot<T>> slots;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const Index size = size_of(array_at(column, i));
    slots.push_back({use == Use::write ? element<T>(column, i, size) : nullptr,
                     use == Use::read ? element<const T>(column, i, size) : nullptr, size, 0});
  }
  return slots;
}

// Calls f with a float or a double according to the first array.
template <class F>
auto with_dtype_of(const char* kernel, const py::list& arrays, F&& f) {
  if (arrays.empty()) throw py::value_error(std::string("[") + kernel + "] expected at least one array");
  const Column column(kernel, "arrays", arrays, arrays.size());
  array_at(column, 0);
  return with_dtype(kernel, py::reinterpret_borrow<py::array>(column.item(0)), f);
}

template <class T>
Work work(const std::vector<ListSlot<T>>& slots, double streams) {
  return Work::bytes(streams * sizeof(T) * elements(slots));
}

py::array total_norm(const py::list& arrays, double norm_type) {
  return with_dtype_of("total_norm", arrays, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const auto slots = slots_of<T>("total_norm", arrays, Use::read);
    const auto count = static_cast<Index>(slots.size());
    const ListsKernels<T>& family = *kernels<T>().lists;
    auto total = empty<T>({});
    launch(work(slots, 1), family.chunk_scratch(slots.data(), count), family.total_norm, total.mutable_data(),
           slots.data(), count, norm_type);
    return total;
  });
}

py::array clip_norm(const py::list& arrays, double max_norm, double norm_type) {
  return with_dtype_of("clip_norm", arrays, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const auto slots = slots_of<T>("clip_norm", arrays, Use::write);
    const auto count = static_cast<Index>(slots.size());
    const ListsKernels<T>& family = *kernels<T>().lists;
    auto total = empty<T>({});
    launch(work(slots, 3), family.chunk_scratch(slots.data(), count), family.clip_norm, total.mutable_data(),
           slots.data(), count, max_norm, norm_type);
    return total;
  });
}

// Slots of arrays that a kernel changes in place, of either dtype.
Slots<ListSlot> changed(const char* kernel, const py::list& arrays) {
  const Column column(kernel, "arrays", arrays, arrays.size());
  return Slots<ListSlot>(column, [&](auto zero, std::size_t i, Index size) {
    using T = decltype(zero);
    const auto* proxy = array_at(column, i);
    return ListSlot<T>{element<T>(column, i, size), nullptr, size, proxy->nd > 0 ? proxy->dimensions[0] : 0};
  });
}

template <class T, class Kernel, class Scalar>
void run(const std::vector<ListSlot<T>>& slots, double streams, Kernel kernel, Scalar scalar) {
  if (slots.empty()) return;
  launch(work(slots, streams), kernel, slots.data(), static_cast<Index>(slots.size()), scalar);
}

void clip_values(const py::list& arrays, double limit) {
  const Slots<ListSlot> slots = changed("clip_values", arrays);
  run(slots.f32, 2, kernels<float>().lists->clip_values, static_cast<float>(limit));
  run(slots.f64, 2, kernels<double>().lists->clip_values, limit);
}

void limit_rows(const py::list& arrays, double max_norm) {
  const Slots<ListSlot> slots = changed("limit_rows", arrays);
  run(slots.f32, 2, kernels<float>().lists->limit_rows, max_norm);
  run(slots.f64, 2, kernels<double>().lists->limit_rows, max_norm);
}

void average(const py::list& averages, const py::list& arrays, py::array averaged, std::optional<double> weight) {
  constexpr const char* kName = "average";
  const Column to(kName, "averages", averages, averages.size()), from(kName, "arrays", arrays, averages.size());
  auto* count = output<std::int64_t>(kName, "averaged", averaged, 1);
  const Slots<ListSlot> slots(to, [&](auto zero, std::size_t i, Index size) {
    using T = decltype(zero);
    return ListSlot<T>{element<T>(to, i, size), element<const T>(from, i, size), size, 0};
  });
  const double part = weight.value_or(-1);
  // The last launch counts; without arrays of doubles, and also without any, that is the one of floats.
  const bool doubles = !slots.f64.empty();
  launch(work(slots.f32, 3), kernels<float>().lists->average, count, slots.f32.data(),
         static_cast<Index>(slots.f32.size()), part, !doubles);
  if (doubles)
    launch(work(slots.f64, 3), kernels<double>().lists->average, count, slots.f64.data(),
           static_cast<Index>(slots.f64.size()), part, true);
}

py::array penalty(const py::list& arrays, double l1, double l2) {
  return with_dtype_of("penalty", arrays, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const auto slots = slots_of<T>("penalty", arrays, Use::read);
    const auto count = static_cast<Index>(slots.size());
    const ListsKernels<T>& family = *kernels<T>().lists;
    auto total = empty<T>({});
    launch(work(slots, 1), family.chunk_scratch(slots.data(), count), family.penalty, total.mutable_data(),
           slots.data(), count, l1, l2);
    return total;
  });
}

py::list penalty_backward(const py::array& dloss, const py::list& arrays, double l1, double l2) {
  return with_dtype_of("penalty_backward", arrays, [&](auto zero) -> py::list {
    using T = decltype(zero);
    auto slots = slots_of<T>("penalty_backward", arrays, Use::read);
    const T* scale = input<T>("penalty_backward", "dloss", dloss, 1);
    py::list gradients;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      auto gradient = empty_like<T>(py::reinterpret_borrow<py::array>(arrays[i]));
      slots[i].to = gradient.mutable_data();
      gradients.append(std::move(gradient));
    }
    launch(work(slots, 2), kernels<T>().lists->penalty_backward, slots.data(), static_cast<Index>(slots.size()), scale,
           static_cast<T>(l1), static_cast<T>(l2));
    return gradients;
  });
}

void add_scaled(py::array y, const py::array& x, double alpha) {
  with_dtype("add_scaled", y, [&](auto zero) {
    using T = decltype(zero);
    T* to = output<T>("add_scaled", "y", y);
    const T* from = input<T>("add_scaled", "x", x, y.size());
    launch(Work::bytes(3 * sizeof(T) * static_cast<double>(y.size())), kernels<T>().lists->add_scaled, to, from,
           static_cast<Index>(y.size()), static_cast<T>(alpha));
  });
}

py::array dot(const py::array& x, const py::array& y) {
  return with_dtype("dot", x, [&](auto zero) -> py::array {
    using T = decltype(zero);
    const Index size = x.size();
    const T *left = input<T>("dot", "x", x), *right = input<T>("dot", "y", y, size);
    auto total = empty<double>({});
    const ListsKernels<T>& family = *kernels<T>().lists;
    launch(Work::bytes(2 * sizeof(T) * static_cast<double>(size)), family.dot_scratch(size), family.dot,
           total.mutable_data(), left, right, size);
    return total;
  });
}

}  // namespace

void bind_lists(py::module_& module) {
  using py::arg;
  def_kernel(module, "total_norm", &total_norm, arg("arrays"), arg("norm_type"));
  def_kernel(module, "clip_norm", &clip_norm, arg("arrays"), arg("max_norm"), arg("norm_type"));
  def_kernel(module, "clip_values", &clip_values, arg("arrays"), arg("limit"));
  def_kernel(module, "limit_rows", &limit_rows, arg("arrays"), arg("max_norm"));
  def_kernel(module, "average", &average, arg("averages"), arg("arrays"), arg("averaged"), arg("weight"));
  def_kernel(module, "penalty", &penalty, arg("arrays"), arg("l1"), arg("l2"));
  def_kernel(module, "penalty_backward", &penalty_backward, arg("dloss"), arg("arrays"), arg("l1"), arg("l2"));
  def_kernel(module, "add_scaled", &add_scaled, arg("y"), arg("x"), arg("alpha"));
  def_kernel(module, "dot", &dot, arg("x"), arg("y"));
}

}  // namespace nnative
