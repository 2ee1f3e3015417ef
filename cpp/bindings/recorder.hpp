// What a recording notes while Python runs a function once: the launches, and the arrays that they touch.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/program.hpp"

namespace nnative {

namespace py = pybind11;

class Recorder {
 public:
  // The buffers that stand for the arguments of the recorded function.
  explicit Recorder(const std::vector<py::array>& inputs);

  void append(std::unique_ptr<Step> step) { steps_.push_back(std::move(step)); }
  // A result that a binding has just allocated.
  void note_fresh(const py::array& array);
  // An array that a kernel reads or writes; new ones must come from outside the recording.
  void note_used(const char* kernel, const py::array& array);

  // Whether an array lies in memory that the recording knows: an argument, a kernel's result, or what a kernel used.
  bool knows(const py::array& array) const { return find(array.data()) != nullptr; }

  // Where the data of an array lies.
  struct Place {
    std::size_t memory, offset, bytes;
  };
  // The place of a result of the function; throws when no recorded launch computed it.
  Place place_of(const py::array& array);
  // Ends the recording. Arrays that nobody else refers to any more become temporaries of the program, but for the
  // results; large ones that have their memory for themselves become outputs.
  std::unique_ptr<Program> seal(const std::vector<Place>& results, const FuseOptions& options);
  // Arrays that must stay alive as long as the program.
  std::vector<py::object> externals() const;

 private:
  struct Entry {
    py::object array;
    std::byte* base;
    std::size_t bytes;
    Memory::Kind kind;
    bool fresh;
    std::string reader;  // the first kernel that used an array from outside
  };

  const Entry* find(const void* address) const;
  void add(Entry entry);

  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<Entry> entries_;
  std::map<const std::byte*, std::size_t> by_base_;
};

// The recording of this thread, if one is under way.
inline thread_local constinit Recorder* recorder = nullptr;

}  // namespace nnative
