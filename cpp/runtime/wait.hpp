// A word that threads wait on: awake for a while, since work usually follows within microseconds, then asleep.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nnative {

inline void pause_cpu() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// std::atomic's own notify asks the kernel whenever anyone sleeps on a word that shares its hash bucket (all words at
// the start of a cache line do), so the sleepers of this word are counted here.
class WaitWord {
 public:
  using Clock = std::chrono::steady_clock;
  using Nanoseconds = std::chrono::nanoseconds;

  std::uint32_t load() const { return value_.load(std::memory_order_acquire); }

  // Only while no thread waits.
  void reset(std::uint32_t value) { value_.store(value, std::memory_order_relaxed); }

  // Returns the previous value; what the caller wrote before is visible to who sees the new one. Sequentially
  // consistent, like the counting of sleepers: either the sleeper sees the new value or the waker sees the sleeper.
  std::uint32_t add(std::uint32_t delta) { return value_.fetch_add(delta); }
  void wake() {
    if (sleepers_.load() != 0) value_.notify_all();
  }

  // Whether the value changed from `old` within kPatience.
  bool spin_while(std::uint32_t old) const { return load() != old || spin_while(old, Clock::now()); }

  void sleep_while(std::uint32_t old) {
    sleepers_.fetch_add(1);
    while (load() == old) value_.wait(old);
    sleepers_.fetch_sub(1);
  }

  // How long that took; 0 for less than kPatience.
  Nanoseconds wait_while(std::uint32_t old) {
    if (load() != old) return Nanoseconds{0};
    const auto start = Clock::now();
    if (spin_while(old, start)) return Nanoseconds{0};
    sleep_while(old);
    return Clock::now() - start;
  }

 private:
  // After a while the thread gives way: the one it waits for may be queued on this very CPU.
  bool spin_while(std::uint32_t old, Clock::time_point start) const {
    for (Nanoseconds waited{0}; waited < kPatience; waited = Clock::now() - start) {
      for (int i = 0; i < 32; ++i) {
        if (load() != old) return true;
        pause_cpu();
      }
      if (waited > kSelfish) std::this_thread::yield();
    }
    return false;
  }

  // The clock decides, since a pause takes 10 cycles on some CPUs and 140 on others. kPatience is longer than the
  // Python between two launches, and longer than waking a sleeper takes (20 µs); see bench/bench_runtime.py.
  static constexpr Nanoseconds kPatience{100000};
  static constexpr Nanoseconds kSelfish{4000};

  std::atomic<std::uint32_t> value_{0};
  std::atomic<std::uint32_t> sleepers_{0};
};

}  // namespace nnative
