#include "runtime/fuse.hpp"

#include <cstdlib>
#include <map>
#include <new>

#include "runtime/dispatch.hpp"

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
  std::get<0>(linear->its_arguments()) = z;
  std::get<7>(linear->its_arguments()) = Epilogue::relu;
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
  std::get<0>(linear->its_arguments()) = dz;
  linear->template share_role<0, 3>();
  std::get<3>(linear->its_arguments()) = gate;
  return true;
}

template <class T>
class Packer {
 public:
  explicit Packer(std::vector<Memory>& memory) : memory_(memory) {}

  void pack(std::unique_ptr<Step>& step, const Uses& uses) {
    const auto& family = *kernels<T>().linear;
    auto* linear = launch_of(family.forward, step);
    if (linear == nullptr) return;
    auto& [y, x, weight, bias, N, K, M, epilogue] = linear->its_arguments();
    if (!uses.is_constant(weight) || K * M == 0) return;
    const T*& packed = packed_[weight];
    if (packed == nullptr) {
      const std::size_t bytes = static_cast<std::size_t>(family.packed_size(K, M)) * sizeof(T);
      owned.push_back(allocate_lines(bytes));
      memory_.push_back({owned.back().get(), bytes, Memory::Kind::external});
      auto* to = reinterpret_cast<T*>(owned.back().get());
      family.pack(to, weight, K, M);
      packed = to;
    }
    weight = packed;
    linear->its_kernel() = family.forward_packed;
  }

  std::vector<OwnedMemory> owned;

 private:
  std::vector<Memory>& memory_;
  std::map<const T*, const T*> packed_;  // by weight
};

template <class T>
void pack_weights(Steps& steps, const Uses& uses, std::vector<Memory>& memory, std::vector<OwnedMemory>& owned) {
  Packer<T> packer(memory);
  for (auto& step : steps) packer.pack(step, uses);
  for (OwnedMemory& packed : packer.owned) owned.push_back(std::move(packed));
}

}  // namespace

void FreeMemory::operator()(std::byte* p) const { std::free(p); }

OwnedMemory allocate_lines(std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  OwnedMemory memory(static_cast<std::byte*>(std::aligned_alloc(kLine, (bytes + kLine - 1) / kLine * kLine)));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

std::vector<OwnedMemory> fuse(Steps& steps, std::vector<Memory>& memory, const FuseOptions& options) {
  if (options.fuse) {
    const Uses uses(steps, memory);
    constexpr bool (*rules[])(Steps&, const Uses&, std::size_t) = {
        relu_into_forward<float>, relu_into_forward<double>, relu_into_backward<float>, relu_into_backward<double>};
    for (std::size_t s = 0; s < steps.size(); ++s) {
      for (const auto rule : rules) {
        if (steps[s] != nullptr && rule(steps, uses, s)) steps[s].reset();
      }
    }
    std::erase(steps, nullptr);
  }
  std::vector<OwnedMemory> owned;
  if (options.frozen) {
    const Uses uses(steps, memory);
    std::vector<Memory> packed;
    pack_weights<float>(steps, uses, packed, owned);
    pack_weights<double>(steps, uses, packed, owned);
    memory.insert(memory.end(), packed.begin(), packed.end());
  }
  return owned;
}

}  // namespace nnative
