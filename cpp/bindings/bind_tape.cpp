// The tape's inner loops. autograd.py says what a tape is; what happens for every operation and every gradient is here,
// in plain C functions, since in Python it took longer than the kernels of a small network.
#include <algorithm>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "bindings/conditions.hpp"
#include "bindings/python.hpp"
#include "bindings/tape.hpp"
#include "bindings/thread_state.hpp"

namespace nnative {
namespace {

// What autograd.py hands over once (`set_tape`), and the names of attributes.
struct Tape {
  PyTypeObject *base, *tensor;                 // TensorBase, and what results are
  Py_ssize_t data, grad, node, requires_grad;  // places of a tensor's slots
  PyObject *as_array, *gradient_of;            // for what a Function returns that is not plain
  PyObject *accumulate, *leaf_hooks, *add;     // for gradients of leaves, and of several operations
  long long number = 0;                        // of the next node

  PyObject *const kInputs = interned("inputs"), *const kNeeds = interned("needs_input_grad"),
                  *const kForward = interned("forward"), *const kBackward = interned("backward"),
                  *const kNumber = interned("number"), *const kFresh = interned("returns_fresh"),
                  *const kNote = interned("note"), *const kGradient = interned("gradient");
};
Tape* tape = nullptr;

py::object borrowed(PyObject* object) { return py::reinterpret_borrow<py::object>(object); }
void set_attribute(PyObject* object, PyObject* name, PyObject* value) {
  if (python([=] { return PyObject_SetAttr(object, name, value); }) != 0) throw py::error_already_set();
}
bool truth(const py::object& object) {
  const int value = PyObject_IsTrue(object.ptr());
  if (value < 0) throw py::error_already_set();
  return value == 1;
}

// Of type ndarray itself.
bool is_array(PyObject* object) { return Py_IS_TYPE(object, py::detail::npy_api::get().PyArray_Type_); }
const py::detail::PyArray_Proxy* proxy(PyObject* array) { return py::detail::array_proxy(array); }

bool plain(PyObject* object) {
  return is_array(object) && (proxy(object)->flags & py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_) != 0;
}

// Plain, and of the other's shape and dtype object.
bool plain_like(PyObject* array, PyObject* other) {
  if (!plain(array) || !is_array(other)) return false;
  const auto *a = proxy(array), *b = proxy(other);
  return a->descr == b->descr && a->nd == b->nd && std::equal(a->dimensions, a->dimensions + a->nd, b->dimensions);
}

bool is_float(PyObject* array) {
  PyObject* descriptor = proxy(array)->descr;
  if (descriptor == native_descriptor<float>() || descriptor == native_descriptor<double>()) return true;
  const int type = py::reinterpret_borrow<py::dtype>(descriptor).num();
  return type == py::detail::npy_api::NPY_FLOAT_ || type == py::detail::npy_api::NPY_DOUBLE_;
}

bool is_tensor(PyObject* object) { return PyObject_TypeCheck(object, tape->base); }

// What a weak reference used as a proxy stands for.
py::object referent(PyObject* proxy) {
#if PY_VERSION_HEX >= 0x030D0000
  PyObject* object = nullptr;
  if (PyWeakref_GetRef(proxy, &object) == 1) return py::reinterpret_steal<py::object>(object);
#else
  PyObject* object = PyWeakref_GetObject(proxy);
  if (object != Py_None) return borrowed(object);
#endif
  PyErr_SetString(PyExc_ReferenceError, "[tape] the tensor of a weak reference no longer exists");
  throw py::error_already_set();
}

// What a slot holds; borrowed.
PyObject* held(PyObject* tensor, Py_ssize_t place) {
  PyObject* value = slot_at(tensor, place);
  if (value == nullptr) throw py::attribute_error("[tape] expected a tensor, got one that was never initialised");
  return value;
}
void set_slot(PyObject* tensor, Py_ssize_t place, PyObject* value) {
  Py_INCREF(value);
  Py_XDECREF(std::exchange(slot_at(tensor, place), value));
}

}  // namespace

py::object wrapped(PyObject* array) {
  py::object result = checked(tape->tensor->tp_alloc(tape->tensor, 0));
  set_slot(result.ptr(), tape->data, array);
  set_slot(result.ptr(), tape->grad, Py_None);
  set_slot(result.ptr(), tape->node, Py_None);
  set_slot(result.ptr(), tape->requires_grad, Py_False);
  return result;
}

namespace {

using Arguments = PyObject* const*;

py::object probe_plain(Arguments arguments) {
  return py::make_tuple(plain(arguments[0]), plain_like(arguments[0], arguments[1]));
}
py::object wrap(Arguments arguments) { return wrapped(arguments[0]); }

// Tells the observer of an operation: its tensors, and all its arguments as arrays.
void note(const py::object& observer, const py::object& node, const py::tuple& inputs, const py::tuple& arguments,
          const py::object& result) {
  py::list tensors, arrays;
  for (const py::handle input : inputs) {
    if (is_tensor(input.ptr())) tensors.append(input);
  }
  for (std::size_t i = 1; i < arguments.size(); ++i) arrays.append(arguments[i]);
  call(attribute(observer.ptr(), tape->kNote).ptr(), node.ptr(), tensors.ptr(), arrays.ptr(), result.ptr());
}

// apply(cls, *args): runs an operation and, while gradients are on, puts it on the tape.
py::object apply(Arguments arguments, Py_ssize_t count) {
  PyObject* cls = arguments[0];
  if (!PyType_Check(cls)) throw py::type_error("[apply] expected a subclass of Function");
  const py::object node = checked(python([=] { return PyObject_CallNoArgs(cls); }));
  const py::tuple inputs(count - 1), passed(count);
  const py::list needs(count - 1);
  bool needed = false;
  PyTuple_SET_ITEM(passed.ptr(), 0, borrowed(node.ptr()).release().ptr());
  for (Py_ssize_t i = 1; i < count; ++i) {
    const py::object operand = PyWeakref_CheckProxy(arguments[i]) ? referent(arguments[i]) : borrowed(arguments[i]);
    PyObject *input = operand.ptr(), *value = input, *need = Py_False;
    if (is_tensor(input)) {
      value = held(input, tape->data);
      need = held(input, tape->requires_grad);
    }
    needed |= need == Py_True;
    PyTuple_SET_ITEM(inputs.ptr(), i - 1, borrowed(input).release().ptr());
    PyTuple_SET_ITEM(passed.ptr(), i, borrowed(value).release().ptr());
    PyList_SET_ITEM(needs.ptr(), i - 1, borrowed(need).release().ptr());
  }
  set_attribute(node.ptr(), tape->kInputs, inputs.ptr());
  set_attribute(node.ptr(), tape->kNeeds, needs.ptr());
  const py::object forward = attribute(cls, tape->kForward);
  py::object data = checked(python([&] { return PyObject_Call(forward.ptr(), passed.ptr(), nullptr); }));
  if (!plain(data.ptr())) data = call(tape->as_array, data.ptr(), cls, tape->kForward);
  py::object result = wrapped(data.ptr());
  if (needed && thread_state.grad_enabled) {
    if (!is_float(data.ptr())) {
      PyErr_Format(PyExc_TypeError, "[%s] forward returned %S, which has no gradient",
                   reinterpret_cast<PyTypeObject*>(cls)->tp_name, proxy(data.ptr())->descr);
      throw py::error_already_set();
    }
    set_slot(result.ptr(), tape->requires_grad, Py_True);
    set_slot(result.ptr(), tape->node, node.ptr());
    set_attribute(node.ptr(), tape->kNumber, checked(PyLong_FromLongLong(tape->number++)).ptr());
  }
  if (thread_state.observer != nullptr) note(borrowed(thread_state.observer), node, inputs, passed, result);
  return result;
}

// The arguments of the operation, until its graph is freed.
py::tuple inputs_of(PyObject* node) {
  py::object inputs = attribute(node, tape->kInputs);
  if (PyTuple_Check(inputs.ptr())) return py::reinterpret_steal<py::tuple>(inputs.release());
  if (!inputs.is_none()) throw py::type_error("[backward] expected ctx.inputs to be as apply left it, a tuple");
  PyErr_Format(PyExc_RuntimeError,
               "[backward] the graph through %s was already walked and freed; compute the loss again, or pass "
               "retain_graph=True the first time",
               Py_TYPE(node)->tp_name);
  throw py::error_already_set();
}

// nodes(root): those that lead to it, each before all that it depends on.
py::object nodes(Arguments arguments) {
  // References of its own, since Python code may run in between and free the graph.
  std::vector<std::pair<long long, py::object>> found;
  std::vector<py::object> stack{borrowed(arguments[0])};
  std::unordered_set<PyObject*> seen{arguments[0]};
  while (!stack.empty()) {
    py::object node = std::move(stack.back());
    stack.pop_back();
    for (const py::handle input : inputs_of(node.ptr())) {
      if (!is_tensor(input.ptr())) continue;
      PyObject* before = held(input.ptr(), tape->node);
      if (before != Py_None && seen.insert(before).second) stack.push_back(borrowed(before));
    }
    const long long number = PyLong_AsLongLong(attribute(node.ptr(), tape->kNumber).ptr());
    if (number == -1 && PyErr_Occurred()) throw py::error_already_set();
    found.emplace_back(number, std::move(node));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  py::list list;
  for (const auto& [number, node] : found) list.append(node);
  return list;
}

// Gradients on their way: of operations that are still to be walked through, by their nodes, and those of them that
// something else may refer to.
struct Gradients {
  PyObject *arrived, *shared;

  bool is_shared(PyObject* node) const {
    const int found = PySet_Contains(shared, node);
    if (found < 0) throw py::error_already_set();
    return found == 1;
  }
  void pass(PyObject* before, PyObject* gradient, bool fresh) const {
    PyObject* other = PyDict_GetItemWithError(arrived, before);
    if (other == nullptr && PyErr_Occurred()) throw py::error_already_set();
    const py::object sum = other == nullptr ? borrowed(gradient) : call(tape->add, other, gradient);
    if (PyDict_SetItem(arrived, before, sum.ptr()) != 0) throw py::error_already_set();
    const int done = other != nullptr ? PySet_Discard(shared, before) : fresh ? 0 : PySet_Add(shared, before);
    if (done < 0) throw py::error_already_set();
  }
};

// To a leaf, unless it has hooks, which want the sum of all.
void deliver(const Gradients& gradients, PyObject* leaf, PyObject* gradient, bool fresh, bool recording) {
  if (PyDict_GET_SIZE(tape->leaf_hooks) > 0) {
    const py::object id = checked(PyLong_FromVoidPtr(leaf));
    PyObject* hooks = PyDict_GetItemWithError(tape->leaf_hooks, id.ptr());
    if (hooks != nullptr) return gradients.pass(hooks, gradient, fresh);
    if (PyErr_Occurred()) throw py::error_already_set();
  }
  if (fresh && !recording && held(leaf, tape->grad) == Py_None) return set_slot(leaf, tape->grad, gradient);
  call(tape->accumulate, leaf, gradient, fresh ? Py_True : Py_False);
}

// step_back(node, grad, arrived, shared): runs the node's backward and hands on what it returns.
py::object step_back(Arguments arguments) {
  PyObject *node = arguments[0], *grad = arguments[1];
  const Gradients gradients{arguments[2], arguments[3]};
  const py::tuple inputs = inputs_of(node);
  const py::object returned = call(attribute(node, tape->kBackward).ptr(), node, grad);
  const auto all =
      PyTuple_Check(returned.ptr()) ? py::reinterpret_borrow<py::tuple>(returned) : py::make_tuple(returned);
  if (all.size() != inputs.size()) {
    PyErr_Format(PyExc_RuntimeError, "[%s] backward returned %zd gradients for %zd arguments", Py_TYPE(node)->tp_name,
                 PyTuple_GET_SIZE(all.ptr()), PyTuple_GET_SIZE(inputs.ptr()));
    throw py::error_already_set();
  }
  const bool recording = thread_state.recording != nullptr;
  const bool returns_fresh = truth(attribute(node, tape->kFresh));
  for (std::size_t i = 0; i < all.size(); ++i) {
    PyObject *tensor = PyTuple_GET_ITEM(inputs.ptr(), i), *item = PyTuple_GET_ITEM(all.ptr(), i);
    if (item == Py_None || !is_tensor(tensor) || held(tensor, tape->requires_grad) != Py_True) continue;
    py::object gradient = borrowed(item);
    if (PyObject* data = held(tensor, tape->data); !plain_like(item, data))
      gradient = call(tape->gradient_of, data, item, reinterpret_cast<PyObject*>(Py_TYPE(node)));
    if (thread_state.observer != nullptr) {
      const py::object observer = borrowed(thread_state.observer);
      call(attribute(observer.ptr(), tape->kGradient).ptr(), node, tensor, gradient.ptr(), grad);
    }
    bool fresh = returns_fresh;
    if (gradient.ptr() == grad) {  // passed on: to one tensor alone it is as fresh as it was
      const auto times = std::count_if(all.begin(), all.end(), [=](py::handle other) { return other.ptr() == grad; });
      fresh = fresh && times == 1 && !gradients.is_shared(node);
    }
    PyObject* before = held(tensor, tape->node);
    if (before == Py_None) {
      deliver(gradients, tensor, gradient.ptr(), fresh, recording);
    } else {
      gradients.pass(before, gradient.ptr(), fresh);
    }
  }
  return py::none();
}

void set_tape(const py::type& base, const py::type& tensor, const py::function& as_array,
              const py::function& gradient_of, const py::function& accumulate, const py::dict& leaf_hooks,
              const py::object& add) {
  const auto place = [&](const char* name) { return slot_place(base.ptr(), interned(name)); };
  const auto keep = [](const py::object& object) { return py::object(object).release().ptr(); };
  tape = new Tape{.base = reinterpret_cast<PyTypeObject*>(keep(base)),
                  .tensor = reinterpret_cast<PyTypeObject*>(keep(tensor)),
                  .data = place("_data"),
                  .grad = place("_grad"),
                  .node = place("_node"),
                  .requires_grad = place("_requires_grad"),
                  .as_array = keep(as_array),
                  .gradient_of = keep(gradient_of),
                  .accumulate = keep(accumulate),
                  .leaf_hooks = keep(leaf_hooks),
                  .add = keep(add)};
}

// A C function of so many arguments, or at least so many where their number is passed on.
template <auto kFunction, Py_ssize_t kCount>
PyObject* method(PyObject*, Arguments arguments, Py_ssize_t count) {
  constexpr bool kMany = std::is_invocable_v<decltype(kFunction), Arguments, Py_ssize_t>;
  if (kMany ? count < kCount : count != kCount) {
    PyErr_Format(PyExc_TypeError, "[tape] expected %zd arguments, got %zd", kCount, count);
    return nullptr;
  }
  if (tape == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "[tape] nnative.tensor has not been imported");
    return nullptr;
  }
  return answer([=] {
    if constexpr (kMany) {
      return kFunction(arguments, count);
    } else {
      return kFunction(arguments);
    }
  });
}

template <auto kFunction, Py_ssize_t kCount>
PyMethodDef definition(const char* name, const char* text) {
  auto* function = reinterpret_cast<void (*)()>(&method<kFunction, kCount>);
  return {name, reinterpret_cast<PyCFunction>(function), METH_FASTCALL, text};
}

PyMethodDef methods[] = {
    definition<probe_plain, 2>("_probe_plain",
                               "_probe_plain(array, other, /)\n--\n\nWhether this is an ndarray, of no subclass, and "
                               "C-contiguous; whether it is moreover of the other's shape and dtype object."),
    definition<wrap, 1>("wrap", "wrap(array, /)\n--\n\nA tensor of a plain array, which is shared and not checked."),
    definition<apply, 1>("apply",
                         "apply(cls, /, *args)\n--\n\nRun the operation and, while gradients are on, put it on the "
                         "tape."),
    definition<nodes, 1>("nodes",
                         "nodes(root, /)\n--\n\nNodes that lead to the root, each before all nodes it depends on."),
    definition<step_back, 4>("step_back",
                             "step_back(node, grad, arrived, shared, /)\n--\n\nRun a node's backward and hand on what "
                             "it returns."),
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

void bind_tape(py::module_& module) {
  if (PyModule_AddFunctions(module.ptr(), methods) != 0) throw py::error_already_set();
  module.def("set_tape", &set_tape);
}

}  // namespace nnative
