#include "bindings/replay.hpp"
#include "bindings/tape.hpp"
#include "bindings/thread_state.hpp"

namespace nnative {
namespace {

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
                        std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim())});
  }

  // `constants` has, for each argument of the function, a constant and whether it could change, or None for an
  // array.
  std::unique_ptr<Replay> seal(const std::vector<std::optional<py::tuple>>& constants,
                               const std::vector<std::tuple<py::object, py::str, py::object>>& watches,
                               const std::vector<std::pair<py::object, py::object>>& gradients,
                               const std::vector<std::tuple<py::object, py::dict, py::tuple>>& refreshers,
                               std::optional<py::array_t<std::int64_t>> labels, bool fuse, bool frozen) {
    std::vector<Recorder::Place> kept;
    for (const Result& result : results_) kept.push_back(result.place);
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

// The C++ object of `self`, which someone may have made by __new__ alone: pybind11's own cast does not notice.
template <class T>
T& made(PyObject* self) {
  static const py::detail::type_info* const type = py::detail::get_type_info(typeid(T), true);
  auto found = reinterpret_cast<py::detail::instance*>(self)->get_value_and_holder(type);
  if (!found.holder_constructed()) throw py::type_error("[compile] expected an object whose __init__ has run");
  return *found.template value_ptr<T>();
}

// The base of Compiled. A call of it replays one recording; with other arguments, or while someone looks on, it is for
// Compiled's own `_call`.
class Replayer {
 public:
  // `result` makes of a replay's arrays what the function returns; null where that is one tensor.
  void replay_first(std::optional<py::object> replay, std::optional<py::object> result) {
    replay_ = replay ? *replay : py::object();
    result_ = result ? *result : py::object();
  }

  py::object call(PyObject* self, PyObject* arguments, PyObject* names) {
    const bool named = names != nullptr && PyDict_GET_SIZE(names) > 0;
    if (replay_ && !named && thread_state.observer == nullptr) {
      const py::object replay = replay_, result = result_;  // another call may take another one meanwhile
      try {
        const py::object arrays = made<Replay>(replay.ptr()).call(py::reinterpret_borrow<py::tuple>(arguments));
        if (!arrays.is_none()) return result ? nnative::call(result.ptr(), arrays.ptr()) : wrapped(arrays.ptr());
      } catch (py::error_already_set& error) {
        if (!error.matches(py::module_::import("nnative.recording").attr("Stale"))) throw;
      }
    }
    static PyObject* const kCall = interned("_call");
    const py::dict none;
    return nnative::call(attribute(self, kCall).ptr(), arguments, named ? names : none.ptr());
  }

 private:
  py::object replay_, result_;
};

PyObject* call_replayer(PyObject* self, PyObject* arguments, PyObject* names) {
  return answer([=] { return made<Replayer>(self).call(self, arguments, names); });
}

// Replay's tp_call. A step of some microseconds notices what calling a method through pybind11 costs.
PyObject* call_replay(PyObject* self, PyObject* arguments, PyObject* names) {
  if (names != nullptr && PyDict_GET_SIZE(names) > 0) {
    PyErr_SetString(PyExc_TypeError, "[Replay] takes no keyword arguments");
    return nullptr;
  }
  return answer([=] { return made<Replay>(self).call(py::reinterpret_borrow<py::tuple>(arguments)); });
}

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
  const auto replayer = [](PyHeapTypeObject* type) { type->ht_type.tp_call = call_replayer; };
  py::class_<Replayer>(module, "Replayer", py::custom_type_setup(replayer))
      .def(py::init<>())
      .def("_replay_first", &Replayer::replay_first, py::arg("replay").none(true), py::arg("result").none(true));
  const auto callable = [](PyHeapTypeObject* type) { type->ht_type.tp_call = call_replay; };
  py::class_<Replay>(module, "Replay", py::custom_type_setup(callable))
      .def("epoch", &Replay::epoch, py::arg("arrays"), py::arg("order").none(true), py::arg("begin"), py::arg("end"),
           py::arg("scale"))
      .def("fits", py::overload_cast<const py::tuple&>(&Replay::fits, py::const_), py::arg("arguments"))
      .def_property_readonly("steps", &Replay::steps)
      .def_property_readonly("segments", &Replay::segments)
      .def_property_readonly("arena_bytes", &Replay::arena_bytes);
}

}  // namespace nnative
