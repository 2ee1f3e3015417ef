#include "runtime/fuse.hpp"

#include <cstdlib>
#include <map>
#include <tuple>

#include "runtime/dispatch.hpp"
#include "runtime/memory.hpp"

namespace nnative {
namespace {

using Steps = std::vector<std::unique_ptr<Step>>;

template <class Kernel>
struct StepOf;
template <class... Parameters>
struct StepOf<void (*)(const Team&, Parameters...)> {
  using Type = KernelStep<Parameters...>;
};

// The step as a launch of this kernel, or null.
template <class Kernel>
typename StepOf<Kernel>::Type* launch_of(Kernel kernel, const std::unique_ptr<Step>& step) {
  auto* launch = dynamic_cast<typename StepOf<Kernel>::Type*>(step.get());
  return launch != nullptr && launch->its_kernel() == kernel ? launch : nullptr;
}

// How often the steps touch each memory, and which step writes it first.
class Uses {
 public:
  Uses(const Steps& steps, const std::vector<Memory>& memory) : map_(memory), memory_(memory), uses_(memory.size()) {
    for (std::size_t s = 0; s < steps.size(); ++s) {
      for (const Access& access : map_.accesses(*steps[s])) {
        if (access.memory == MemoryMap::kNone) continue;
        Use& use = uses_[access.memory];
        ++use.count;
        if (access.written) {
          ++use.writes;
          use.writer = s;
        }
      }
    }
  }

  // The step that writes a temporary which is otherwise used once; `none` for any other memory.
  std::size_t only_writer(const void* pointer) const {
    const std::size_t m = map_.memory_at(pointer);
    const bool temporary = memory_[m].kind == Memory::Kind::temporary;
    return temporary && uses_[m].count == 2 && uses_[m].writes == 1 ? uses_[m].writer : none;
  }
  // The temporary that only one step writes; `none` for any other memory.
  std::size_t written_once(const void* pointer) const {
    const std::size_t m = map_.memory_at(pointer);
    return memory_[m].kind == Memory::Kind::temporary && uses_[m].writes == 1 ? m : none;
  }
  bool is_constant(const void* pointer) const {
    const std::size_t m = map_.memory_at(pointer);
    return memory_[m].kind == Memory::Kind::external && uses_[m].writes == 0;
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);

 private:
  struct Use {
    int count = 0, writes = 0;
    std::size_t writer = none;
  };
  MemoryMap map_;
  const std::vector<Memory>& memory_;
  std::vector<Use> uses_;
};

// y = linear(x); z = relu(y)
template <class T>
bool relu_into_forward(Steps& steps, const Uses& uses, std::size_t s) {
  auto* relu = launch_of(kernels<T>().activation->relu_forward, steps[s]);
  if (relu == nullptr) return false;
  const auto& [z, y, size] = relu->its_arguments();
  const std::size_t producer = uses.only_writer(y);
  if (producer == Uses::none) return false;
  auto* linear = launch_of(kernels<T>().linear->forward, steps[producer]);
  if (linear == nullptr) return false;
  auto& [to, x, weight, bias, N, K, M, epilogue] = linear->its_arguments();
  if (to != y || size != N * M) return false;  // relu of a part of it
  to = z;
  epilogue = Epilogue::relu;
  return true;
}

// dx = linear_backward_input(dy); dz = relu_backward(dx, gate)
template <class T>
bool relu_into_backward(Steps& steps, const Uses& uses, std::size_t s) {
  auto* relu = launch_of(kernels<T>().activation->relu_backward, steps[s]);
  if (relu == nullptr) return false;
  const auto& [dz, dx, gate, size] = relu->its_arguments();
  const std::size_t producer = uses.only_writer(dx);
  if (producer == Uses::none) return false;
  auto* linear = launch_of(kernels<T>().linear->backward_input, steps[producer]);
  if (linear == nullptr) return false;
  auto& [to, dy, weight, mask, N, K, M] = linear->its_arguments();
  if (to != dx || size != N * K) return false;
  to = dz;
  linear->template share_role<0, 3>();
  mask = gate;
  return true;
}

// fill(y): a seed of the gradient, mostly
template <class T>
bool fill_once(const std::unique_ptr<Step>& step, const Uses& uses, std::vector<Memory>& memory,
               std::vector<Constant>& constants) {
  constexpr std::size_t kSmall = 4096;
  auto* fill = launch_of(kernels<T>().elementwise->fill, step);
  if (fill == nullptr) return false;
  auto& [y, size, value] = fill->its_arguments();
  const std::size_t m = uses.written_once(y);
  if (m == Uses::none || memory[m].bytes > kSmall) return false;
  const bool whole = reinterpret_cast<std::byte*>(y) == memory[m].base &&
                     static_cast<std::size_t>(size) * sizeof(T) == memory[m].bytes;
  if (!whole) return false;
  memory[m].kind = Memory::Kind::external;
  constants.push_back({m, allocate_lines(memory[m].bytes)});
  y = reinterpret_cast<T*>(constants.back().bytes.get());
  step->run(Team{0, 1, nullptr, nullptr, nullptr});
  return true;
}

template <class T>
class Packer {
 public:
  Packer(std::vector<Memory>& memory, std::vector<Constant>& constants) : memory_(memory), constants_(constants) {}

