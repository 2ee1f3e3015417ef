#include <pybind11/stl.h>
#include <structmember.h>

#include <bit>
#include <chrono>
#include <mutex>
#include <utility>

#include "bindings/array.hpp"

namespace nnative {
namespace {

py::object interned(const py::str& name) {
  PyObject* same = name.inc_ref().ptr();
  PyUnicode_InternInPlace(&same);
  return py::reinterpret_steal<py::object>(same);
}

// Where an object keeps an attribute that is one of its class's __slots__, else null.
PyObject** slot_of(const py::object& owner, const py::object& name) {
  const auto descriptor = py::reinterpret_steal<py::object>(
      PyObject_GetAttr(reinterpret_cast<PyObject*>(Py_TYPE(owner.ptr())), name.ptr()));
  if (!descriptor) PyErr_Clear();
  if (!descriptor || !Py_IS_TYPE(descriptor.ptr(), &PyMemberDescr_Type)) return nullptr;
  const PyMemberDef* member = reinterpret_cast<PyMemberDescrObject*>(descriptor.ptr())->d_member;
  if (member->type != T_OBJECT_EX) return nullptr;
  return reinterpret_cast<PyObject**>(reinterpret_cast<char*>(owner.ptr()) + member->offset);
}

// An attribute that should be a certain object: a condition under which a recording holds, a gradient after a replay.
// Most are in slots, so that the dozens of a step are compared in a few nanoseconds.
struct Watch {
  py::object owner;
  py::object name;
  py::object value;
  PyObject** slot;

  Watch(py::object owner_, const py::str& name_, py::object value_)
      : owner(std::move(owner_)), name(interned(name_)), value(std::move(value_)), slot(slot_of(owner, name)) {}

  bool holds() const {
    if (slot != nullptr) return *slot == value.ptr();
    PyObject* now = PyObject_GetAttr(owner.ptr(), name.ptr());
    if (now == nullptr) PyErr_Clear();
    Py_XDECREF(now);
    return now == value.ptr();
  }
};

PyObject* interned(const char* name) { return PyUnicode_InternFromString(name); }

// Calls a function before a replay if one of the named options is another object than last time, or one that can change
// in place.
class Refresher {
 public:
  Refresher(py::object function, py::dict options, const py::tuple& names)
      : function_(std::move(function)), options_(std::move(options)) {
    for (const py::handle name : names) seen_.emplace_back(py::reinterpret_borrow<py::object>(name), py::none());
  }

  void operator()() {
    bool changed = false;
    for (auto& [name, value] : seen_) {
      PyObject* now = PyDict_GetItemWithError(options_.ptr(), name.ptr());
      if (now == nullptr) now = Py_None;
      if (now == value.ptr() && (PyFloat_Check(now) || PyLong_Check(now) || PyTuple_Check(now))) continue;
      value = py::reinterpret_borrow<py::object>(now);
      changed = true;
    }
    if (changed) function_();
  }

 private:
  py::object function_;
  py::dict options_;
  std::vector<std::pair<py::object, py::object>> seen_;
};

// What a call must bring to fit a recording: an array of this dtype and shape, or an equal constant.
struct Argument {
  py::object constant;   // null for an array
  bool changes = false;  // whether the constant could have changed since: identity says nothing then
  int type = 0;
  std::vector<py::ssize_t> shape;
  py::object dtype;  // the one that arrays mostly share

  // The same value of the same type; floats by their bits, so that −0 is not 0 and NaN is itself.
  bool equals(py::handle value) const {
    if (!changes && constant.is(value)) return true;
    if (Py_TYPE(value.ptr()) != Py_TYPE(constant.ptr())) return false;
    if (PyFloat_CheckExact(value.ptr()))
      return std::bit_cast<std::uint64_t>(PyFloat_AS_DOUBLE(value.ptr())) ==
             std::bit_cast<std::uint64_t>(PyFloat_AS_DOUBLE(constant.ptr()));
    return constant.equal(value);
  }

