#include "bindings/recorder.hpp"

#include "bindings/array.hpp"

namespace nnative {
namespace {

// Results of so many bytes take longer to copy than to have memory of their own.
constexpr std::size_t kApartBytes = 16384;

// The array that owns the memory of a view.
py::object owner(const py::array& array) {
  py::object current = array;
  while (true) {
    py::object base = current.attr("base");
    if (!py::isinstance<py::array>(base)) return current;
    current = std::move(base);
  }
}

std::byte* bytes_of(const py::array& array) { return static_cast<std::byte*>(const_cast<void*>(array.data())); }

}  // namespace

Recorder::Recorder(const std::vector<py::array>& inputs) {
  for (const py::array& input : inputs)
    add({input, bytes_of(input), static_cast<std::size_t>(input.nbytes()), Memory::Kind::input, false, ""});
}

void Recorder::add(Entry entry) {
  by_base_[entry.base] = entries_.size();
  entries_.push_back(std::move(entry));
}

const Recorder::Entry* Recorder::find(const void* pointer) const {
  const auto* address = static_cast<const std::byte*>(pointer);
  auto next = by_base_.upper_bound(address);
  if (next == by_base_.begin()) return nullptr;
  const Entry& entry = entries_[std::prev(next)->second];
  const bool inside = address == entry.base || address < entry.base + entry.bytes;
  return inside ? &entry : nullptr;
}

void Recorder::note_fresh(const py::array& array) {
  add({array, bytes_of(array), static_cast<std::size_t>(array.nbytes()), Memory::Kind::temporary, true, ""});
}

void Recorder::note_used(const char* kernel, const py::array& array) {
  if (find(array.data()) != nullptr) return;
  const auto root = py::reinterpret_borrow<py::array>(owner(array));
  add({root, bytes_of(root), static_cast<std::size_t>(root.nbytes()), Memory::Kind::external, false, kernel});
}

Recorder::Place Recorder::place_of(const py::array& array) {
  const Entry* entry = find(array.data());
  if (entry == nullptr)
    throw std::runtime_error("[compile] a result of shape " + shape_text(array) +
                             " was not computed by recorded operations: NumPy computed it during the recording");
  return {static_cast<std::size_t>(entry - entries_.data()), static_cast<std::size_t>(bytes_of(array) - entry->base),
          static_cast<std::size_t>(array.nbytes())};
}

std::unique_ptr<Program> Recorder::seal(const std::vector<Place>& results, const FuseOptions& options) {
  std::vector<Memory> memory;
  for (Entry& entry : entries_) {
    const bool held_elsewhere = Py_REFCNT(entry.array.ptr()) > 1;
    if (entry.kind == Memory::Kind::external && !held_elsewhere)
      throw std::runtime_error("[compile] " + entry.reader + " uses an array of shape " +
                               shape_text(py::reinterpret_borrow<py::array>(entry.array)) +
                               " that NumPy computed during the recording: a replay would see the same numbers again");
    if (entry.fresh && held_elsewhere) entry.kind = Memory::Kind::external;
    memory.push_back({entry.base, entry.bytes, entry.kind});
  }
  for (const Place& place : results) {
    Memory& lies_in = memory[place.memory];
    lies_in.wanted = true;
    if (lies_in.kind == Memory::Kind::temporary) {
      const bool apart = place.bytes == lies_in.bytes && place.bytes >= kApartBytes;
      lies_in.kind = apart ? Memory::Kind::output : Memory::Kind::result;
    } else if (lies_in.kind == Memory::Kind::output) {  // two results in one array: each has to be copied
      lies_in.kind = Memory::Kind::result;
    }
  }
  return std::make_unique<Program>(std::move(steps_), std::move(memory), options);
}

std::vector<py::object> Recorder::externals() const {
  std::vector<py::object> arrays;
  for (const Entry& entry : entries_) {
    if (entry.kind == Memory::Kind::external) arrays.push_back(entry.array);
  }
  return arrays;
}

}  // namespace nnative