  void pack(std::unique_ptr<Step>& step, const Uses& uses) {
    const auto& family = *kernels<T>().linear;
    auto* linear = launch_of(family.forward, step);
    if (linear == nullptr) return;
    auto& [y, x, weight, bias, N, K, M, epilogue] = linear->its_arguments();
    if (!uses.is_constant(weight) || K * M == 0) return;
    const T*& packed = packed_[{weight, K, M}];
    if (packed == nullptr) {
      const std::size_t bytes = static_cast<std::size_t>(family.packed_size(K, M)) * sizeof(T);
      OwnedMemory owned = allocate_lines(bytes);
      auto* to = reinterpret_cast<T*>(owned.get());
      memory_.push_back({owned.get(), bytes, Memory::Kind::external});
      constants_.push_back({memory_.size() - 1, std::move(owned)});
      family.pack(to, weight, K, M);
      packed = to;
    }
    weight = packed;
    linear->its_kernel() = family.forward_packed;
  }

 private:
  std::vector<Memory>& memory_;
  std::vector<Constant>& constants_;
  std::map<std::tuple<const T*, Index, Index>, const T*> packed_;  // by weight and its shape
};

}  // namespace

void FreeMemory::operator()(std::byte* p) const { std::free(p); }

OwnedMemory allocate_lines(std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  return OwnedMemory(static_cast<std::byte*>(allocate_pages((bytes + kLine - 1) / kLine * kLine)));
}

std::vector<Constant> fuse(Steps& steps, std::vector<Memory>& memory, const FuseOptions& options) {
  std::vector<Constant> constants;
  if (options.fuse) {
    const Uses uses(steps, memory);
    constexpr bool (*rules[])(Steps&, const Uses&, std::size_t) = {
        relu_into_forward<float>, relu_into_forward<double>, relu_into_backward<float>, relu_into_backward<double>};
    for (std::size_t s = 0; s < steps.size(); ++s) {
      bool done =
          fill_once<float>(steps[s], uses, memory, constants) || fill_once<double>(steps[s], uses, memory, constants);
      for (const auto rule : rules) done = done || rule(steps, uses, s);
      if (done) steps[s].reset();
    }
    std::erase(steps, nullptr);
  }
  if (options.frozen) {
    const Uses uses(steps, memory);
    std::vector<Memory> all = memory;
    Packer<float> floats(all, constants);
    Packer<double> doubles(all, constants);
    for (auto& step : steps) floats.pack(step, uses), doubles.pack(step, uses);
    memory = std::move(all);
  }
  return constants;
}

}  // namespace nnative
