// Calls into Python, and plain C functions that Python calls.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <exception>
#include <new>

namespace nnative {

// Calls a function of Python's C interface. When the interpreter ends, before 3.14 it ends each other thread that asks
// for the GIL by pthread_exit, which unwinds the stack and so drops references without the GIL. Such a thread stops
// here instead, as it does in 3.14; the process ends without it. C functions throw nothing else.
template <class F>
auto python(F function) -> decltype(function()) {
  try {
    return function();
  } catch (...) {
    for (;;) pause();
  }
}

// A new reference that Python returned, or the exception that it set instead.
inline pybind11::object checked(PyObject* result) {
  if (result == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(result);
}
inline pybind11::object attribute(PyObject* object, PyObject* name) {
  return checked(python([=] { return PyObject_GetAttr(object, name); }));
}
template <class... Arguments>
pybind11::object call(PyObject* function, Arguments... arguments) {
  PyObject* all[] = {arguments..., nullptr};
  return checked(python([&] { return PyObject_Vectorcall(function, all, sizeof...(arguments), nullptr); }));
}

// Others may have the GIL while this lives.
class GilReleased {
 public:
  GilReleased() : thread_(PyEval_SaveThread()) {}
  ~GilReleased() {
    python([this] { PyEval_RestoreThread(thread_); });
  }
  GilReleased(const GilReleased&) = delete;
  GilReleased& operator=(const GilReleased&) = delete;

 private:
  PyThreadState* thread_;
};

// What a plain C function returns to Python: the object that f returns, or null with the exception that it throws.
template <class F>
PyObject* answer(F f) {
  try {
    return f().release().ptr();
  } catch (pybind11::error_already_set& error) {
    error.restore();
  } catch (const pybind11::builtin_exception& error) {
    error.set_error();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

}  // namespace nnative
