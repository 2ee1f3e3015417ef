// What each thread has for itself: whether gradients are on, and who looks on. The Python side reads and sets the same
// through `_native.thread_state`.
#pragma once

#include <pybind11/pybind11.h>

namespace nnative {

struct ThreadState {
  bool grad_enabled = true;
  PyObject *observer = nullptr, *recording = nullptr;  // recording.py says what they are; null: none
};

inline thread_local constinit ThreadState thread_state;

}  // namespace nnative
