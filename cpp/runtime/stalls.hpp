// Whether launches wait for CPUs that others have.
//
// A worker whose CPU another thread keeps busy (other libraries' threads spin for milliseconds after their work) gets
// it at the scheduler's next look, milliseconds later, and a launch of microseconds waits for that. When that happens
// again soon, brief launches are made alone for a while. Times are in nanoseconds. Bits do not depend on the choice.
#pragma once

#include <algorithm>
#include <cstdint>

namespace nnative {

class Stalls {
 public:
  // Tells that a launch on several threads ended at `now`, after `took`, of which the caller waited.
  // A launch whose caller waits for most of the time is not merely cut into uneven shares.
  void note(std::int64_t now, std::int64_t took, std::int64_t waited) {
    if (waited < kSlice || 2 * waited < took) return;
    // CPUs that are still busy show in what begins soon after a rest. Accidents some times a second must not prolong
    // it.
    if (now < until_) return;
    const bool again = now - took < until_ + kSoon;
    rest_ = again ? std::clamp(2 * rest_, kSoon, kLongest) : 0;
    until_ = now + rest_;
  }

  // Until when launches should not count on others: the longer the more often that was wrong lately.
  std::int64_t until() const { return until_; }

 private:
  static constexpr std::int64_t kSlice = 1'000'000;  // less than a scheduler's slice, more than waking takes
  static constexpr std::int64_t kSoon = 20'000'000, kLongest = 640'000'000;

  std::int64_t rest_ = 0, until_ = 0;
};

}  // namespace nnative
