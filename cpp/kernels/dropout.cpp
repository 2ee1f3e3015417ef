#include "kernels/dropout.hpp"

#include "kernels/normal.hpp"
#include "kernels/writer.hpp"

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

// What becomes of elements of one tile.
template <class T>
struct Dropping {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

  alignas(64) std::uint32_t mask[kGroupWords];
  T scale, shift, instead;

  // A function of l for element i + l of the tile, which is at x[l], up to the next multiple of kLanes.
  [[gnu::always_inline]] auto from(const T* x, Index i) const {
    const Bits bits = mask[i / 32] >> (i % 32);
    return [=, factor = scale, term = shift, other = instead](Index l) {
      return bits & (Bits{1} << l) ? other : fma(factor, x[l], term);
    };
  }

  // All elements; those of the next tile are called meanwhile, since the words of a tile take so long that the
  // hardware no longer does it.
  template <bool kPast>
  void whole(T* y, const T* x) const {
    for (Index i = 0; i < kTile; i += kLanes) {
      call_block(x + i, kTile);
      T lane[kLanes];
      const auto value = from(x + i, i);
#pragma omp simd
      for (Index l = 0; l < kLanes; ++l) lane[l] = value(l);
      if constexpr (kPast) {
        copy_lanes_past(y + i, lane);
      } else {
        std::memcpy(y + i, lane, sizeof(lane));
      }
    }
  }

  // Those in [range.begin, range.end), the first of which is at y and x.
  void some(T* y, const T* x, Range range) const {
    for (Index i = range.begin; i < range.end;) {
      const Index next = min((i / kLanes + 1) * kLanes, range.end);
      for_each({0, next - i}, [to = y, value = from(x, i)](Index l) { to[l] = value(l); });
      y += next - i;
      x += next - i;
      i = next;
    }
  }
};

template <class T>
void dropout(const Team& team, T* y, const T* x, const std::uint64_t* state, Index before, Index size,
             std::uint32_t threshold, T scale, T shift, T instead) {
  // Places are counted from the beginning of the whole array, and so are tiles and the blocks of lanes in them.
  const Index begin = before / kTile * kTile, last = before + size;
  const Range mine = share(team, last - begin, kTile);
  const Writer<T> write(mine.end - mine.begin, kTile, y != x);
  const bool past = write.past(y + (round_up(before, kLanes) - before));
  Dropping<T> dropping{{}, scale, shift, instead};
  for (Index tile = begin + mine.begin; tile < begin + mine.end; tile += kTile) {
    dropped(dropping.mask, tile / kTile, state, threshold);
    const Index first = max(tile, before), end = min(tile + kTile, last);
    T* to = y + (first - before);
    const T* from = x + (first - before);
    if (end - first < kTile) {
      dropping.some(to, from, {first - tile, end - tile});
    } else if (past) {
      dropping.template whole<true>(to, from);
    } else {
      dropping.template whole<false>(to, from);
    }
  }
}

template <class T>
void gaussian(const Team& team, T* y, const T* x, const std::uint64_t* state, Index before, Index size, T std,
              bool factor) {
  const Index begin = before / kGroupWords * kGroupWords, last = before + size;  // as in dropout
  const Range mine = share(team, last - begin, kGroupWords);
  alignas(64) T noise[kGroupWords];
  Words words;
  for (Index group = begin + mine.begin; group < begin + mine.end; group += kGroupWords) {
    random_words(words, group / kGroupWords, state[0], state[1]);
    normal_group(noise, words, T{0}, T{1});
    const Index first = max(group, before), count = min(group + kGroupWords, last) - first;
    const T *z = noise + (first - group), *from = x + (first - before);
    T* to = y + (first - before);
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
