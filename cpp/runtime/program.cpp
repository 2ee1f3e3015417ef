#include "runtime/program.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>
#include <numeric>
#include <utility>

#include "runtime/pool.hpp"

namespace nnative {
namespace {

constexpr std::size_t kAlignment = 64;
// Nanoseconds: of rounds whose threads are tried, of those whose threads are watched at all, of rounds run together.
constexpr double kBrief = 2e5, kWatched = 1e6, kTogether = 5e5;
constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

struct Lifetime {
  std::size_t first = kNever, last = 0;  // both included
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

double nanoseconds_of(const std::vector<std::unique_ptr<Step>>& steps) {
  return std::accumulate(steps.begin(), steps.end(), 0.0,
                         [](double sum, const auto& step) { return sum + step->cost.nanoseconds; });
}

}  // namespace

Program::Program(std::vector<std::unique_ptr<Step>> steps, std::vector<Memory> memory, const FuseOptions& options)
    : steps_(std::move(steps)),
      nanoseconds_(nanoseconds_of(steps_)),
      memory_(std::move(memory)),
      constants_(fuse(steps_, memory_, options, members_for(nanoseconds_, num_threads()))),
      recorded_(memory_),
      inner_(make_barrier()) {
  recorded_.work_in_place(steps_);
  std::vector<bool> written(memory_.size(), false);
  for (const auto& step : steps_) {
    for (const Access& access : recorded_.accesses(*step)) {
      if (access.memory != MemoryMap::kNone && access.written) written[access.memory] = true;
    }
  }
  for (std::size_t m = 0; m < memory_.size(); ++m) {
    if (written[m] && memory_[m].kind == Memory::Kind::external && memory_[m].bytes > 0) written_.push_back(m);
  }
  std::sort(written_.begin(), written_.end(), [&](auto a, auto b) { return memory_[a].base < memory_[b].base; });
  for (const Constant& constant : constants_) memory_[constant.memory].base = constant.bytes.get();
  plan(members_for(nanoseconds_, num_threads()));
}

void Program::plan(int members) {
  members_ = members;
  turns_ = schedule(steps_, recorded_, members);
  references_.assign(memory_.size(), {});
  scratch_ = {};
  ends_together_ = false;
  for (std::size_t t = 0; t < turns_.size(); ++t) {
    const Turn& turn = turns_[t];
    const Scratch& needs = turn.step->cost.scratch;
    if (turn.member == Turn::kAll) {
      scratch_.shared = std::max(scratch_.shared, needs.shared);
      scratch_.own = std::max(scratch_.own, needs.own);
    } else {
      scratch_.own = std::max(scratch_.own, aligned(needs.shared) + needs.own);
    }
    for (std::size_t position = 0; position < turn.accesses.size(); ++position) {
      const Access& access = turn.accesses[position];
      if (access.memory == MemoryMap::kNone) continue;
      references_[access.memory].push_back({t, position, access.offset});
      const Memory& memory = memory_[access.memory];
      ends_together_ |= turn.segment + 1 == segments() && (memory.wanted || memory.kind == Memory::Kind::input);
    }
  }
  place_temporaries();
  for (std::size_t m = 0; m < memory_.size(); ++m) point(m, memory_[m].base);
}

void Program::place_temporaries() {
  // Members run a segment each at their own pace, so what lives in a segment lives in all of it.
  const auto time_of = [&](std::size_t turn) { return members_ > 1 ? turns_[turn].segment : turn; };
  std::vector<std::size_t> moved, bytes, offsets;
  std::vector<Lifetime> lifetimes;
  for (std::size_t m = 0; m < memory_.size(); ++m) {
    const bool result = memory_[m].kind == Memory::Kind::result;
    if (!result && (memory_[m].kind != Memory::Kind::temporary || references_[m].empty())) continue;
    Lifetime lifetime;
    for (const Reference& reference : references_[m]) {
      lifetime.first = std::min(lifetime.first, time_of(reference.turn));
      lifetime.last = std::max(lifetime.last, time_of(reference.turn));
    }
    if (result) lifetime = {std::min(lifetime.first, turns_.size()), turns_.size()};
    moved.push_back(m);
    bytes.push_back(aligned(memory_[m].bytes));
    lifetimes.push_back(lifetime);
  }
  arena_bytes_ = place(bytes, lifetimes, offsets);
  arena_ = arena_bytes_ == 0 ? nullptr : allocate_lines(arena_bytes_);
  for (std::size_t i = 0; i < moved.size(); ++i) memory_[moved[i]].base = arena_.get() + offsets[i];
}

void Program::point(std::size_t index, std::byte* base) {
  memory_[index].base = base;
  for (const Reference& reference : references_[index])
    turns_[reference.turn].step->set_pointer(reference.position, base + reference.offset);
}

void Program::bind(std::size_t index, const std::byte* base) {
  if (memory_[index].base != base) point(index, const_cast<std::byte*>(base));
}

bool Program::writes(const std::byte* base, std::size_t bytes) const {
  const auto behind = std::lower_bound(written_.begin(), written_.end(), base + bytes,
                                       [&](std::size_t m, const std::byte* end) { return memory_[m].base < end; });
  if (behind == written_.begin() || bytes == 0) return false;
  const Memory& last = memory_[*std::prev(behind)];
  return last.base + last.bytes > base;
}

void Program::run() { run(1, nullptr, nullptr); }

Index Program::run(Index rounds, const std::function<void(Index, const Team&)>& before,
                   const std::function<bool(Index)>& after) {
  const int members = members_for(nanoseconds_, num_threads());
  if (members != members_) plan(members);
  if (members == 1) return run_rounds(1, {0, rounds, before, after}).done;
  // Many short rounds are run some at a time, since which number of threads is faster may change meanwhile.
  const bool watched = nanoseconds_ < kWatched;
  const Index together = watched ? std::max<Index>(1, static_cast<Index>(kTogether / nanoseconds_)) : rounds;
  Progress now{0, false};
  while (now.done < rounds && !now.stopped) {
    // Who calls in a loop goes on calling: that repays waking the others.
    const auto start = std::chrono::steady_clock::now();
    const double again = start - last_run_ < std::chrono::microseconds(100) ? 10 : 1;
    const int most = std::min(members, threads_for(nanoseconds_ * static_cast<double>(rounds - now.done) * again));
    const int threads = watched ? pace_.choose(most, nanoseconds_ < kBrief) : most;
    const Index begin = now.done;
    now = run_rounds(threads, {begin, std::min(rounds, begin + together), before, after});
    last_run_ = std::chrono::steady_clock::now();
    if (watched && most > 1) pace_.note(now.done - begin, last_run_ - start);
  }
  return now.done;
}

Program::Progress Program::run_rounds(int threads, const Rounds& rounds) {
  struct Context {
    Program& program;
    const Rounds& rounds;
    std::atomic<Index> done;
    std::atomic<bool> stop{false};
  } context{*this, rounds, rounds.begin};
  run_team(
      threads, scratch_,
      [](void* pointer, const Team& team) {
        auto& c = *static_cast<Context*>(pointer);
        for (Index round = c.rounds.begin; round < c.rounds.end; ++round) {
          if (c.rounds.before) {
            c.rounds.before(round, team);
            barrier(team);  // all are through with the round before, and with this one's inputs
            if (c.stop.load(std::memory_order_relaxed)) break;
          }
          c.program.run_turns(team);
          if (c.rounds.after && c.program.ends_together_) barrier(team);
          if (team.rank == 0) {
            c.done.store(round + 1, std::memory_order_relaxed);
            if (c.rounds.after) c.stop.store(!c.rounds.after(round), std::memory_order_relaxed);
          }
        }
      },
      &context);
  return {context.done.load(), context.stop.load()};
}

void Program::run_turns(const Team& team) {
  std::size_t segment = 0;
  for (const Turn& turn : turns_) {
    for (; segment < turn.segment; ++segment) barrier(team);
    if (turn.member == Turn::kAll) {
      const int size = std::min(turn.size, team.size);
      Barrier* sync = size == team.size ? team.sync : inner_.get();
      if (team.rank < size) turn.step->run(Team{team.rank, size, team.shared, team.own, sync});
    } else if (turn.member % team.size == team.rank) {  // fewer threads than members take several parts
      auto* own = static_cast<std::byte*>(team.own);
      turn.step->run(Team{0, 1, own, own + aligned(turn.step->cost.scratch.shared), nullptr});
    }
  }
}

}  // namespace nnative
