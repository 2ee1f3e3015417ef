#include "kernels/dropout.hpp"

#include "kernels/normal.hpp"
#include "kernels/rows.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

constexpr int kBits = 16;                  // of a threshold
constexpr Index kTile = 32 * kGroupWords;  // elements whose bits are a group of words

// One bit for each element of a tile, 1 where it is dropped.
inline void dropped(std::uint32_t (&mask)[kGroupWords], Index tile, const std::uint64_t* state,
                    std::uint32_t threshold) {
  for (std::uint32_t& word : mask) word = threshold >> kBits ? ~0u : 0u;
  if (threshold == 0 || threshold >> kBits) return;
  Words random;
  for (int bit = std::countr_zero(threshold); bit < kBits; ++bit) {
    random_words(random, tile * kBits + (kBits - 1 - bit), state[0], state[1]);
    const std::uint32_t set = threshold >> bit & 1 ? ~0u : 0u;  // mask | word where set, else mask & word
    for (Index j = 0; j < 4; ++j) {
#pragma omp simd
      for (Index l = 0; l < kBlocks; ++l) {
        std::uint32_t& word = mask[j * kBlocks + l];
        word = (word & random.w[j][l]) | (set & (word | random.w[j][l]));
      }
    }
  }
}

template <class T>
void dropout(const Team& team, T* y, const T* x, const std::uint64_t* state, Index size, std::uint32_t threshold,
             T scale, T shift, T instead) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const Range mine = share(team, size, kTile);
  alignas(64) std::uint32_t mask[kGroupWords];
  for (Index first = mine.begin; first < mine.end; first += kTile) {
    dropped(mask, first / kTile, state, threshold);
    const Index end = min(first + kTile, mine.end);
    for (Index i = first; i < end; i += kLanes) {
      const Index place = i - first;
      const Bits bits = mask[place / 32] >> (place % 32);
      for_each_lane({i, min(i + kLanes, end)},
                    [=](Index k, Index l) { y[k] = bits & (Bits{1} << l) ? instead : fma(scale, x[k], shift); });
    }
  }
}

template <class T>
void gaussian(const Team& team, T* y, const T* x, const std::uint64_t* state, Index size, T std, bool factor) {
  const Range mine = share(team, size, kGroupWords);
  alignas(64) T noise[kGroupWords];
  const T* z = noise;
  Words words;
  for (Index first = mine.begin; first < mine.end; first += kGroupWords) {
    random_words(words, first / kGroupWords, state[0], state[1]);
    normal_group(noise, words, T{0}, T{1});
    T* to = y + first;
    const T* from = x + first;
    const Index count = min(kGroupWords, mine.end - first);
    if (factor) {
      for_each({0, count}, [=](Index i) { to[i] = from[i] * fma(std, z[i], T{1}); });
    } else {
      for_each({0, count}, [=](Index i) { to[i] = fma(std, z[i], from[i]); });
    }
  }
}

template <class T>
constexpr DropoutKernels<T> kTable{.dropout = dropout, .gaussian = gaussian};

}  // namespace

extern const DropoutKernels<float> dropout_f32;
extern const DropoutKernels<double> dropout_f64;
constinit const DropoutKernels<float> dropout_f32 = kTable<float>;
constinit const DropoutKernels<double> dropout_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
