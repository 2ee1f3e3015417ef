#include "runtime/pool.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "runtime/cpus.hpp"
#include "runtime/float_mode.hpp"
#include "runtime/stalls.hpp"
#include "runtime/wait.hpp"

namespace nnative {

namespace {

constexpr std::size_t kLine = 64;

// bench/bench_runtime.py: sharing a launch costs 0.2 µs while the workers are awake and some 20 µs when they sleep.
constexpr double kNanosecondsPerMember = 6000;  // less moves more lines between caches than it saves
constexpr double kNanosecondsPerThread = 4000;
constexpr double kNanosecondsPerThreadAsleep = 20000;
constexpr double kNanosecondsWorthWaiting = 1e6;  // for a CPU that another thread has

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
  int cpu;  // of the caller
  std::byte* shared;
  std::byte* own;
  std::size_t own_bytes;
  Barrier* sync;

  void run(int rank) const {
    body(context, Team{rank, size, shared, own + static_cast<std::size_t>(rank) * own_bytes, sync});
  }
};

// Workers leave signals to the program's own threads, whose handlers expect them, except those of their own faults.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &saved_);
  }
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }

 private:
  sigset_t saved_;
};

}  // namespace

struct Barrier {
  alignas(kLine) std::atomic<std::uint32_t> arrived{0};
  WaitWord phase;
  WaitWord::Nanoseconds waited{0};  // long waits of rank 0; the pool asks its own barrier for them
};

std::unique_ptr<Barrier, void (*)(Barrier*)> make_barrier() {
  return {new Barrier, [](Barrier* barrier) { delete barrier; }};
}

void barrier(const Team& team) {
  if (team.size == 1) return;
  Barrier& sync = *team.sync;
  const std::uint32_t phase = sync.phase.load();
  if (sync.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<std::uint32_t>(team.size)) {
    sync.arrived.store(0, std::memory_order_relaxed);
    sync.phase.add(1);
    sync.phase.wake();
  } else {
    const auto waited = sync.phase.wait_while(phase);
    if (team.rank == 0) sync.waited += waited;
  }
}

namespace {

class Pool {
 public:
  // Runs the job on its members, or on fewer where the system has no more threads; false when another thread holds the
  // pool.
  bool run(Job job) {
    std::unique_lock lock(busy_, std::try_to_lock);
    if (!lock) return false;
    job.size = std::min(job.size, grow(job.size - 1) + 1);
    job.sync = &barrier_;
    job.cpu = current_cpu();
    job_ = job;
    const std::int64_t start = now();
    barrier_.waited = {};
    pending_.reset(static_cast<std::uint32_t>(job.size - 1));
    for (int i = 0; i < job.size - 1; ++i) {
      WaitWord& ticket = workers_[static_cast<std::size_t>(i)]->ticket;
      ticket.add(1);
      ticket.wake();
    }
    job.run(0);
    auto waited = barrier_.waited;
    for (std::uint32_t left; (left = pending_.load()) != 0;) waited += pending_.wait_while(left);
    if (waited.count() > 0) note(start, waited.count());
    return true;
  }

  bool awake() const { return awake_.load(std::memory_order_relaxed) > 0; }

  // Whether CPUs are waited for at present.
  bool stalls() {
    const std::int64_t until = stalled_until_.load(std::memory_order_relaxed);
    if (until == 0 || now() < until) return until != 0;
    stalled_until_.store(0, std::memory_order_relaxed);
    return false;
  }

 private:
  struct Worker {
    alignas(kLine) WaitWord ticket;  // one up for every job
  };

  static std::int64_t now() { return WaitWord::Nanoseconds(WaitWord::Clock::now().time_since_epoch()).count(); }

  void note(std::int64_t start, std::int64_t waited) {
    const std::int64_t end = now();
    stalls_.note(end, end - start, waited);
    stalled_until_.store(stalls_.until(), std::memory_order_relaxed);
  }

