// A recorded sequence of launches: which kernels, on which memory, in which order; replayed in one parallel region.
//
// Recording notes every pointer that a launch reads or writes together with the array it lies in. Planning then moves
// what only lives within the program into one arena, where arrays whose lifetimes do not meet share memory.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/pool.hpp"

namespace nnative {

// Called with each array pointer of a launch; may replace it.
using PointerVisitor = std::function<void(void*& pointer, bool written)>;

// What a launch needs: time on one core and scratch memory.
struct Cost {
  double nanoseconds;
  Scratch scratch;
};

// One launch with its arguments.
class Step {
 public:
  explicit Step(const Cost& needs) : cost(needs) {}
  virtual ~Step() = default;
  virtual void run(const Team& team) const = 0;
  virtual void visit(const PointerVisitor& visitor) = 0;

  const Cost cost;
};

// By the type of an argument: T* is written, const T* is read, anything else is a value.
template <class T>
void visit_argument(const PointerVisitor& visitor, T& argument) {
  if constexpr (std::is_pointer_v<T>) {
    using Element = std::remove_pointer_t<T>;
    void* pointer = const_cast<std::remove_const_t<Element>*>(argument);
    visitor(pointer, !std::is_const_v<Element>);
    argument = static_cast<T>(pointer);
  }
}

// A struct of pointers, of which a launch takes an array: `const E* items, Index count`.
template <class E>
concept Bundle = requires(E& item) { item.for_each_pointer([](auto*&) {}); };

template <class... Parameters>
class KernelStep final : public Step {
 public:
  using Kernel = void (*)(const Team&, Parameters...);
  KernelStep(const Cost& needs, Kernel kernel, const std::tuple<Parameters...>& arguments)
      : Step(needs), kernel_(kernel), arguments_(arguments) {}

  // Keeps arrays of bundles, which belong to the caller, as long as the step.
  void own_bundles() { own_bundles(std::index_sequence_for<Parameters...>{}); }

  void run(const Team& team) const override {
    std::apply([&](const auto&... argument) { kernel_(team, argument...); }, arguments_);
  }
  void visit(const PointerVisitor& visitor) override { visit(visitor, std::index_sequence_for<Parameters...>{}); }

 private:
  template <std::size_t I>
  static constexpr bool is_bundle() {
    using Argument = std::tuple_element_t<I, std::tuple<Parameters...>>;
    if constexpr (std::is_pointer_v<Argument>) {
      return Bundle<std::remove_const_t<std::remove_pointer_t<Argument>>>;
    } else {
      return false;
    }
  }
  template <std::size_t... I>
  void visit(const PointerVisitor& visitor, std::index_sequence<I...>) {
    (visit_one<I>(visitor), ...);
  }
  template <std::size_t I>
  void visit_one(const PointerVisitor& visitor) {
    auto& argument = std::get<I>(arguments_);
    if constexpr (is_bundle<I>()) {
      using Item = std::remove_const_t<std::remove_reference_t<decltype(*argument)>>;
      auto* items = const_cast<Item*>(argument);
      for (Index i = 0; i < std::get<I + 1>(arguments_); ++i)
        items[i].for_each_pointer([&](auto*& pointer) { visit_argument(visitor, pointer); });
    } else {
      visit_argument(visitor, argument);
    }
  }
  template <std::size_t... I>
  void own_bundles(std::index_sequence<I...>) {
    (own_one<I>(), ...);
  }
  template <std::size_t I>
  void own_one() {
    if constexpr (is_bundle<I>()) {
      auto& argument = std::get<I>(arguments_);
      using Item = std::remove_const_t<std::remove_reference_t<decltype(*argument)>>;
      auto items = std::make_shared<std::vector<Item>>(argument, argument + std::get<I + 1>(arguments_));
      argument = items->data();
      owned_.push_back(std::move(items));
    }
  }

  Kernel kernel_;
  std::tuple<Parameters...> arguments_;
  std::vector<std::shared_ptr<void>> owned_;
};

// Memory that the steps of a program touch.
struct Memory {
  enum class Kind {
    input,      // an argument of the recorded function: another address at every call
    external,   // lives outside: parameters, optimizer state, what the caller kept
    temporary,  // lives within the program: moves into the arena
    result,     // the same, but read by the caller after the last step
  };
  std::byte* base;
  std::size_t bytes;
  Kind kind;
};

class Program {
 public:
  // `memory` must cover every pointer of the steps.
  Program(std::vector<std::unique_ptr<Step>> steps, std::vector<Memory> memory);

  // Lets input `index` (its position among `memory`) be read at `base`.
  void bind(std::size_t index, const std::byte* base);
  // Where byte `offset` of memory `index` lies now.
  std::byte* address(std::size_t index, std::size_t offset) const { return memory_[index].base + offset; }

  void run();
  // Runs the steps `rounds` times in one parallel region. Every member calls before(round, team) before and rank 0
  // calls after(round) behind each round; after returns false to stop. Returns the number of rounds that ran.
  Index run(Index rounds, const std::function<void(Index, const Team&)>& before,
            const std::function<bool(Index)>& after);

  // Estimated time of all steps on one core.
  double nanoseconds() const { return nanoseconds_; }
  std::size_t steps() const { return steps_.size(); }
  std::size_t arena_bytes() const { return arena_bytes_; }

 private:
  struct Reference {
    std::size_t step, position;  // the position-th pointer of the step
    std::size_t offset;
  };

  void plan();
  void point(std::size_t index, std::byte* base);
  void run_steps(const Team& team);

  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<Memory> memory_;
  std::vector<std::vector<Reference>> references_;  // of each memory
  struct Free {
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte, Free> arena_;
  std::size_t arena_bytes_ = 0;
  Scratch scratch_;
  double longest_ = 0, nanoseconds_ = 0;
  std::unique_ptr<Barrier, void (*)(Barrier*)> inner_;
};

}  // namespace nnative
