// A recorded sequence of launches: which kernels, on which memory, in which order; replayed in one parallel region.
//
// Recording notes every pointer that a launch reads or writes together with the array it lies in. Planning then moves
// what only lives within the program into one arena, where arrays whose lifetimes do not meet share memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/fuse.hpp"
#include "runtime/pace.hpp"
#include "runtime/schedule.hpp"

namespace nnative {

class Program {
 public:
  // `memory` must cover every pointer of the steps.
  Program(std::vector<std::unique_ptr<Step>> steps, std::vector<Memory> memory, const FuseOptions& options);

  // Lets input `index` (its position among `memory`) be read at `base`, or output `index` be written there.
  void bind(std::size_t index, const std::byte* base);
  bool is_output(std::size_t index) const { return memory_[index].kind == Memory::Kind::output; }
  // Whether the steps write memory outside the program that these bytes touch.
  bool writes(const std::byte* base, std::size_t bytes) const;
  // Where byte `offset` of memory `index` lies now.
  std::byte* address(std::size_t index, std::size_t offset) const { return memory_[index].base + offset; }

  void run();
  // Runs the steps `rounds` times in one parallel region. Before each round every member calls before(round, team),
  // which may write inputs; behind it rank 0 calls after(round), which may read results and returns false to stop.
  // Returns the number of rounds that ran. Only one round may do without.
  Index run(Index rounds, const std::function<void(Index, const Team&)>& before,
            const std::function<bool(Index)>& after);

  // Estimated time of all steps on one core.
  double nanoseconds() const { return nanoseconds_; }
  std::size_t steps() const { return steps_.size(); }
  // Of the last plan: segments between two barriers, and bytes of the temporaries.
  std::size_t segments() const { return turns_.empty() ? 0 : turns_.back().segment + 1; }
  std::size_t arena_bytes() const { return arena_bytes_; }

 private:
  struct Reference {
    std::size_t turn, position;  // the position-th pointer of the turn
    std::size_t offset;
  };

  struct Rounds {
    Index begin, end;
    const std::function<void(Index, const Team&)>& before;
    const std::function<bool(Index)>& after;
  };

  // Cuts the program for a team of this size and places its temporaries.
  void plan(int members);
  void place_temporaries();
  void point(std::size_t index, std::byte* base);
  struct Progress {
    Index done;  // rounds that have run
    bool stopped;
  };
  Progress run_rounds(int threads, const Rounds& rounds);
  void run_turns(const Team& team);

  std::vector<std::unique_ptr<Step>> steps_;  // as recorded
  const double nanoseconds_;
  std::vector<Memory> memory_;  // where it lies now
  std::vector<Constant> constants_;
  std::vector<std::size_t> written_;  // memory outside the program that its steps write, by address
  MemoryMap recorded_;                // where memory lay then

  int members_ = 0;  // of the plan
  std::vector<Turn> turns_;
  bool ends_together_ = true;  // the last segment touches what is read or written between two rounds
  std::vector<std::vector<Reference>> references_;  // to each memory
  OwnedMemory arena_;
  std::size_t arena_bytes_ = 0;
  Scratch scratch_;
  std::unique_ptr<Barrier, void (*)(Barrier*)> inner_;
  std::chrono::steady_clock::time_point last_run_{};
  Pace pace_;
};

}  // namespace nnative