  // Makes `count` workers if the system lets it; returns how many there are, `count` at most.
  int grow(int count) {
    try {
      while (static_cast<int>(workers_.size()) < count) {
        auto worker = std::make_unique<Worker>();
        workers_.reserve(workers_.size() + 1);
        BlockSignals block;
        std::thread([this, ticket = &worker->ticket, rank = static_cast<int>(workers_.size()) + 1] {
          work(*ticket, rank);
        }).detach();
        workers_.push_back(std::move(worker));
      }
    } catch (const std::system_error&) {
    }
    return std::min(static_cast<int>(workers_.size()), count);
  }

  [[noreturn]] void work(WaitWord& ticket, int rank) {
    const KernelFloatMode mode;
    awake_.fetch_add(1, std::memory_order_relaxed);
    for (std::uint32_t seen = 0;; ++seen) {
      if (!ticket.spin_while(seen)) {
        awake_.fetch_sub(1, std::memory_order_relaxed);
        ticket.sleep_while(seen);
        awake_.fetch_add(1, std::memory_order_relaxed);
      }
      leave_caller();
      job_.run(rank);
      if (pending_.add(std::uint32_t(-1)) == 1) pending_.wake();
    }
  }

  // Two spinning threads on one CPU take turns there for seconds while another CPU is idle: each time that the system
  // looks, one of them is about to give way.
  void leave_caller() {
    static thread_local auto next = std::chrono::steady_clock::time_point{};
    if (job_.cpu < 0 || job_.cpu != current_cpu()) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next) return;
    next = now + std::chrono::microseconds(500);
    leave_cpu(job_.cpu);
  }

  std::mutex busy_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Job job_{};
  Barrier barrier_;
  alignas(kLine) WaitWord pending_;  // workers that have not finished the job
  alignas(kLine) std::atomic<int> awake_{0};
  Stalls stalls_;
  std::atomic<std::int64_t> stalled_until_{0};  // 0: not, as far as known
};

std::atomic<Pool*> pool{nullptr};
std::atomic<int> threads_setting{0};
thread_local ScratchBuffer scratch_buffer;

// A forked child has none of its parent's threads: it starts a pool of its own, the parent's object is left alone.
// Registered while loading: a handler that another thread registers during a fork does not run in the child.
void forget_pool() { pool.store(nullptr); }
[[maybe_unused]] const int fork_handler = pthread_atfork(nullptr, nullptr, forget_pool);

Pool& the_pool() {
  Pool* current = pool.load(std::memory_order_acquire);
  if (current == nullptr) {
    auto* fresh = new Pool;  // lives as long as the process: workers may run until its very end
    if (pool.compare_exchange_strong(current, fresh)) return *fresh;
    delete fresh;
  }
  return *current;
}

}  // namespace

int num_threads() {
  int threads = threads_setting.load(std::memory_order_relaxed);
  if (threads == 0) threads_setting.store(threads = default_num_threads(), std::memory_order_relaxed);
  return threads;
}

void set_num_threads(int threads) { threads_setting.store(threads, std::memory_order_relaxed); }

int threads_for(double nanoseconds) {
  Pool* current = pool.load(std::memory_order_relaxed);
  const bool awake = current != nullptr && current->awake();
  if (current != nullptr && nanoseconds < kNanosecondsWorthWaiting && current->stalls()) return 1;
  const double share = awake ? kNanosecondsPerThread : kNanosecondsPerThreadAsleep;
  return static_cast<int>(std::clamp(nanoseconds / share, 1.0, static_cast<double>(num_threads())));
}

int members_for(double nanoseconds, int size) {
  return static_cast<int>(std::clamp(nanoseconds / kNanosecondsPerMember, 1.0, static_cast<double>(size)));
}

void run_team(int threads, const Scratch& scratch, void (*body)(void*, const Team&), void* context) {
  const std::size_t shared = round_up(scratch.shared), own = round_up(scratch.own);
  std::byte* memory = scratch_buffer.ensure(shared + own * static_cast<std::size_t>(threads));
  const KernelFloatMode mode;
  Job job{body, context, threads, -1, memory, memory + shared, own, nullptr};
  if (threads > 1 && the_pool().run(job)) return;
  job.size = 1;
  job.run(0);
}

}  // namespace nnative
