// What a sealed recording does when it is called: looks whether it still holds, binds the arguments, runs the program.
#pragma once

#include <chrono>
#include <mutex>

#include "bindings/conditions.hpp"

namespace nnative {

// The ndarray of an argument: of a Tensor its data.
inline py::object array_of(py::handle value) {
  if (py::isinstance<py::array>(value)) return py::reinterpret_borrow<py::object>(value);
  static PyObject* const name = interned("_data");
  PyObject* data = PyObject_GetAttr(value.ptr(), name);
  if (data == nullptr) {
    PyErr_Clear();
    return {};
  }
  auto object = py::reinterpret_steal<py::object>(data);
  return py::isinstance<py::array>(object) ? object : py::object{};
}

class Replay {
 public:
  Replay(std::unique_ptr<Program> program, std::vector<py::object> externals, std::vector<Argument> arguments,
         std::vector<Result> results, std::vector<Watch> watches, std::vector<Watch> gradients,
         std::vector<Refresher> refreshers, std::optional<py::array_t<std::int64_t>> labels)
      : program_(std::move(program)),
        externals_(std::move(externals)),
        arguments_(std::move(arguments)),
        results_(std::move(results)),
        watches_(std::move(watches)),
        gradients_(std::move(gradients)),
        refreshers_(std::move(refreshers)),
        labels_(std::move(labels)),
        bad_label_(labels_ ? labels_->mutable_data() : nullptr),
        table_(&active_table()) {}

  // Whether nothing that was recorded has changed since.
  bool holds() const {
    if (table_ != &active_table()) return false;
    for (const Watch& watch : watches_) {
      if (!watch.holds()) return false;
    }
    return true;
  }

  bool fits(const py::tuple& arguments) const {
    std::vector<py::array> arrays;
    return fits(arguments, arrays);
  }

  // The results for these arguments, or None when they or the state do not fit the recording.
  py::object call(const py::tuple& arguments) {
    std::vector<py::array> arrays;
    if (!fits(arguments, arrays)) return py::none();
    for (py::array& array : arrays) {
      if (!usable(array)) array = py::array::ensure(array, kUsable);
      // What the step changes under its own argument must be seen by all members or by none.
      if (program_->writes(static_cast<const std::byte*>(array.data()), static_cast<std::size_t>(array.nbytes())))
        array = py::reinterpret_steal<py::array>(array.attr("copy")().release());
    }
    for (Refresher& refresh : refreshers_) refresh();
    std::vector<py::array> results;
    for (const Result& result : results_) {
      if (is_output(result)) {
        results.push_back(allocate(result.dtype, result.shape));
      } else {
        results.emplace_back(result.dtype, result.shape);
      }
    }
    {
      const Lock lock(*this);
      for (std::size_t i = 0; i < results.size(); ++i) {
        if (is_output(results_[i])) program_->bind(results_[i].place.memory, address_of(results[i]));
      }
      for (std::size_t i = 0; i < arrays.size(); ++i)
        program_->bind(i, static_cast<const std::byte*>(arrays[i].data()));
      {
        std::optional<GilReleased> released;
        if (program_->nanoseconds() > kReleaseGilNanoseconds) released.emplace();
        program_->run();
      }
      for (std::size_t i = 0; i < results.size(); ++i) {
        if (!is_output(results_[i])) copy_result(i, address_of(results[i]));
      }
    }
    restore_gradients();
    check_labels();
    if (results.size() == 1) return std::move(results[0]);
    py::list list;
    for (py::array& result : results) list.append(std::move(result));
    return list;
  }

  // Runs the minibatches of rows order[begin] … order[end - 1] of the arrays, or begin … end - 1 without an order.
  // uint8 arrays are multiplied by `scale` where the recording has a float. Returns one array of the batches' values
  // for each (scalar) result.
  py::list epoch(const std::vector<py::array>& arrays, const std::optional<py::array_t<std::int64_t>>& order,
                 Index begin, Index end, double scale) {
    const Index rows = arguments_.at(0).shape.at(0);
    const Index batches = (end - begin) / rows;
    std::vector<py::array> results;
    for (const Result& result : results_) results.emplace_back(result.dtype, std::vector<py::ssize_t>{batches});
    const std::int64_t* index = order ? order->data() : nullptr;
    for (Refresher& refresh : refreshers_) refresh();
    std::optional<py::error_already_set> interrupted;  // taken at once: nothing may run with an error pending
    {
      const Lock lock(*this);
      std::vector<Feed> feeds;
      for (std::size_t i = 0; i < arrays.size(); ++i) feeds.push_back(feed(i, arrays[i], scale));
      std::vector<std::byte*> written;
      for (py::array& result : results) written.push_back(address_of(result));
      const GilReleased released;
      constexpr double kClockNanoseconds =
          1e5;  // of work between two looks at the clock, which cost as much as a small kernel
      double unchecked = 0;
      auto last_check = std::chrono::steady_clock::now();
      program_->run(
          batches,
          [&](Index batch, const Team& team) {
            for (const Feed& f : feeds) f.gather(team, index, begin + batch * rows, rows);
          },
          [&](Index batch) {
            for (std::size_t i = 0; i < results_.size(); ++i)
              copy_result(i, written[i] + static_cast<std::size_t>(batch) * results_[i].place.bytes);
            unchecked += program_->nanoseconds();
            if (unchecked < kClockNanoseconds) return true;
            unchecked = 0;
            const auto now = std::chrono::steady_clock::now();
            if (now - last_check < std::chrono::milliseconds(50)) return true;
            last_check = now;
            std::optional<py::gil_scoped_acquire> acquired;
            python([&] { acquired.emplace(); });
            if (PyErr_CheckSignals() != 0) interrupted.emplace();
            return !interrupted;
          });
    }
    restore_gradients();
    if (interrupted) throw *interrupted;
    check_labels();
    py::list list;
    for (py::array& result : results) list.append(std::move(result));
    return list;
  }

