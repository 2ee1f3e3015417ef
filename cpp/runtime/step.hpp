// One launch with its arguments, as a program keeps it: which arrays it reads and writes, and how it is cut into
// launches on some of its items.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/team.hpp"

namespace nnative {

// Bytes of an array that a launch may touch anywhere.
constexpr std::size_t kWhole = static_cast<std::size_t>(-1);

// What a launch does with an array.
struct Touch {
  bool written;
  std::size_t bytes;  // from the pointer on, or kWhole
  bool pointwise;     // element i of what is written depends on element i of what is read
};

// Called with each array pointer of a launch, which it may replace.
using PointerVisitor = std::function<void(void*& pointer, const Touch& touch)>;

// What a launch needs: time on one core and scratch memory.
struct Cost {
  double nanoseconds;
  Scratch scratch;
};

// The items that member `rank` of `size` takes. Every launch on as many items is cut at the same places, so that a
// member finds what it wrote itself.
struct Items {
  Index begin, end;
};
inline Items items_of(Index items, int rank, int size) {
  const Index grain = items >= 16 * size ? 4 : 1, units = (items + grain - 1) / grain;
  const auto cut = [&](Index r) { return std::min(items, (units * r + size - 1) / size * grain); };
  return {cut(rank), cut(rank + 1)};
}

class Step {
 public:
  explicit Step(const Cost& needs) : cost(needs) {}
  virtual ~Step() = default;
  virtual void run(const Team& team) const = 0;
  virtual void visit(const PointerVisitor& visitor) = 0;
  // Replaces the array pointer that `visit` meets at this position, counted from 0: between short replays, thus
  // quickly.
  virtual void set_pointer(std::size_t position, void* pointer) = 0;

  // Whether the launch consists of items that members can take apart from each other.
  virtual bool divisible() const = 0;
  // The launch on the items of one member; null where it has none.
  virtual std::unique_ptr<Step> part(int rank, int size) const = 0;

  const Cost cost;
};

// Roles of arguments in a launch that consists of items, such as the rows of a batch. Other arguments are the same for
// all items.

// An array with `stride` elements an item; with none, it is the same for all.
template <class T>
struct Each {
  T* pointer;
  Index stride;
  bool pointwise;
};
template <class T>
Each<T> each(T* pointer, Index stride) {
  return {pointer, stride, false};
}
// The same where the kernel may also work in place: the result may take the memory of an operand.
template <class T>
Each<T> pointwise(T* pointer, Index stride) {
  return {pointer, stride, true};
}

// A matrix with one column an item.
template <class T>
struct Columns {
  T* pointer;
};
template <class T>
Columns<T> columns(T* pointer) {
  return {pointer};
}

// A number that counts `per` for each item.
struct Count {
  Index items, per = 1;
};

// What lies before the first item: `per` for each item.
struct Offset {
  Index per = 1;
};

// An array of structs of pointers, each with `rows` items of its own; the next argument is their number.
template <class E>
struct Bundles {
  const E* items;
};

struct Role {
  enum class Kind : unsigned char { same, each, column, count, offset, bundles } kind = Kind::same;
  Index per = 0;
  bool pointwise = false;
};

template <class T>
T parameter(T argument) {
  return argument;
}
template <class T>
T* parameter(Each<T> argument) {
  return argument.pointer;
}
template <class T>
T* parameter(Columns<T> argument) {
  return argument.pointer;
}
template <class E>
const E* parameter(Bundles<E> argument) {
  return argument.items;
}
inline Index parameter(Count argument) { return argument.items * argument.per; }
inline Index parameter(Offset) { return 0; }

template <class T>
Role role(T) {
  return {};
}
template <class T>
Role role(Each<T> argument) {
  if (argument.stride == 0) return {};
  return {Role::Kind::each, argument.stride, argument.pointwise};
}
template <class T>
Role role(Columns<T>) {
  return {Role::Kind::column, 1};
}
template <class E>
Role role(Bundles<E>) {
  return {Role::Kind::bundles, 0};
}
inline Role role(Count argument) { return {Role::Kind::count, argument.per}; }
inline Role role(Offset argument) { return {Role::Kind::offset, argument.per}; }

template <class T>
Index items_in(T) {
  return 0;
}
inline Index items_in(Count argument) { return argument.items; }

// A struct of pointers, of which a launch takes an array: `const E* items, Index count`. `for_each_array` visits each
// pointer with the number of its elements, `keep_rows` narrows the arrays to some of their items.
template <class E>
concept Bundle = requires(E& item) { item.for_each_array([](auto*&, Index) {}); };

template <class... Parameters>
class KernelStep final : public Step {
 public:
  using Kernel = void (*)(const Team&, Parameters...);
  using Arguments = std::tuple<Parameters...>;
  using Roles = std::array<Role, sizeof...(Parameters)>;

  KernelStep(const Cost& needs, Kernel kernel, const Arguments& arguments, const Roles& roles = {}, Index items = 0)
      : Step(needs), kernel_(kernel), arguments_(arguments), roles_(roles), items_(items) {}

  void run(const Team& team) const override {
    std::apply([&](const auto&... argument) { kernel_(team, argument...); }, arguments_);
  }

  void visit(const PointerVisitor& visitor) override { for_each_pointer(visitor); }

  void set_pointer(std::size_t position, void* pointer) override {
    std::size_t next = 0;
    for_each_pointer([&](void*& place, const Touch&) {
      if (next++ == position) place = pointer;
    });
  }

  bool divisible() const override {
    for (const Role& r : roles_)
      if (r.kind == Role::Kind::count || r.kind == Role::Kind::bundles) return true;
    return false;
  }

