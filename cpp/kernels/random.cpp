#include "kernels/random.hpp"

#include "kernels/normal.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

// 53 random bits as a whole number.
inline double bits53(std::uint32_t a, std::uint32_t b) {
  return to_float<double>(a >> 5) * 67108864.0 + to_float<double>(b >> 6);
}

// Writes map(words) for this member's share of the groups; a group gives kGroupWords words, `out` takes the same bytes.
template <class T, class Map>
inline void fill(const Team& team, T* out, Index size, std::uint64_t seed, std::uint64_t stream, Map map) {
  constexpr Index kGroup = kGroupWords * static_cast<Index>(sizeof(std::uint32_t)) / static_cast<Index>(sizeof(T));
  const Range mine = share(team, size, kGroup);
  Words words;
  Index i = mine.begin;
  for (; i + kGroup <= mine.end; i += kGroup) {
    random_words(words, i / kGroup, seed, stream);
    map(out + i, words);
  }
  if (i < mine.end) {
    T rest[kGroup];
    random_words(words, i / kGroup, seed, stream);
    map(rest, words);
    for (Index k = 0; i + k < mine.end; ++k) out[i + k] = rest[k];
  }
}

// The largest number below x.
template <class T>
inline T below(T x) {
  using Bits = typename RandomMath<T>::Bits;
  const auto bits = __builtin_bit_cast(Bits, x);
  if (x == T(0)) return -__builtin_bit_cast(T, Bits{1} << RandomMath<T>::kMantissa);  // denormals are flushed
  return __builtin_bit_cast(T, x > T(0) ? bits - 1 : bits + 1);
}

template <class T>
void uniform(const Team& team, T* out, Index size, std::uint64_t seed, std::uint64_t stream, T low, T high) {
  const T width = high - low, top = low < high ? below(high) : low;  // low + u · width can round up to high
  fill(team, out, size, seed, stream, [=](T* to, const Words& words) {
    constexpr Index kRows = sizeof(T) == 4 ? 4 : 2;
    for (Index j = 0; j < kRows; ++j) {
#pragma omp simd
      for (Index l = 0; l < kBlocks; ++l) {
        T unit;
        if constexpr (sizeof(T) == 4) {
          unit = to_float<float>(words.w[j][l] >> 8) * 0x1p-24f;
        } else {
          unit = bits53(words.w[2 * j][l], words.w[2 * j + 1][l]) * 0x1p-53;
        }
        const T value = low + unit * width;
        to[j * kBlocks + l] = value < top ? value : top;
      }
    }
  });
}

template <class T>
void uniform_from(const Team& team, T* out, const std::uint64_t* state, Index size, T low, T high) {
  uniform(team, out, size, state[0], state[1], low, high);
}

template <class T>
void normal(const Team& team, T* out, Index size, std::uint64_t seed, std::uint64_t stream, T mean, T std) {
  fill(team, out, size, seed, stream, [=](T* to, const Words& words) {
    if constexpr (sizeof(T) == 4) {
      normal_group(to, words, mean, std);
    } else {
#pragma omp simd
      for (Index l = 0; l < kBlocks; ++l) {
        const std::uint32_t turn = words.w[2][l], rest = words.w[3][l];
        const double u = (bits53(words.w[0][l], words.w[1][l]) + 0.5) * 0x1p-53;
        const double x =
            (to_float<double>(turn << 2) + to_float<double>(rest >> 1) * 0x1p-29) * (kQuarterTurn * 0x1p-32);
        box_muller(to + l, to + kBlocks + l, u, x, turn, mean, std);
      }
    }
  });
}

// The words of a fill one after the other.
class WordStream {
 public:
  WordStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  // Uniform in [0, range) without modulo bias: multiply and reject (Lemire 2019).
  std::uint32_t below(std::uint32_t range) {
    std::uint64_t product = std::uint64_t{next()} * range;
    if (static_cast<std::uint32_t>(product) < range) {
      const std::uint32_t threshold = (0u - range) % range;
      while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{next()} * range;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  std::uint32_t next() {
    if (at_ == kGroupWords) {
      random_words(words_, group_++, seed_, stream_);
      at_ = 0;
    }
    const Index at = at_++;
    return words_.w[at / kBlocks][at % kBlocks];
  }

  Words words_;
  std::uint64_t seed_, stream_;
  Index group_ = 0, at_ = kGroupWords;
};

// Fisher and Yates's shuffle in Durstenfeld's order, inside out: it writes 0 … size-1 as it goes.
void permutation(const Team& team, std::int64_t* out, Index size, std::uint64_t seed, std::uint64_t stream) {
  if (team.rank != 0 || size == 0) return;
  WordStream words(seed, stream);
  out[0] = 0;
  for (Index i = 1; i < size; ++i) {
    const Index j = words.below(static_cast<std::uint32_t>(i + 1));
    out[i] = out[j];
    out[j] = i;
  }
}

void philox(const Team& team, std::uint32_t* out, const std::uint32_t* counter, const std::uint32_t* key, Index N) {
  const Range mine = share(team, N, kBlocks);
  for (Index n = mine.begin; n < mine.end; n += kBlocks) {
    const Index blocks = min(kBlocks, mine.end - n);
    Words words{};
    for (Index i = 0; i < 4 * blocks; ++i) words.w[i % 4][i / 4] = counter[4 * n + i];
    philox_rounds(words, key[0], key[1]);
    for (Index i = 0; i < 4 * blocks; ++i) out[4 * n + i] = words.w[i % 4][i / 4];
  }
}

// Atomic, since a replay takes streams without the GIL.
void take_stream(const Team& team, std::uint64_t* state, std::uint64_t* cell) {
  if (team.rank != 0) return;
  state[0] = __atomic_load_n(&cell[0], __ATOMIC_RELAXED);
  state[1] = __atomic_fetch_add(&cell[1], 1, __ATOMIC_RELAXED);
}

}  // namespace

extern const RandomKernels<float> random_f32;
extern const RandomKernels<double> random_f64;
constinit const RandomKernels<float> random_f32{uniform<float>,      normal<float>, permutation,
                                                uniform_from<float>, philox,        take_stream};
constinit const RandomKernels<double> random_f64{uniform<double>,      normal<double>, permutation,
                                                 uniform_from<double>, philox,         take_stream};

}  // namespace nnative::NNATIVE_ISA
