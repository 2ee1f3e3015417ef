// What this machine can do: fused multiply-adds in registers, and the triad a = b + s*c over arrays in memory.
// yardstick.py compiles it as a shared library.
#include <pthread.h>
#include <sched.h>

#include <cstddef>
#include <thread>
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
// thread for several milliseconds where its creator runs.
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
  const auto member = [&](int rank) {
    const OnCpu cpu(rank);
    body(rank);
  };
  std::vector<std::thread> team;
  for (int rank = 1; rank < threads; ++rank) team.emplace_back(member, rank);
  member(0);
  for (std::thread& one : team) one.join();
}

// Twelve independent chains hide the latency of the multiply-add.
constexpr int kChains = 12;
float chains(long rounds) {
  Vector chain[kChains];
  for (int i = 0; i < kChains; ++i) chain[i] = Vector{} + static_cast<float>(i);
  const Vector factor = Vector{} + 0.999f, term = Vector{} + 0.001f;
  for (long round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chain[i] = chain[i] * factor + term;
  }
  Vector sum{};
  for (const Vector& value : chain) sum += value;
  return sum[0];
}

void triad_of(float* a, const float* b, const float* c, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) a[i] = b[i] + 3.0f * c[i];
}

// Stores go past the caches, which need not read the lines first.
void triad_past(float* a, const float* b, const float* c, std::size_t n) {
#if defined(__AVX__)
  const __m256 scale = _mm256_set1_ps(3.0f);
  for (std::size_t i = 0; i < n; i += 8)
    _mm256_stream_ps(a + i, _mm256_add_ps(_mm256_load_ps(b + i), _mm256_mul_ps(scale, _mm256_load_ps(c + i))));
#else
  triad_of(a, b, c, n);
#endif
}

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

// `times` triads of n elements, a multiple of 16 for each thread, in arrays that begin at a cache line.
void triad(int threads, float* a, const float* b, const float* c, std::size_t n, int times, bool past) {
  const std::size_t share = n / static_cast<std::size_t>(threads);
  const auto kernel = past ? triad_past : triad_of;
  on_each(threads, [=](int rank) {
    const std::size_t first = static_cast<std::size_t>(rank) * share;
    for (int i = 0; i < times; ++i) kernel(a + first, b + first, c + first, share);
  });
}

}  // extern "C"
