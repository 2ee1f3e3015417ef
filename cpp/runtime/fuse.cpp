#include "runtime/fuse.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
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
        if (use.count++ == 0) use.first = s;
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
    return is_read_only(pointer) && memory_[map_.memory_at(pointer)].kind == Memory::Kind::external;
  }
  bool is_read_only(const void* pointer) const {
    return pointer == nullptr || uses_[map_.memory_at(pointer)].writes == 0;
  }
  // Whether a step after number s writes to the memory.
  bool written_after(const void* pointer, std::size_t s) const {
    const Use& use = uses_[map_.memory_at(pointer)];
    return use.writes > 0 && use.writer > s;
  }
  // The first step that touches the memory.
  std::size_t first_use(const void* pointer) const { return uses_[map_.memory_at(pointer)].first; }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);

 private:
  struct Use {
    int count = 0, writes = 0;
    std::size_t first = none, writer = none;  // the last one
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

// Lets the product that makes dx (size), which is used once, apply the mask of relu. Returns where its result goes;
// null where no such product makes it.
template <class T>
T** masked_product(Steps& steps, const Uses& uses, const T* dx, Index size, const T* gate) {
  const std::size_t producer = uses.only_writer(dx);
  if (producer == Uses::none) return nullptr;
  auto* linear = launch_of(kernels<T>().linear->backward_input, steps[producer]);
  if (linear == nullptr) return nullptr;
  auto& [to, dy, weight, mask, N, K, M] = linear->its_arguments();
  if (to != dx || size != N * K) return nullptr;
  linear->template share_role<0, 3>();
  mask = gate;
  return &to;
}

// dx = linear_backward_input(dy); dz = relu_backward(dx, gate)
template <class T>
bool relu_into_backward(Steps& steps, const Uses& uses, std::size_t s) {
  auto* relu = launch_of(kernels<T>().activation->relu_backward, steps[s]);
  if (relu == nullptr) return false;
  const auto& [dz, dx, gate, size] = relu->its_arguments();
  T** to = masked_product<T>(steps, uses, dx, size, gate);
  if (to == nullptr) return false;
  *to = dz;
  return true;
}

// dx = linear_backward_input(dy); d = dropout(dx); dz = relu_backward(d, gate): both are 0 or a factor, in either order
template <class T>
bool relu_before_dropout(Steps& steps, const Uses& uses, std::size_t s) {
  auto* relu = launch_of(kernels<T>().activation->relu_backward, steps[s]);
  if (relu == nullptr) return false;
  const auto& [dz, d, gate, size] = relu->its_arguments();
  const std::size_t between = uses.only_writer(d);
  if (between == Uses::none) return false;
  auto* dropout = launch_of(kernels<T>().dropout->dropout, steps[between]);
  if (dropout == nullptr) return false;
  auto& [to, dx, state, before, count, threshold, scale, shift, instead] = dropout->its_arguments();
  const bool keeps_zeros = scale > 0 && std::isfinite(scale) && shift == 0 && instead == 0 && !std::signbit(instead);
  if (to != d || count != size || !keeps_zeros || masked_product<T>(steps, uses, dx, size, gate) == nullptr)
    return false;
  to = dz;
  return true;
}

// y = a + b; z = relu(y)
template <class T>
bool relu_into_add(Steps& steps, const Uses& uses, std::size_t s) {
  const auto& family = *kernels<T>().elementwise;
  auto* relu = launch_of(kernels<T>().activation->relu_forward, steps[s]);
  if (relu == nullptr) return false;
  const auto& [z, y, size] = relu->its_arguments();
  const std::size_t producer = uses.only_writer(y);
  if (producer == Uses::none) return false;
  auto* add = launch_of(family.add, steps[producer]);
  if (add == nullptr) return false;
  auto& [to, a, b, layout, scalar] = add->its_arguments();
  Index added = 1;
  for (int d = 0; d < layout.ndim; ++d) added *= layout.shape[d];
  if (to != y || size != added) return false;
  to = z;
  add->its_kernel() = family.add_relu;
  return true;
}

// loss = cross_entropy(logits); dlogits = cross_entropy_backward(dloss, logits), dloss being a constant
template <class T>
bool cross_entropy_at_once(Steps& steps, const Uses& uses, std::size_t s) {
  const auto& family = *kernels<T>().loss;
  auto* backward = launch_of(family.cross_entropy_backward, steps[s]);
  if (backward == nullptr) return false;
  const auto& [none, dlogits, logits, dloss, target, weight, all_targets, N, C, rows, dloss_stride, type, ignore,
               smoothing, mean] = backward->its_arguments();
  if (none != nullptr || rows != N || !uses.is_constant(dloss) || uses.first_use(dlogits) != s) return false;
  if (!uses.is_read_only(target) || !uses.is_read_only(weight)) return false;
  const std::tuple here(logits, target, weight, N, C, type, ignore, smoothing);
  for (std::size_t producer = s; producer-- > 0;) {
    auto* forward = launch_of(family.cross_entropy_forward, steps[producer]);
    if (forward == nullptr) continue;
    const auto& [loss, its_logits, its_target, its_weight, its_N, its_C, its_type, its_ignore, its_smoothing] =
        forward->its_arguments();
    if (here != std::tie(its_logits, its_target, its_weight, its_N, its_C, its_type, its_ignore, its_smoothing))
      continue;
    if (uses.written_after(logits, producer)) return false;
    const Cost both{forward->cost.nanoseconds + backward->cost.nanoseconds, family.cross_entropy_scratch(C)};
    const Index index_bytes = Index{1} << static_cast<int>(type) / 2;
    steps[producer] = step_of(both, family.cross_entropy_backward, each(loss, 1), each(dlogits, C), each(logits, C),
                              each(dloss, dloss_stride), each(target, index_bytes), weight, all_targets, Count{N}, C,
                              rows, dloss_stride, type, ignore, smoothing, mean);
    return true;
  }
  return false;
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

// dweight, dbias = linear_backward_weight(dy, x) where both are the sum of two parts
template <class T>
bool parts_apart(Steps& steps, std::size_t s, std::vector<Memory>& memory, std::vector<OwnedMemory>& stand_ins) {
  const auto& family = *kernels<T>().linear;
  auto* whole = launch_of(family.backward_weight, steps[s]);
  if (whole == nullptr) return false;
  const auto [dweight, dbias, dy, x, N, split, K, M, dy_row] = whole->its_arguments();
  if (split == N) return false;
  constexpr Index kLine = 64 / sizeof(T);
  const Index size = (M * K + M + kLine - 1) / kLine * kLine;  // each in lines of its own
  const std::size_t bytes = static_cast<std::size_t>(2 * size) * sizeof(T);
  stand_ins.push_back(allocate_lines(bytes));
  memory.push_back({stand_ins.back().get(), bytes, Memory::Kind::temporary});
  auto* sums = reinterpret_cast<T*>(stand_ins.back().get());
  const auto part = [&](Index offset, Index stride) { return each(static_cast<const T*>(sums + offset), stride); };
  const Cost add{static_cast<double>(bytes) / 12, {}};
  auto both = step_of(whole->cost, family.sum_parts, each(sums, size), each(dy, split * M), each(x, split * K),
                      Count{2}, Offset{}, N, split, K, M, size, dbias != nullptr);
  auto sum = step_of(add, family.add_parts, each(dweight, K), each(dbias, 1), part(0, K), part(M * K, 1), part(size, K),
                     part(size + M * K, 1), Count{M}, K);
  steps[s] = std::move(both);
  steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(s) + 1, std::move(sum));
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

OwnedMemory allocate_lines(std::size_t bytes) { return OwnedMemory(static_cast<std::byte*>(allocate_pages(bytes))); }

std::vector<Constant> fuse(Steps& steps, std::vector<Memory>& memory, const FuseOptions& options, int members) {
  std::vector<Constant> constants;
  std::vector<OwnedMemory> stand_ins;  // addresses for new temporaries, until they are placed
  if (options.fuse) {
    const Uses before(steps, memory);
    for (auto& step : steps) {
      if (fill_once<float>(step, before, memory, constants) || fill_once<double>(step, before, memory, constants))
        step.reset();
    }
    std::erase(steps, nullptr);
    const Uses uses(steps, memory);
    constexpr bool (*rules[])(Steps&, const Uses&, std::size_t) = {
        relu_into_forward<float>,     relu_into_forward<double>,  relu_into_backward<float>,
        relu_into_backward<double>,   relu_before_dropout<float>, relu_before_dropout<double>,
        relu_into_add<float>,         relu_into_add<double>,      cross_entropy_at_once<float>,
        cross_entropy_at_once<double>};
    for (std::size_t s = 0; s < steps.size(); ++s) {
      if (std::any_of(std::begin(rules), std::end(rules), [&](auto rule) { return rule(steps, uses, s); }))
        steps[s].reset();
    }
    std::erase(steps, nullptr);
    for (std::size_t s = 0; s < steps.size() && members == 2; ++s) {
      parts_apart<float>(steps, s, memory, stand_ins);
      parts_apart<double>(steps, s, memory, stand_ins);
    }
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
