// Whether threads pay at present.
//
// A step of some microseconds meets at barriers, so its threads are worth as much as the system gives them: when
// another process has one of the CPUs, all wait for its time slice, and two virtual CPUs may lie far apart. What holds
// is learned from the times of the runs themselves. Bits do not depend on the choice.
#pragma once

#include <algorithm>
#include <chrono>
#include <limits>

#include "runtime/team.hpp"

namespace nnative {

class Pace {
 public:
  // Threads for the next run: `most`, or 1 for a while when that was much faster. One is tried now and then, the less
  // often the longer several have paid; of runs that are not brief, only when several seem to suffer.
  int choose(int most, bool brief) {
    if (most <= 1) return most;
    if (left_ <= 0) end_phase(brief || suffers());
    return phase_ == Phase::several ? most : 1;
  }

  // Tells how long so many rounds of the last choice took together.
  void note(Index count, std::chrono::duration<double, std::nano> time) {
    const double rounds = static_cast<double>(count), nanoseconds = time.count();
    left_ -= nanoseconds;
    if (phase_ == Phase::several) held_ += nanoseconds;
    // The first run of a phase wakes the others and finds its data in their caches. A whole time slice counts.
    if (runs_++ == 0 && nanoseconds < kSlice) return;
    spent_ += nanoseconds;
    Rate& rate = phase_ == Phase::several ? several_ : alone_;
    rate.note(rounds, nanoseconds);
    if (phase_ == Phase::several) least_ = std::min(least_, nanoseconds / rounds);
    if (phase_ == Phase::alone || !(runs_ > kRuns || spent_ > kSlice)) return;
    if (alone_pays()) {
      rest_ = held_ < kLong ? std::min(2 * rest_, kLong) : kSoon;
      begin(Phase::alone, rest_);
    } else if (phase_ == Phase::trial) {
      left_ = 0;
    }
  }

 private:
  enum class Phase { several, trial, alone };

  // In nanoseconds.
  static constexpr double kSlice = 1e6;              // less than other processes get at a time, more than waking takes
  static constexpr double kSoon = 2e6, kLong = 1e8;  // the shortest phase, and the longest
  static constexpr double kWindow = 5e7;  // of which a mean knows: one time slice of others in it is no reason
  static constexpr int kRuns = 8;         // or kSlice, to judge by

  // Time of a round.
  class Rate {
   public:
    void note(double rounds, double nanoseconds) {
      const double keep = kWindow / (kWindow + nanoseconds);
      rounds_ = keep * rounds_ + rounds, nanoseconds_ = keep * nanoseconds_ + nanoseconds;
    }
    bool known() const { return rounds_ > 0; }
    double mean() const { return nanoseconds_ / rounds_; }

   private:
    double rounds_ = 0, nanoseconds_ = 0;
  };

  // Much faster: two virtual CPUs on one core are no reason, since they may be apart the next moment.
  bool alone_pays() const { return alone_.known() && several_.known() && alone_.mean() < 0.8 * several_.mean(); }
  bool suffers() const { return several_.known() && several_.mean() > 1.5 * least_; }

  void begin(Phase phase, double length) { phase_ = phase, left_ = length, runs_ = 0, spent_ = 0; }

  void end_phase(bool look) {
    switch (phase_) {
      case Phase::several:
        if (!look) {
          left_ = interval_;
          return;
        }
        alone_ = {};
        return begin(Phase::trial, kLong);
      case Phase::trial:
        interval_ = std::min(2 * interval_, kLong);
        return begin(Phase::several, interval_);
      case Phase::alone:
        // Several are given a new chance, judged by nothing from before.
        several_ = {};
        held_ = 0, interval_ = kSoon;
        return begin(Phase::several, interval_);
    }
  }

  Phase phase_ = Phase::several;
  Rate alone_, several_;
  double least_ = std::numeric_limits<double>::infinity();  // time of a round on several threads
  double left_ = kSoon;                                     // of the phase
  double spent_ = 0;                                        // in the phase, in runs that count
  int runs_ = 0;                                            // of the phase
  double interval_ = kSoon, rest_ = kSoon;  // until one thread is tried; until several are given a new chance
  double held_ = kLong;                     // on several threads since they had a new chance
};

}  // namespace nnative
