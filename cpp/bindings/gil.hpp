// The GIL, and threads that end while they wait for it.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <utility>

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

}  // namespace nnative
