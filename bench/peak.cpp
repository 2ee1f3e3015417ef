// Measures what this machine can do: `peak THREADS` prints one JSON line with the fused multiply-add peak in GFLOP/s
// and the triad a = b + s*c in GB/s (12 bytes an element; the better of ordinary and streaming stores) over arrays of
// 4096×1024 and of 20 million floats. Build with: g++ -O3 -march=native -ffast-math -pthread
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
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

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <typename Body>
double timed(int threads, const Body& body) {
  const double start = now();
  std::vector<std::thread> team;
  for (int rank = 1; rank < threads; ++rank) team.emplace_back([&, rank] { body(rank); });
  body(0);
  for (std::thread& member : team) member.join();
  return now() - start;
}

// Twelve independent chains hide the latency of the multiply-add.
float multiply_add(long rounds) {
  constexpr int kChains = 12;
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

double fma_gflops(int threads) {
  constexpr long kRounds = 4'000'000;
  double best = 0;
  std::vector<float> sink(static_cast<std::size_t>(threads) * 16);
  for (int repeat = 0; repeat < 5; ++repeat) {
    const double seconds =
        timed(threads, [&](int rank) { sink[static_cast<std::size_t>(rank) * 16] = multiply_add(kRounds); });
    best = std::max(best, threads * 12.0 * 2.0 * kLanes * kRounds / seconds * 1e-9);
  }
  return best;
}

void triad(float* a, const float* b, const float* c, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) a[i] = b[i] + 3.0f * c[i];
}

void triad_streaming(float* a, const float* b, const float* c, std::size_t n) {
#if defined(__AVX__)
  const __m256 scale = _mm256_set1_ps(3.0f);
  for (std::size_t i = 0; i < n; i += 8)
    _mm256_stream_ps(a + i, _mm256_add_ps(_mm256_load_ps(b + i), _mm256_mul_ps(scale, _mm256_load_ps(c + i))));
#else
  triad(a, b, c, n);
#endif
}

double triad_gbs(int threads, std::size_t n) {
  n = n / (static_cast<std::size_t>(threads) * 16) * (static_cast<std::size_t>(threads) * 16);
  const auto array = [n] {
    auto* data = static_cast<float*>(std::aligned_alloc(64, n * sizeof(float)));
    if (data == nullptr) std::exit(1);
    std::fill_n(data, n, 1.0f);
    return std::unique_ptr<float, decltype(&std::free)>(data, &std::free);
  };
  const auto a = array(), b = array(), c = array();
  const std::size_t share = n / static_cast<std::size_t>(threads);
  double best = 0;
  for (const auto& kernel : {triad, triad_streaming}) {
    for (int repeat = 0; repeat < 6; ++repeat) {
      const double seconds = timed(threads, [&](int rank) {
        const std::size_t first = static_cast<std::size_t>(rank) * share;
        kernel(a.get() + first, b.get() + first, c.get() + first, share);
      });
      best = std::max(best, 12.0 * static_cast<double>(n) / seconds * 1e-9);
    }
  }
  return best;
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = count > 1 ? std::max(1, std::atoi(arguments[1])) : 1;
  std::printf(
      "{\"threads\": %d, \"bits\": %zu, \"fma_gflops\": %.1f, \"triad_gbs\": %.1f, \"triad_large_gbs\": %.1f}\n",
      threads, kBytes * 8, fma_gflops(threads), triad_gbs(threads, 4096 * 1024), triad_gbs(threads, 20'000'000));
}
