// Questions that the tape asks about every array. They are plain C functions, since answering takes less time than a
// call through pybind11.
#include <algorithm>

#include "bindings/array.hpp"

namespace nnative {
namespace {

// Of type ndarray itself.
bool is_array(PyObject* object) { return Py_IS_TYPE(object, py::detail::npy_api::get().PyArray_Type_); }

const py::detail::PyArray_Proxy* proxy(PyObject* array) { return py::detail::array_proxy(array); }

bool contiguous(PyObject* array) { return (proxy(array)->flags & py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_) != 0; }

bool check_count(const char* name, Py_ssize_t count, Py_ssize_t expected) {
  if (count != expected) PyErr_Format(PyExc_TypeError, "[%s] expected %zd arguments, got %zd", name, expected, count);
  return count == expected;
}

PyObject* is_plain(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (!check_count("is_plain", count, 1)) return nullptr;
  return PyBool_FromLong(is_array(arguments[0]) && contiguous(arguments[0]));
}

PyObject* is_plain_like(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (!check_count("is_plain_like", count, 2)) return nullptr;
  PyObject *array = arguments[0], *other = arguments[1];
  const bool plain = is_array(array) && is_array(other) && contiguous(array);
  if (!plain) return PyBool_FromLong(0);
  const auto *a = proxy(array), *b = proxy(other);
  const bool same =
      a->descr == b->descr && a->nd == b->nd && std::equal(a->dimensions, a->dimensions + a->nd, b->dimensions);
  return PyBool_FromLong(same);
}

template <class Function>
PyCFunction as_method(Function function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef kMethods[] = {
    {"is_plain", as_method(is_plain), METH_FASTCALL,
     "is_plain(array, /)\n--\n\nWhether this is an ndarray, of no subclass, and C-contiguous."},
    {"is_plain_like", as_method(is_plain_like), METH_FASTCALL,
     "is_plain_like(array, other, /)\n--\n\nWhether it is plain, and of the other's shape and dtype object."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

void bind_tape(py::module_& module) {
  if (PyModule_AddFunctions(module.ptr(), kMethods) != 0) throw py::error_already_set();
}

}  // namespace nnative
