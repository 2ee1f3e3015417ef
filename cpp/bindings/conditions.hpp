// What a recording relies on, compared before each replay: attributes, options, arguments.
#pragma once

#include <pybind11/stl.h>
#include <structmember.h>

#include <bit>
#include <utility>

#include "bindings/array.hpp"
#include "bindings/python.hpp"

namespace nnative {

inline py::object interned(const py::str& name) {
  PyObject* same = name.inc_ref().ptr();
  PyUnicode_InternInPlace(&same);
  return py::reinterpret_steal<py::object>(same);
}

// Where objects of a class keep an attribute that is one of its __slots__, in bytes from their beginning, else -1.
inline Py_ssize_t slot_place(PyObject* type, PyObject* name) {
  const auto descriptor = py::reinterpret_steal<py::object>(PyObject_GetAttr(type, name));
  if (!descriptor) PyErr_Clear();
  if (!descriptor || !Py_IS_TYPE(descriptor.ptr(), &PyMemberDescr_Type)) return -1;
  const PyMemberDef* member = reinterpret_cast<PyMemberDescrObject*>(descriptor.ptr())->d_member;
  return member->type == T_OBJECT_EX ? member->offset : -1;
}
inline PyObject*& slot_at(PyObject* owner, Py_ssize_t place) {
  return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(owner) + place);
}
// The slot of an object for an attribute, else null.
inline PyObject** slot_of(const py::object& owner, const py::object& name) {
  const Py_ssize_t place = slot_place(reinterpret_cast<PyObject*>(Py_TYPE(owner.ptr())), name.ptr());
  return place < 0 ? nullptr : &slot_at(owner.ptr(), place);
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

inline PyObject* interned(const char* name) { return PyUnicode_InternFromString(name); }

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
      const bool constant = now == Py_None || PyFloat_Check(now) || PyLong_Check(now) || PyTuple_Check(now);
      if (now == value.ptr() && constant) continue;
      value = py::reinterpret_borrow<py::object>(now);
      changed = true;
    }
    if (changed) call(function_.ptr());
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
};

}  // namespace nnative
