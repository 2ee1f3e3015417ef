#include <utility>

#include "bindings/thread_state.hpp"

namespace nnative {
namespace {

namespace py = pybind11;

PyObject* get_grad_enabled(PyObject*, void*) { return PyBool_FromLong(thread_state.grad_enabled); }

int set_grad_enabled(PyObject*, PyObject* value, void*) {
  const int enabled = value == nullptr ? -1 : PyObject_IsTrue(value);
  if (enabled < 0) {
    if (value == nullptr) PyErr_SetString(PyExc_AttributeError, "[thread_state] grad_enabled cannot be deleted");
    return -1;
  }
  thread_state.grad_enabled = enabled == 1;
  return 0;
}

template <PyObject* ThreadState::* kField>
PyObject* get_object(PyObject*, void*) {
  PyObject* object = thread_state.*kField;
  return Py_NewRef(object == nullptr ? Py_None : object);
}

template <PyObject* ThreadState::* kField>
int set_object(PyObject*, PyObject* value, void*) {
  if (value == Py_None) value = nullptr;
  Py_XINCREF(value);
  Py_XDECREF(std::exchange(thread_state.*kField, value));
  return 0;
}

PyGetSetDef attributes[] = {
    {"grad_enabled", get_grad_enabled, set_grad_enabled, nullptr, nullptr},
    {"observer", get_object<&ThreadState::observer>, set_object<&ThreadState::observer>, nullptr, nullptr},
    {"recording", get_object<&ThreadState::recording>, set_object<&ThreadState::recording>, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyType_Slot slots[] = {{Py_tp_getset, attributes}, {0, nullptr}};
PyType_Spec spec{"nnative._native.ThreadState", sizeof(PyObject), 0,
                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace

// A plain type, since these are read several times in every operation.
void bind_thread_state(py::module_& module) {
  const auto type = py::reinterpret_steal<py::object>(PyType_FromSpec(&spec));
  if (!type) throw py::error_already_set();
  const auto state =
      py::reinterpret_steal<py::object>(PyType_GenericAlloc(reinterpret_cast<PyTypeObject*>(type.ptr()), 0));
  if (!state) throw py::error_already_set();
  module.attr("ThreadState") = type;
  module.attr("thread_state") = state;
}

}  // namespace nnative
