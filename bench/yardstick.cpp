// What this machine can do: fused multiply-adds in registers, instructions that do nothing, and loops over arrays in
// memory such as the triad a = b + s*c. yardstick.py compiles it as a shared library.
#include <pthread.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr std::size_t kBytes = 64;
#elif defined(__AVX__)
constexpr std::size_t kBytes = 32;
#else
constexpr std::size_t kBytes = 16;
#endif
constexpr std::size_t kLanes = kBytes / sizeof(float);
using Vector [[gnu::vector_size(kBytes)]] = float;

// Binds a thread to the CPU that is number `rank` of those it may use, while this lives: the scheduler may leave a new
// thread for several milliseconds on the CPU that its creator keeps busy.
class OnCpu {
 public:
  explicit OnCpu(int rank) {
    if (pthread_getaffinity_np(pthread_self(), sizeof(before_), &before_) != 0) return;
    int cpu = 0;
    for (rank %= CPU_COUNT(&before_); !CPU_ISSET(cpu, &before_) || rank-- > 0;) ++cpu;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    bound_ = pthread_setaffinity_np(pthread_self(), sizeof(one), &one) == 0;
  }
  ~OnCpu() {
    if (bound_) pthread_setaffinity_np(pthread_self(), sizeof(before_), &before_);
  }
  OnCpu(const OnCpu&) = delete;
  OnCpu& operator=(const OnCpu&) = delete;

 private:
  cpu_set_t before_;
  bool bound_ = false;
};

template <class Body>
void on_each(int threads, const Body& body) {
  std::vector<std::thread> team;
  for (int rank = 1; rank < threads; ++rank) {
    const OnCpu cpu(rank);  // which the new thread inherits
    team.emplace_back(body, rank);
  }
  const OnCpu cpu(0);
  body(0);
  for (std::thread& one : team) one.join();
}

// Twelve independent chains hide the latency of the multiply-add. What they begin with is kept from the compiler, which
// would leave out a chain whose value it knows never to change.
constexpr int kChains = 12;
float chains(long rounds) {
  volatile float first = 1.0f;
  Vector chain[kChains];
  for (int i = 0; i < kChains; ++i) chain[i] = Vector{} + (first + static_cast<float>(i));
  const Vector factor = Vector{} + 0.999f, term = Vector{} + 0.001f;
  for (long round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chain[i] = chain[i] * factor + term;
  }
  Vector sum{};
  for (const Vector& value : chain) sum += value;
  return sum[0];
}

// A store past the caches need not read the line first.
template <bool kPast>
void put(float* to, Vector value) {
#if defined(__AVX512F__)
  if (kPast) return _mm512_stream_ps(to, value);
#elif defined(__AVX__)
  if (kPast) return _mm256_stream_ps(to, value);
#endif
  *reinterpret_cast<Vector*>(to) = value;
}

// One pass over n elements of arrays that begin at a cache line, n being a multiple of kLanes: each out = in[0] +
// 3·(in[1] + …). Returns a sum of what was read where nothing is written.
template <int kIn, int kOut, bool kPast>
float loop(const float* const* in, float* const* out, std::size_t n) {
  constexpr std::size_t kAtOnce = kOut == 0 ? 4 : 1;  // an addition waits for the one before it
  Vector sum[kAtOnce] = {};
  const auto step = [&](std::size_t i, Vector& total) __attribute__((always_inline)) {
    Vector value = *reinterpret_cast<const Vector*>(in[0] + i);
#pragma GCC unroll 4
    for (int r = 1; r < kIn; ++r) value += 3.0f * *reinterpret_cast<const Vector*>(in[r] + i);
#pragma GCC unroll 4
    for (int w = 0; w < kOut; ++w) put<kPast>(out[w] + i, value);
    if (kOut == 0) total += value;
  };
  std::size_t i = 0;
  for (; i + kAtOnce * kLanes <= n; i += kAtOnce * kLanes) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kAtOnce; ++k) step(i + k * kLanes, sum[k]);
  }
  for (; i < n; i += kLanes) step(i, sum[0]);
  float total = 0;
  for (const Vector& part : sum) total += part[0];
  return total;
}

using Run = float (*)(const float* const*, float* const*, std::size_t);
constexpr int kMostIn = 4, kMostOut = 3, kKinds = kMostIn * (kMostOut + 1) * 2;
constexpr int kind_of(int in, int out, int past) { return ((in - 1) * (kMostOut + 1) + out) * 2 + past; }

template <int... kKind>
constexpr std::array<Run, kKinds> loops_of(std::integer_sequence<int, kKind...>) {
  return {loop<kKind / 2 / (kMostOut + 1) + 1, kKind / 2 % (kMostOut + 1), kKind % 2 == 1>...};
}
constexpr std::array<Run, kKinds> kLoops = loops_of(std::make_integer_sequence<int, kKinds>());

// Threads wait for each other after each loop, as after a kernel.
class Meeting {
 public:
  explicit Meeting(int threads) : threads_(threads) {}
  void wait() {
    const int round = round_.load();
    if (arrived_.fetch_add(1) + 1 == threads_) {
      arrived_ = 0;
      round_ = round + 1;
    } else {
      while (round_.load() == round) continue;
    }
  }

 private:
  const int threads_;
  std::atomic<int> arrived_{0}, round_{0};
};

}  // namespace

extern "C" {

// Bits of a vector register.
int vector_bits() { return static_cast<int>(kBytes * 8); }

// About so many floating-point operations, in equal parts on each thread. Returns how many there were.
double multiply_add(int threads, double operations) {
  constexpr double kRound = 2.0 * kChains * kLanes;
  const long rounds = static_cast<long>(operations / kRound / threads) + 1;
  std::vector<float> sink(static_cast<std::size_t>(threads) * 16);
  on_each(threads, [&](int rank) { sink[static_cast<std::size_t>(rank) * 16] = chains(rounds); });
  return sink[0] != 0 ? kRound * static_cast<double>(rounds) * threads : 0;
}

// So many instructions that do nothing, in equal parts on each thread. All that they need is to be fetched and issued,
// of which two threads on one core have half each.
void do_nothing(int threads, long instructions) {
  on_each(threads, [=](int) {
    for (long i = 0; i < instructions / 100 / threads; ++i) asm volatile(".rept 100\n\tnop\n\t.endr");
  });
}

// One loop: arrays read and written.
struct Loop {
  const float* in[kMostIn];
  float* out[kMostOut];
  int reads, writes, past;
};

// `times` rounds of the loops over n elements, a multiple of 16 for each thread.
void run_loops(int threads, const Loop* loops, int count, std::size_t n, int times) {
  const std::size_t share = n / static_cast<std::size_t>(threads);
  Meeting meeting(threads);
  on_each(threads, [&, share](int rank) {
    const std::size_t first = static_cast<std::size_t>(rank) * share;
    volatile float sink = 0;
    for (int i = 0; i < times * count; ++i) {
      const Loop& of = loops[i % count];
      const float* in[kMostIn] = {};
      float* out[kMostOut] = {};
      for (int r = 0; r < of.reads; ++r) in[r] = of.in[r] + first;
      for (int w = 0; w < of.writes; ++w) out[w] = of.out[w] + first;
      sink = kLoops[kind_of(of.reads, of.writes, of.past)](in, out, share);
      if (count > 1) meeting.wait();
    }
  });
}

}  // extern "C"