  bool fits(const py::array& array) const {
    const bool same = py::detail::array_proxy(array.ptr())->descr == dtype.ptr();
    return (same || array.dtype().num() == type) && static_cast<std::size_t>(array.ndim()) == shape.size() &&
           std::equal(shape.begin(), shape.end(), array.shape());
  }
};

struct Result {
  Recorder::Place place;
  py::dtype dtype;
  std::vector<py::ssize_t> shape;
  std::size_t bytes;
};

// The ndarray of an argument: of a Tensor its data.
py::object array_of(py::handle value) {
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
    for (const Result& result : results_) results.emplace_back(result.dtype, result.shape);
    {
      const Lock lock(*this);
      for (std::size_t i = 0; i < arrays.size(); ++i)
        program_->bind(i, static_cast<const std::byte*>(arrays[i].data()));
      {
        std::optional<py::gil_scoped_release> release;
        if (program_->nanoseconds() > kReleaseGilNanoseconds) release.emplace();
        program_->run();
      }
      for (std::size_t i = 0; i < results.size(); ++i)
        copy_result(i, static_cast<std::byte*>(results[i].mutable_data()));
    }
    restore_gradients();
    check_labels();
    if (results.size() == 1) return std::move(results[0]);
    py::list list;
    for (py::array& result : results) list.append(std::move(result));
    return list;
  }

