// Results that are written once: past the caches where they are so large that no cache would keep them.
#pragma once

#include "kernels/rows.hpp"

#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace nnative {
namespace {

// An ordinary store reads the line it writes to from memory first. One past the caches does not, but whoever reads the
// result has to fetch it again: it pays where a member writes so many bytes, in runs of at least so many.
constexpr Index kPastBytes = Index{1} << 22, kPastRun = 2048;

// `to` lies at a cache line.
#if defined(__AVX512F__)
constexpr bool kStreams = true;
template <class T>
[[gnu::always_inline]] inline void copy_lanes_past(T* to, const T (&lane)[kLanes]) {
  constexpr Index width = 64 / sizeof(T);
  for (Index l = 0; l < kLanes; l += width)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to + l), _mm512_loadu_si512(lane + l));
}
#elif defined(__AVX__)
constexpr bool kStreams = true;
template <class T>
[[gnu::always_inline]] inline void copy_lanes_past(T* to, const T (&lane)[kLanes]) {
  constexpr Index width = 32 / sizeof(T);
  for (Index l = 0; l < kLanes; l += width)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + l),
                        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lane + l)));
}
#else
constexpr bool kStreams = false;  // a second loop in every kernel, for machines that are slow in other ways
template <class T>
inline void copy_lanes_past(T*, const T (&)[kLanes]) {}
#endif

template <class T>
class Writer {
 public:
  // A member that writes `size` elements, `run` of them at a time; `fresh` unless they take the place of what it reads.
  Writer(Index size, Index run, bool fresh)
      : past_(kStreams && fresh && size * static_cast<Index>(sizeof(T)) >= kPastBytes &&
              run * static_cast<Index>(sizeof(T)) >= kPastRun) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
#if defined(__AVX__)
    if (past_) _mm_sfence();  // no barrier or lock orders these stores
#endif
  }

  // y[i] = f(i) for each i of the range. What f reads of from[i] … is called ahead where y goes past the caches.
  template <class F, class... From>
  [[gnu::always_inline]] void operator()(T* y, Range range, F f, const From*... from) const {
    Range whole{range.end, range.end};  // lines
    if (kStreams && past_) {
      whole.begin = min(range.begin + elements_ahead(y + range.begin), range.end);
      whole.end = whole.begin + (range.end - whole.begin) / kLanes * kLanes;
      // Each line when it is computed: blocks of lines would let reading and writing wait for each other.
      for (Index i = whole.begin; i < whole.end; i += kLanes) {
        (call_block(from + i, kCalledBytes / Index{sizeof(From)}), ...);
        T lane[kLanes];
#pragma omp simd
        for (Index l = 0; l < kLanes; ++l) lane[l] = f(i + l);
        copy_lanes_past(y + i, lane);
      }
    }
    // What lies before and behind them, by one piece of code.
    const Range around[] = {{range.begin, whole.begin}, {whole.end, range.end}};
    for (const Range& rest : around) for_each(rest, [=](Index i) __attribute__((always_inline)) { y[i] = f(i); });
  }

  // The same but for element t, which the caller writes: a store to a line that has just gone past the caches waits for
  // memory.
  template <class F>
  [[gnu::always_inline]] void around(T* y, Range range, Index t, F f) const {
    if (kStreams && past_) {
      (*this)(y, {range.begin, t}, f);
      range.begin = t + 1;
    }
    (*this)(y, range, f);
  }

  // Whether blocks of kLanes elements that begin at a multiple of kLanes are written by copy_lanes_past.
  bool past(const T* y) const { return kStreams && past_ && elements_ahead(y) == 0; }

 private:
  static Index elements_ahead(const T* y) {
    return static_cast<Index>(-reinterpret_cast<std::uintptr_t>(y) % 64 / sizeof(T));
  }

  const bool past_;
};

// y[i] = f(i) for this member's share of `size` elements; `fresh` and `from` as above.
template <class T, class F, class... From>
[[gnu::always_inline]] inline void write_share(const Team& team, T* y, Index size, bool fresh, F f,
                                               const From*... from) {
  const Range mine = share(team, size, kLanes);
  const Writer<T> write(mine.end - mine.begin, mine.end - mine.begin, fresh);
  write(y, mine, f, from...);
}

}  // namespace
}  // namespace nnative
