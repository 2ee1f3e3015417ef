// How an update becomes a Python function: lists of parameters, gradients and state, and the cell of its options.
#pragma once

#include <array>
#include <utility>

#include "bindings/columns.hpp"

namespace nnative {

// A list of optimizer state among a kernel's arguments.
struct Field {
  enum Kind { array, optional_array, cell, optional_cell };
  const char* name;
  Kind kind;

  bool is_cell() const { return kind == cell || kind == optional_cell; }
  bool optional() const { return kind == optional_array || kind == optional_cell; }
};

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

// The columns of state that are used: an optional one may be an empty list.
struct State {
  struct Entry {
    Column column;
    int place;
    bool cell;
  };
  std::array<std::optional<Entry>, kOptimArrays + kOptimCells> entries;
  std::size_t used = 0;
  int arrays = 0;

  template <std::size_t N>
  State(const char* kernel, std::size_t count, const std::array<Field, N>& fields,
        const std::array<const py::list*, N>& lists) {
    int cells = 0, all = 0;
    for (std::size_t f = 0; f < N; ++f) {
      const Field& field = fields[f];
      const int place = field.is_cell() ? cells++ : all++;
      if (field.optional() && lists[f]->empty()) continue;
      entries[used++].emplace(Entry{{kernel, field.name, *lists[f], count}, place, field.is_cell()});
      arrays += !field.is_cell();
    }
  }

  template <class T>
  void fill(OptimSlot<T>& slot, OptimCells& cells, std::size_t i) const {
    for (std::size_t e = 0; e < used; ++e) {
      const Entry& entry = *entries[e];
      if (entry.cell) {
        slot.cell[entry.place] = cells.cell[entry.place] = element<double>(entry.column, i, 1);
      } else {
        slot.array[entry.place] = element<T>(entry.column, i, slot.size);
      }
    }
  }
};

template <class T, class Hyper>
void launch_update(const std::vector<OptimSlot<T>>& slots, const Hyper* hyper, int arrays,
                   const OptimRule<T, Hyper>& rule) {
  if (slots.empty()) return;
  const double streams = 3 + 2 * arrays;
  launch(Work::bytes(streams * sizeof(T) * elements(slots)), rule.step, Bundles{slots.data()},
         static_cast<Index>(slots.size()), hyper);
}

template <std::size_t>
using List = py::list;

// Registers the face of a rule: params and grads, a list for each field, the cell, the bounds of rows' norms. `pick`
// finds the kernel in a table.
template <class Hyper, class Pick, std::size_t N, std::size_t... I>
void def_rule(py::module_& module, const char* kernel, const std::array<Field, N>& fields, Pick pick,
              std::index_sequence<I...>) {
  const auto step = [=](const py::list& params, const py::list& grads, const List<I>&... lists, const py::array& hyper,
                        const py::list& max_norms) {
    const auto* cell = hyper_cell<Hyper>(kernel, hyper);
    const std::size_t n = params.size();
    const Column all(kernel, "params", params, n), gradients(kernel, "grads", grads, n);
    const State state(kernel, n, fields, std::array<const py::list*, N>{&lists...});
    std::optional<Column> bounds;  // of matrices only: a vector has no rows
    if (!max_norms.empty()) bounds.emplace(kernel, "max_norms", max_norms, n);
    std::vector<OptimCells> cells;
    const Slots<OptimSlot> slots(all, [&](auto zero, std::size_t i, Index size) {
      using T = decltype(zero);
      const auto* array = array_at(all, i);
      const Index rows = rows_of(array), row = rows == 0 ? 0 : size / rows;
      const double* bound = bounds && array->nd > 1 ? element<const double>(*bounds, i, 1) : nullptr;
      OptimSlot<T> slot{element<T>(all, i, size), element<const T>(gradients, i, size), {}, {}, size, rows, row, bound};
      OptimCells numbers{};
      state.fill(slot, numbers, i);
      if (numbers.cell[0] != nullptr) cells.push_back(numbers);
      return slot;
    });
    if (!cells.empty())
      launch(Work{5 * static_cast<double>(cells.size())}, pick(kernels<float>()).advance, cells.data(),
             static_cast<Index>(cells.size()), cell);
    launch_update<float, Hyper>(slots.f32, cell, state.arrays, pick(kernels<float>()));
    launch_update<double, Hyper>(slots.f64, cell, state.arrays, pick(kernels<double>()));
  };
  def_kernel(module, kernel, step, py::arg("params"), py::arg("grads"), py::arg(fields[I].name)..., py::arg("hyper"),
             py::arg("max_norms") = py::list());
}

template <class Hyper, std::size_t N, class Pick>
void rule(py::module_& module, const char* kernel, const Field (&fields)[N], Pick pick) {
  def_rule<Hyper>(module, kernel, std::to_array(fields), pick, std::make_index_sequence<N>{});
}

}  // namespace nnative
