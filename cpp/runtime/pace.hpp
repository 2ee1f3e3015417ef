// Whether threads pay at present.
//
// A step of some microseconds meets at barriers, so its threads are worth as much as the system gives them: when
// another process has one of the CPUs, all wait for its time slice, and two virtual CPUs may lie far apart. What holds
// is learned from the times of the runs themselves. Bits do not depend on the choice.
#pragma once

#include <algorithm>

namespace nnative {

class Pace {
 public:
  // Threads for the next run: `most`, or 1 while that is much faster. Now and then the other is tried for some runs,
  // the less often the longer the choice has held; of runs that are not brief, one thread only when several seem to
  // suffer.
  int choose(int most, bool brief) {
    if (most <= 1) return most;
    if (--left_ < 0) change(brief);
    return alone_preferred_ != trying_ ? 1 : most;
  }

  // Tells how long a run with that many threads took.
  void note(int threads, double nanoseconds) {
    double& mean = threads == 1 ? alone_ : shared_;
    mean = mean == 0 ? nanoseconds : mean + (nanoseconds - mean) / 8;
    if (threads > 1) least_ = least_ == 0 ? nanoseconds : std::min(least_, nanoseconds);
    if (!trying_ && !alone_preferred_ && alone_pays()) prefer(true);
    const bool stalled = nanoseconds > kSlice && nanoseconds > 4 * (threads == 1 ? shared_ : alone_);
    if (trying_ && stalled) left_ = 0;  // enough seen
  }

 private:
  static constexpr int kTrial = 8, kSoon = 64, kSeldom = 2048;
  static constexpr double kSlice = 1e6;  // nanoseconds: less than other processes get at a time, more than waking takes
  static constexpr double kLong = 1e8;   // nanoseconds in which circumstances may change

  // Much faster: two virtual CPUs on one core are no reason, since they may be apart the next moment.
  bool alone_pays() const { return alone_ != 0 && alone_ < 0.8 * shared_; }
  bool suffers() const { return shared_ > 1.5 * least_; }

  void change(bool brief) {
    const bool looks = brief || alone_preferred_ || suffers();
    if (trying_) {
      const double mean = alone_preferred_ ? alone_ : shared_;
      interval_ = std::min({2 * interval_, kSeldom, std::max(kSoon, static_cast<int>(kLong / mean))});
      if (alone_pays() != alone_preferred_) return prefer(!alone_preferred_);
    }
    trying_ = !trying_ && looks;
    left_ = trying_ ? kTrial : interval_;
  }

  void prefer(bool alone) {
    alone_preferred_ = alone, trying_ = false;
    left_ = interval_ = kSoon;
  }

  double alone_ = 0, shared_ = 0, least_ = 0;  // running means, least time of several; 0: not known
  bool alone_preferred_ = false, trying_ = false;
  int left_ = kSoon, interval_ = kSoon;  // runs until a trial begins or ends; between two
};

}  // namespace nnative