  std::unique_ptr<Step> part(int rank, int size) const override {
    const Items mine = items_of(items_, rank, size);
    if (items_ > 0 && mine.begin == mine.end) return nullptr;
    const double fraction =
        items_ > 0 ? static_cast<double>(mine.end - mine.begin) / static_cast<double>(items_) : 1.0 / size;
    auto part = std::make_unique<KernelStep>(Cost{cost.nanoseconds * fraction, cost.scratch}, kernel_, arguments_,
                                             roles_, mine.end - mine.begin);
    part->own_bundles();
    part->for_each_argument([&]<std::size_t I>(auto& argument) { part->template keep<I>(argument, mine, rank, size); });
    return part;
  }

  // For passes over a program.
  Kernel& its_kernel() { return kernel_; }
  Arguments& its_arguments() { return arguments_; }
  // Gives argument `to` the role of argument `from`.
  template <std::size_t from, std::size_t to>
  void share_role() {
    roles_[to] = roles_[from];
  }

  // Keeps copies of arrays of bundles, which belong to the caller, as long as the step.
  void own_bundles() {
    for_each_argument([&]<std::size_t I>(auto& argument) {
      if constexpr (is_bundle<I>) {
        auto items = std::make_shared<std::vector<Item<I>>>(argument, argument + bundles<I>());
        argument = items->data();
        owned_.push_back(std::move(items));
      }
    });
  }

 private:
  template <std::size_t I>
  using Item = std::remove_const_t<std::remove_pointer_t<std::tuple_element_t<I, Arguments>>>;
  template <std::size_t I>
  static constexpr bool is_pointer = std::is_pointer_v<std::tuple_element_t<I, Arguments>>;
  template <std::size_t I>
  static constexpr bool is_bundle = is_pointer<I> && Bundle<Item<I>>;
  // Elements of an array of void are bytes.
  template <class T>
  static constexpr std::size_t element_bytes = sizeof(std::conditional_t<std::is_void_v<T>, std::byte, T>);

  template <class F>
  void for_each_argument(F f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f.template operator()<I>(std::get<I>(arguments_)), ...);
    }(std::index_sequence_for<Parameters...>{});
  }

  template <std::size_t I>
  Index bundles() const {
    return std::get<I + 1>(arguments_);
  }

  template <class Visitor>
  void for_each_pointer(const Visitor& visitor) {
    for_each_argument([&]<std::size_t I>(auto& argument) { visit_argument<I>(visitor, argument); });
  }

  // By the type of an argument: T* is written, const T* is read, anything else is a value.
  template <class Visitor, class T>
  static void visit_pointer(const Visitor& visitor, T*& argument, std::size_t bytes, bool pointwise = false) {
    void* pointer = const_cast<std::remove_const_t<T>*>(argument);
    visitor(pointer, Touch{!std::is_const_v<T>, bytes, pointwise});
    argument = static_cast<T*>(pointer);
  }

  template <std::size_t I, class Visitor, class T>
  void visit_argument(const Visitor& visitor, T& argument) {
    if constexpr (is_bundle<I>) {
      auto* items = const_cast<Item<I>*>(argument);
      for (Index i = 0; i < bundles<I>(); ++i)
        items[i].for_each_array([&]<class E>(E*& pointer, Index size) {
          visit_pointer(visitor, pointer, static_cast<std::size_t>(size) * element_bytes<E>);
        });
    } else if constexpr (is_pointer<I>) {
      const Role& r = roles_[I];
      const bool bounded = r.kind == Role::Kind::each;
      visit_pointer(visitor, argument,
                    bounded ? static_cast<std::size_t>(items_ * r.per) * element_bytes<Item<I>> : kWhole, r.pointwise);
    }
  }

  template <std::size_t I, class T>
  void keep(T& argument, const Items& mine, int rank, int size) {
    const Role& r = roles_[I];
    if constexpr (is_bundle<I>) {
      auto* items = const_cast<Item<I>*>(argument);
      if constexpr (requires { items->rows; }) {
        for (Index i = 0; i < bundles<I>(); ++i) {
          const Items kept = items_of(items[i].rows, rank, size);
          items[i].keep_rows(kept.begin, kept.end);
        }
      }
    } else if constexpr (is_pointer<I>) {
      const bool moves = r.kind == Role::Kind::each || r.kind == Role::Kind::column;
      if (!moves || argument == nullptr) return;
      using Byte = std::conditional_t<std::is_const_v<std::remove_pointer_t<T>>, const std::byte, std::byte>;
      auto* bytes = reinterpret_cast<Byte*>(argument);
      argument =
          static_cast<T>(static_cast<std::conditional_t<std::is_const_v<std::remove_pointer_t<T>>, const void*, void*>>(
              bytes + mine.begin * r.per * static_cast<Index>(element_bytes<Item<I>>)));
    } else if constexpr (std::is_same_v<T, Index>) {
      if (r.kind == Role::Kind::count) argument = (mine.end - mine.begin) * r.per;
      if (r.kind == Role::Kind::offset) argument += mine.begin * r.per;
    }
  }

  Kernel kernel_;
  Arguments arguments_;
  Roles roles_;
  Index items_;
  std::vector<std::shared_ptr<void>> owned_;
};

// A step of a kernel and arguments that may carry their roles.
template <class... Parameters, class... Arguments>
std::unique_ptr<KernelStep<Parameters...>> step_of(const Cost& cost, void (*kernel)(const Team&, Parameters...),
                                                   Arguments... arguments) {
  Index items = 0;
  ((items = items > 0 ? items : items_in(arguments)), ...);
  return std::make_unique<KernelStep<Parameters...>>(cost, kernel, std::tuple<Parameters...>(parameter(arguments)...),
                                                     std::array{role(arguments)...}, items);
}

}  // namespace nnative
