#include "runtime/pool.hpp"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nnative {
namespace {

constexpr std::size_t kLine = 64;
constexpr double kNanosecondsPerThread = 4000;  // a woken worker costs 1-2 µs; see bench/bench_runtime.py
constexpr int kSpinsBeforeSleep = 4000;         // about 50 µs of pauses

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `value` differs from `old`: spins first, so that back-to-back launches need no system call.
void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int spin = 0; spin < kSpinsBeforeSleep; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

// Flushes denormals (results and operands) to zero for its lifetime and restores the caller's setting.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040u); }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" ::"r"(saved_ | (1ull << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(saved_)); }

 private:
  std::uint64_t saved_;
#endif
};

// Scratch of one calling thread, grown on demand and kept.
class ScratchBuffer {
 public:
  ~ScratchBuffer() { std::free(data_); }
  std::byte* ensure(std::size_t bytes) {
    if (bytes > capacity_) {
      std::free(data_);
      capacity_ = (bytes + bytes / 4 + 4095) / 4096 * 4096;
      data_ = static_cast<std::byte*>(std::aligned_alloc(4096, capacity_));
      if (data_ == nullptr) {
        capacity_ = 0;
        throw std::bad_alloc();
      }
    }
    return data_;
  }

 private:
  std::byte* data_ = nullptr;
  std::size_t capacity_ = 0;
};

std::size_t round_up(std::size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

struct Job {
  void (*body)(void*, const Team&);
  void* context;
  int size;
  std::byte* shared;
  std::byte* own;
  std::size_t own_bytes;
  Barrier* sync;

  void run(int rank) const {
    body(context, Team{rank, size, shared, own + static_cast<std::size_t>(rank) * own_bytes, sync});
  }
};

}  // namespace

struct Barrier {
  alignas(kLine) std::atomic<std::uint32_t> arrived{0};
  alignas(kLine) std::atomic<std::uint32_t> phase{0};
};

std::unique_ptr<Barrier, void (*)(Barrier*)> make_barrier() {
  return {new Barrier, [](Barrier* barrier) { delete barrier; }};
}

void barrier(const Team& team) {
  if (team.size == 1) return;
  Barrier& sync = *team.sync;
  const std::uint32_t phase = sync.phase.load(std::memory_order_relaxed);
  if (sync.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<std::uint32_t>(team.size)) {
    sync.arrived.store(0, std::memory_order_relaxed);
    sync.phase.fetch_add(1, std::memory_order_release);
    sync.phase.notify_all();
  } else {
    wait_while(sync.phase, phase);
  }
}

namespace {

class Pool {
 public:
  // Runs the job on its members; false when another thread holds the pool.
  bool run(Job job) {
    std::unique_lock lock(busy_, std::try_to_lock);
    if (!lock) return false;
    while (static_cast<int>(workers_.size()) < job.size - 1) add_worker();
    job.sync = &barrier_;
    job_ = job;
    pending_.store(static_cast<std::uint32_t>(job.size - 1), std::memory_order_relaxed);
    for (int i = 0; i < job.size - 1; ++i) {
      workers_[static_cast<std::size_t>(i)]->ticket.fetch_add(1, std::memory_order_release);
      workers_[static_cast<std::size_t>(i)]->ticket.notify_one();
    }
    job.run(0);
    for (std::uint32_t left; (left = pending_.load(std::memory_order_acquire)) != 0;) wait_while(pending_, left);
    return true;
  }

 private:
  struct Worker {
    alignas(kLine) std::atomic<std::uint32_t> ticket{0};
  };

  void add_worker() {
    const int rank = static_cast<int>(workers_.size()) + 1;
    workers_.push_back(std::make_unique<Worker>());
    Worker* worker = workers_.back().get();
    std::thread([this, worker, rank] {
      FlushDenormals flush;
      for (std::uint32_t seen = 0;; ++seen) {
        wait_while(worker->ticket, seen);
        job_.run(rank);
        if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_all();
      }
    }).detach();
  }

  std::mutex busy_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Job job_{};
  Barrier barrier_;
  alignas(kLine) std::atomic<std::uint32_t> pending_{0};
};

std::atomic<Pool*> pool{nullptr};
std::atomic<int> threads_setting{0};
thread_local ScratchBuffer scratch_buffer;

// A forked child has none of its parent's threads: it starts a pool of its own, the parent's object is left alone.
void forget_pool() { pool.store(nullptr); }

Pool& the_pool() {
  Pool* current = pool.load(std::memory_order_acquire);
  if (current == nullptr) {
    static std::once_flag registered;
    std::call_once(registered, [] { pthread_atfork(nullptr, nullptr, forget_pool); });
    auto* fresh = new Pool;  // lives as long as the process: workers may run until its very end
    if (pool.compare_exchange_strong(current, fresh)) return *fresh;
    delete fresh;
  }
  return *current;
}

// CPUs that the container's quota allows (cgroup v2, then v1); 0 when there is none.
int quota_cpus() {
  double quota = -1, period = -1;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2) {
    std::string text;
    v2 >> text >> period;
    if (text != "max" && !text.empty()) quota = std::atof(text.c_str());
  } else if (std::ifstream q("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), p("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
             q && p) {
    q >> quota;
    p >> period;
  }
  return quota > 0 && period > 0 ? std::max(1, static_cast<int>(std::ceil(quota / period))) : 0;
}

}  // namespace

int default_num_threads() {
  cpu_set_t set;
  int threads = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                            : static_cast<int>(std::thread::hardware_concurrency());
  if (const int quota = quota_cpus(); quota > 0) threads = std::min(threads, quota);
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    if (const int wanted = std::atoi(text); wanted > 0) threads = std::min(threads, wanted);
  }
  return std::max(threads, 1);
}

int num_threads() {
  int threads = threads_setting.load(std::memory_order_relaxed);
  if (threads == 0) threads_setting.store(threads = default_num_threads(), std::memory_order_relaxed);
  return threads;
}

void set_num_threads(int threads) { threads_setting.store(threads, std::memory_order_relaxed); }

int threads_for(double nanoseconds) {
  return static_cast<int>(std::clamp(nanoseconds / kNanosecondsPerThread, 1.0, static_cast<double>(num_threads())));
}

void run_team(int threads, const Scratch& scratch, void (*body)(void*, const Team&), void* context) {
  const std::size_t shared = round_up(scratch.shared), own = round_up(scratch.own);
  std::byte* memory = scratch_buffer.ensure(shared + own * static_cast<std::size_t>(threads));
  FlushDenormals flush;
  Job job{body, context, threads, memory, memory + shared, own, nullptr};
  if (threads > 1 && the_pool().run(job)) return;
  job.size = 1;
  job.run(0);
}

}  // namespace nnative