  // Runs `order.size() / rows` minibatches: row order[b·rows + r] of every array is row r of batch b. uint8 arrays are
  // multiplied by `scale` where the recording has a float. Returns one array of the batches' values for each (scalar)
  // result.
  py::list epoch(const std::vector<py::array>& arrays, const py::array_t<std::int64_t>& order, double scale) {
    const Index rows = arguments_.at(0).shape.at(0);
    const Index batches = order.size() / rows;
    std::vector<py::array> results;
    for (const Result& result : results_) results.emplace_back(result.dtype, std::vector<py::ssize_t>{batches});
    const std::int64_t* index = order.data();
    for (Refresher& refresh : refreshers_) refresh();
    std::optional<py::error_already_set> interrupted;  // taken at once: nothing may run with an error pending
    {
      const Lock lock(*this);
      std::vector<Feed> feeds;
      for (std::size_t i = 0; i < arrays.size(); ++i) feeds.push_back(feed(i, arrays[i], scale));
      std::vector<std::byte*> written;
      for (py::array& result : results) written.push_back(static_cast<std::byte*>(result.mutable_data()));
      const py::gil_scoped_release release;
      constexpr double kClockNanoseconds =
          1e5;  // of work between two looks at the clock, which cost as much as a small kernel
      double unchecked = 0;
      auto last_check = std::chrono::steady_clock::now();
      program_->run(
          batches,
          [&](Index batch, const Team& team) {
            for (const Feed& f : feeds) f.gather(team, index + batch * rows, rows);
            barrier(team);
          },
          [&](Index batch) {
            for (std::size_t i = 0; i < results_.size(); ++i)
              copy_result(i, written[i] + static_cast<std::size_t>(batch) * results_[i].bytes);
            unchecked += program_->nanoseconds();
            if (unchecked < kClockNanoseconds) return true;
            unchecked = 0;
            const auto now = std::chrono::steady_clock::now();
            if (now - last_check < std::chrono::milliseconds(50)) return true;
            last_check = now;
            const py::gil_scoped_acquire acquire;
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
        const py::gil_scoped_release release;
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

    void gather(const Team& team, const std::int64_t* index, Index rows) const {
      if (from_bytes && item == 4)
        kernels<float>().gather->scaled_bytes(team, reinterpret_cast<float*>(to),
                                              reinterpret_cast<const std::uint8_t*>(from), index, rows, row,
                                              static_cast<float>(scale));
      else if (from_bytes)
        kernels<double>().gather->scaled_bytes(team, reinterpret_cast<double*>(to),
                                               reinterpret_cast<const std::uint8_t*>(from), index, rows, row, scale);
      else
        kernels<float>().gather->rows(team, to, from, index, rows, row * item);
    }
  };

  Feed feed(std::size_t i, const py::array& array, double scale) {
    const Argument& argument = arguments_[i];
    Index row = 1;
    for (std::size_t d = 1; d < argument.shape.size(); ++d) row *= argument.shape[d];
    const py::dtype dtype(argument.type);
    if (buffers_.size() <= i) buffers_.resize(i + 1);
    if (!buffers_[i]) buffers_[i] = py::array(dtype, argument.shape);
    auto* to = static_cast<std::byte*>(py::reinterpret_borrow<py::array>(buffers_[i]).mutable_data());
    program_->bind(i, to);
    const bool from_bytes = array.dtype().num() != argument.type;
    return {to, static_cast<const std::byte*>(array.data()), row, dtype.itemsize(), from_bytes, scale};
  }

  void copy_result(std::size_t i, std::byte* to) const {
    const Result& result = results_[i];
    if (result.bytes > 0) std::memcpy(to, program_->address(result.place.memory, result.place.offset), result.bytes);
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

// A recording under way on this thread, between start and stop.
class Recording {
 public:
  explicit Recording(const std::vector<py::array>& buffers) : recorder_(buffers) {
    for (const py::array& buffer : buffers) {
      Argument argument{{}, false, buffer.dtype().num(), {}, buffer.dtype()};
      argument.shape.assign(buffer.shape(), buffer.shape() + buffer.ndim());
      arrays_.push_back(std::move(argument));
    }
  }
  ~Recording() { stop(); }
  void start() { recorder = &recorder_; }
  void stop() {
    if (recorder == &recorder_) recorder = nullptr;
  }

  bool knows(const py::array& array) const { return recorder_.knows(array); }

  void add_result(const py::array& array) {
    results_.push_back({recorder_.place_of(array), array.dtype(),
                        std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()),
                        static_cast<std::size_t>(array.nbytes())});
  }

  // `constants` has, for each argument of the function, a constant and whether it could change, or None for an
  // array.
  std::unique_ptr<Replay> seal(const std::vector<std::optional<py::tuple>>& constants,
                               const std::vector<std::tuple<py::object, py::str, py::object>>& watches,
                               const std::vector<std::pair<py::object, py::object>>& gradients,
                               const std::vector<std::tuple<py::object, py::dict, py::tuple>>& refreshers,
                               std::optional<py::array_t<std::int64_t>> labels, bool fuse, bool frozen) {
    std::vector<std::size_t> kept;
    for (const Result& result : results_) kept.push_back(result.place.memory);
    auto program = recorder_.seal(kept, {fuse, frozen});
    std::vector<Argument> arguments;
    std::size_t next = 0;
    for (const auto& constant : constants)
      arguments.push_back(constant ? Argument{(*constant)[0], (*constant)[1].cast<bool>(), 0, {}, {}}
                                   : arrays_.at(next++));
    std::vector<Watch> held;
    for (const auto& [owner, name, value] : watches) held.emplace_back(owner, name, value);
    std::vector<Watch> restored;
    for (const auto& [tensor, gradient] : gradients) restored.emplace_back(tensor, py::str("_grad"), gradient);
    std::vector<Refresher> options;
    for (const auto& [function, dict, names] : refreshers) options.emplace_back(function, dict, names);
    return std::make_unique<Replay>(std::move(program), recorder_.externals(), std::move(arguments), results_,
                                    std::move(held), std::move(restored), std::move(options), std::move(labels));
  }

 private:
  Recorder recorder_;
  std::vector<Argument> arrays_;
  std::vector<Result> results_;
};

}  // namespace

void bind_program(py::module_& module) {
  py::class_<Recording>(module, "Recording")
      .def(py::init<const std::vector<py::array>&>(), py::arg("buffers"))
      .def("start", &Recording::start)
      .def("stop", &Recording::stop)
      .def("knows", &Recording::knows, py::arg("array"))
      .def("add_result", &Recording::add_result, py::arg("array"))
      .def("seal", &Recording::seal, py::arg("constants"), py::arg("watches"), py::arg("gradients"),
           py::arg("refreshers"), py::arg("labels"), py::arg("fuse"), py::arg("frozen"));
  py::class_<Replay>(module, "Replay")
      .def("call", &Replay::call, py::arg("arguments"))
      .def("epoch", &Replay::epoch, py::arg("arrays"), py::arg("order"), py::arg("scale"))
      .def("fits", py::overload_cast<const py::tuple&>(&Replay::fits, py::const_), py::arg("arguments"))
      .def_property_readonly("steps", &Replay::steps)
      .def_property_readonly("segments", &Replay::segments)
      .def_property_readonly("arena_bytes", &Replay::arena_bytes);
}

}  // namespace nnative