  std::size_t steps() const { return program_->steps(); }
  std::size_t segments() const { return program_->segments(); }
  std::size_t arena_bytes() const { return program_->arena_bytes(); }

 private:
  // Whether arguments and state are those of the recording; collects the arrays among the arguments.
  bool fits(const py::tuple& arguments, std::vector<py::array>& arrays) const {
    if (arguments.size() != arguments_.size() || !holds()) return false;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      const Argument& expected = arguments_[i];
      if (expected.constant) {
        if (!expected.equals(arguments[i])) return false;
        continue;
      }
      py::object array = array_of(arguments[i]);
      if (!array) return false;
      arrays.push_back(py::reinterpret_steal<py::array>(array.release()));
      if (!expected.fits(arrays.back())) return false;
    }
    return true;
  }

  // One replay at a time, waiting for it without the GIL.
  class Lock {
   public:
    explicit Lock(Replay& replay) : replay_(replay) {
      if (!replay.busy_.try_lock()) {
        const GilReleased released;
        replay.busy_.lock();
      }
    }
    ~Lock() { replay_.busy_.unlock(); }

   private:
    Replay& replay_;
  };

  // One gathered argument of an epoch.
  struct Feed {
    std::byte* to;
    const std::byte* from;
    Index row;   // elements
    Index item;  // bytes of an element of `to`
    bool from_bytes;
    double scale;

    // Rows index[first] …, or `first` … without an index.
    void gather(const Team& team, const std::int64_t* index, Index first, Index rows) const {
      const std::byte* table = from;
      if (index == nullptr)
        table += first * row * (from_bytes ? 1 : item);
      else
        index += first;
      if (!from_bytes) return kernels<float>().gather->rows(team, to, table, index, rows, row * item);
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(table);
      if (item == 4)
        kernels<float>().gather->scaled_bytes(team, reinterpret_cast<float*>(to), bytes, index, rows, row,
                                              static_cast<float>(scale));
      else
        kernels<double>().gather->scaled_bytes(team, reinterpret_cast<double*>(to), bytes, index, rows, row, scale);
    }
  };

  Feed feed(std::size_t i, const py::array& array, double scale) {
    const Argument& argument = arguments_[i];
    Index row = 1;
    for (std::size_t d = 1; d < argument.shape.size(); ++d) row *= argument.shape[d];
    const py::dtype dtype(argument.type);
    if (buffers_.size() <= i) buffers_.resize(i + 1);
    if (!buffers_[i]) buffers_[i] = allocate(dtype, argument.shape);
    auto* to = static_cast<std::byte*>(py::reinterpret_borrow<py::array>(buffers_[i]).mutable_data());
    program_->bind(i, to);
    const bool from_bytes = array.dtype().num() != argument.type;
    return {to, static_cast<const std::byte*>(array.data()), row, dtype.itemsize(), from_bytes, scale};
  }

  static std::byte* address_of(py::array& array) { return static_cast<std::byte*>(array.mutable_data()); }
  bool is_output(const Result& result) const { return program_->is_output(result.place.memory); }

  void copy_result(std::size_t i, std::byte* to) const {
    const Recorder::Place& place = results_[i].place;
    if (place.bytes > 0) std::memcpy(to, program_->address(place.memory, place.offset), place.bytes);
  }

  void restore_gradients() const {
    for (const Watch& gradient : gradients_) {
      if (!gradient.holds() && PyObject_SetAttr(gradient.owner.ptr(), gradient.name.ptr(), gradient.value.ptr()) != 0)
        throw py::error_already_set();
    }
  }

  // Kernels note the first class index that is out of range: its place plus one, and the index.
  void check_labels() {
    if (bad_label_ == nullptr || *bad_label_ == 0) return;
    const std::int64_t place = std::exchange(*bad_label_, 0) - 1;
    throw py::value_error("[compile] expected class indices within the classes of a loss, got " +
                          std::to_string(bad_label_[1]) + " at place " + std::to_string(place) +
                          " of a target: the step was replayed, that row without a gradient");
  }

  std::unique_ptr<Program> program_;
  std::vector<py::object> externals_;
  std::vector<Argument> arguments_;
  std::vector<Result> results_;
  std::vector<Watch> watches_;
  std::vector<Watch> gradients_;  // what `grad` is after a replay
  std::vector<Refresher> refreshers_;
  std::optional<py::array_t<std::int64_t>> labels_;
  std::int64_t* bad_label_;
  std::vector<py::object> buffers_;
  const KernelTable* table_;
  std::mutex busy_;
};

}  // namespace nnative
