#include "runtime/program.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>
#include <numeric>
#include <stdexcept>

namespace nnative {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

struct Lifetime {
  std::size_t first = kNever, last = 0;  // steps, both included
  bool meets(const Lifetime& other) const { return first <= other.last && other.first <= last; }
};

// Offsets in one arena such that memory with meeting lifetimes does not overlap: largest first, each at the lowest
// place.
std::size_t place(const std::vector<std::size_t>& bytes, const std::vector<Lifetime>& lifetimes,
                  std::vector<std::size_t>& offsets) {
  std::vector<std::size_t> order(bytes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return bytes[a] != bytes[b] ? bytes[a] > bytes[b] : a < b; });
  offsets.assign(bytes.size(), 0);
  std::vector<std::size_t> placed;  // by offset
  std::size_t total = 0;
  for (const std::size_t item : order) {
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      if (!lifetimes[item].meets(lifetimes[other])) continue;
      if (offset + bytes[item] <= offsets[other]) break;
      offset = std::max(offset, offsets[other] + bytes[other]);
    }
    offsets[item] = offset;
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), item, [&](auto a, auto b) { return offsets[a] < offsets[b]; }),
        item);
    total = std::max(total, offset + bytes[item]);
  }
  return total;
}

}  // namespace

void Program::Free::operator()(std::byte* p) const { std::free(p); }

Program::Program(std::vector<std::unique_ptr<Step>> steps, std::vector<Memory> memory)
    : steps_(std::move(steps)), memory_(std::move(memory)), references_(memory_.size()), inner_(make_barrier()) {
  for (const auto& step : steps_) {
    scratch_.shared = std::max(scratch_.shared, step->cost.scratch.shared);
    scratch_.own = std::max(scratch_.own, step->cost.scratch.own);
    longest_ = std::max(longest_, step->cost.nanoseconds);
    nanoseconds_ += step->cost.nanoseconds;
  }
  plan();
}

void Program::plan() {
  std::vector<std::size_t> by_base(memory_.size());
  std::iota(by_base.begin(), by_base.end(), std::size_t{0});
  std::sort(by_base.begin(), by_base.end(), [&](auto a, auto b) { return memory_[a].base < memory_[b].base; });

  std::vector<Lifetime> lifetimes(memory_.size());
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    std::size_t position = 0;
    steps_[s]->visit([&](void*& pointer, bool) {
      const std::size_t at = position++;
      if (pointer == nullptr) return;
      const auto* address = static_cast<const std::byte*>(pointer);
      auto next = std::upper_bound(by_base.begin(), by_base.end(), address,
                                   [&](const std::byte* p, std::size_t m) { return p < memory_[m].base; });
      if (next == by_base.begin()) throw std::logic_error("a recorded pointer lies in no known array");
      const std::size_t m = *std::prev(next);
      const auto offset = static_cast<std::size_t>(address - memory_[m].base);
      if (offset > memory_[m].bytes) throw std::logic_error("a recorded pointer lies in no known array");
      references_[m].push_back({s, at, offset});
      lifetimes[m].first = std::min(lifetimes[m].first, s);
      lifetimes[m].last = s;
    });
  }

  std::vector<std::size_t> moved, bytes, offsets;
  std::vector<Lifetime> spans;
  for (std::size_t m = 0; m < memory_.size(); ++m) {
    const bool result = memory_[m].kind == Memory::Kind::result;
    if (!result && (memory_[m].kind != Memory::Kind::temporary || lifetimes[m].first == kNever)) continue;
    if (result) lifetimes[m].last = steps_.size();
    moved.push_back(m);
    bytes.push_back((memory_[m].bytes + kAlignment - 1) / kAlignment * kAlignment);
    spans.push_back(lifetimes[m]);
  }
  arena_bytes_ = place(bytes, spans, offsets);
  if (arena_bytes_ > 0) {
    arena_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, arena_bytes_)));
    if (arena_ == nullptr) throw std::bad_alloc();
  }
  for (std::size_t i = 0; i < moved.size(); ++i) point(moved[i], arena_.get() + offsets[i]);
}

void Program::point(std::size_t index, std::byte* base) {
  memory_[index].base = base;
  for (const Reference& reference : references_[index]) {
    std::size_t position = 0;
    steps_[reference.step]->visit([&](void*& pointer, bool) {
      if (position++ == reference.position) pointer = base + reference.offset;
    });
  }
}

void Program::bind(std::size_t index, const std::byte* base) {
  if (memory_[index].base != base) point(index, const_cast<std::byte*>(base));
}

void Program::run() {
  run(1, [](Index, const Team&) {}, [](Index) { return true; });
}

Index Program::run(Index rounds, const std::function<void(Index, const Team&)>& before,
                   const std::function<bool(Index)>& after) {
  struct Context {
    Program& program;
    Index rounds;
    const std::function<void(Index, const Team&)>& before;
    const std::function<bool(Index)>& after;
    std::atomic<Index> done{0};
    std::atomic<bool> stop{false};
  } context{*this, rounds, before, after};
  // One member when no step deserves more, or when all of them together do not repay waking others.
  const double total = nanoseconds_ * static_cast<double>(rounds);
  const int threads = std::min(members_for(longest_, num_threads()), threads_for(total));
  run_team(
      threads, scratch_,
      [](void* pointer, const Team& team) {
        auto& c = *static_cast<Context*>(pointer);
        for (Index round = 0; round < c.rounds; ++round) {
          c.before(round, team);
          c.program.run_steps(team);
          if (team.rank == 0) {
            c.done.store(round + 1, std::memory_order_relaxed);
            c.stop.store(!c.after(round), std::memory_order_relaxed);
          }
          if (round + 1 == c.rounds) break;
          barrier(team);
          if (c.stop.load(std::memory_order_relaxed)) break;
        }
      },
      &context);
  return context.done.load();
}

void Program::run_steps(const Team& team) {
  int before = 1;  // members of the step before; between two steps of rank 0 alone nobody needs to wait
  for (const auto& step : steps_) {
    const int size = members_for(step->cost.nanoseconds, team.size);
    if (size > 1 || before > 1) barrier(team);
    if (team.rank < size) step->run(Team{team.rank, size, team.shared, team.own, inner_.get()});
    before = size;
  }
  if (before > 1) barrier(team);
}

}  // namespace nnative
