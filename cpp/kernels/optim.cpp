#include "kernels/optim.hpp"

#include "kernels/simd.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

// Calls update(slot, begin, end) for this member's share of all elements of all slots laid end to end, a block at a
// time. Another core has read the parameters: their lines are asked for one block before they are written.
template <class T, class Update>
inline void for_share(const Team& team, const OptimSlot<T>* slots, Index count, Update update) {
  constexpr Index kGrain = 256;
  Index total = 0;
  for (Index i = 0; i < count; ++i) total += slots[i].rows * slots[i].row;
  const Range mine = share(team, total, kGrain);
  Index start = 0;
  for (Index i = 0; i < count && start < mine.end; ++i) {
    const Index size = slots[i].rows * slots[i].row;
    const Index begin = max(mine.begin - start, Index{0}), end = min(mine.end - start, size);
    for (Index block = begin; block < end; block += kGrain) {
      const Index next = block + kGrain;
      for (Index ahead = next; ahead < min(next + kGrain, end); ahead += 64 / static_cast<Index>(sizeof(T)))
        __builtin_prefetch(slots[i].param + ahead, 1);
      update(slots[i], block, min(next, end));
    }
    start += size;
  }
}

void advance(const Team& team, const OptimCount* counts, Index count) {
  const Range mine = share(team, count);
  for (Index i = mine.begin; i < mine.end; ++i) *counts[i].step += 1;
}

// base^exponent for a whole exponent, by repeated squaring: the same bits everywhere, unlike a library's pow.
inline double power(double base, double exponent) {
  std::uint64_t n = exponent > 0 ? static_cast<std::uint64_t>(min(exponent, 9e15)) : 0;
  double result = 1;
  for (; n != 0; n >>= 1, base *= base) {
    if (n & 1) result *= base;
  }
  return result;
}

enum class Momentum { none, first, running };

template <class T>
struct SgdFactors {
  T lr, momentum, undamped, weight_decay, sign;
};

template <class T, bool decay, Momentum momentum, bool nesterov>
inline void sgd_range(const OptimSlot<T>& slot, Index begin, Index end, const SgdFactors<T>& factors) {
  const SgdFactors<T> f = factors;
  T* const p = slot.param;
  const T* const grad = slot.grad;
  T* const buffer = slot.state0;
#pragma omp simd
  for (Index i = begin; i < end; ++i) {
    T g = f.sign * grad[i];
    if constexpr (decay) g = g + f.weight_decay * p[i];
    if constexpr (momentum != Momentum::none) {
      const T b = momentum == Momentum::first ? g : f.momentum * buffer[i] + f.undamped * g;
      buffer[i] = b;
      g = nesterov ? g + f.momentum * b : b;
    }
    p[i] = p[i] - f.lr * g;
  }
}

template <class T>
using SgdRange = void (*)(const OptimSlot<T>&, Index, Index, const SgdFactors<T>&);

template <class T, bool decay>
inline SgdRange<T> sgd_variant(Momentum momentum, bool nesterov) {
  if (momentum == Momentum::none) return sgd_range<T, decay, Momentum::none, false>;
  if (momentum == Momentum::first)
    return nesterov ? sgd_range<T, decay, Momentum::first, true> : sgd_range<T, decay, Momentum::first, false>;
  return nesterov ? sgd_range<T, decay, Momentum::running, true> : sgd_range<T, decay, Momentum::running, false>;
}

template <class T>
void sgd_step(const Team& team, const OptimSlot<T>* slots, Index count, const SgdHyper* hyper) {
  const SgdHyper h = *hyper;
  const SgdFactors<T> factors{static_cast<T>(h.lr), static_cast<T>(h.momentum), static_cast<T>(1 - h.dampening),
                              static_cast<T>(h.weight_decay), h.maximize != 0 ? T(-1) : T(1)};
  for_share(team, slots, count, [&](const OptimSlot<T>& slot, Index begin, Index end) {
    Momentum momentum = Momentum::none;
    if (h.momentum != 0) momentum = *slot.step == 1 ? Momentum::first : Momentum::running;
    const auto range = h.weight_decay != 0 ? sgd_variant<T, true>(momentum, h.nesterov != 0)
                                           : sgd_variant<T, false>(momentum, h.nesterov != 0);
    range(slot, begin, end, factors);
  });
}

template <class T>
struct AdamFactors {
  T beta1, rest1, beta2, rest2, eps, weight_decay, keep, sign;
  T step_size, unbias;  // lr / (1 − β₁ᵗ), 1 / √(1 − β₂ᵗ)
};

template <class T, bool coupled>
inline void adam_range(const OptimSlot<T>& slot, Index begin, Index end, const AdamFactors<T>& factors) {
  const AdamFactors<T> f = factors;
  T* const param = slot.param;
  const T* const grad = slot.grad;
  T* const exp_avg = slot.state0;
  T* const exp_avg_sq = slot.state1;
#pragma omp simd
  for (Index i = begin; i < end; ++i) {
    T g = f.sign * grad[i];
    if constexpr (coupled) g = g + f.weight_decay * param[i];
    const T m = f.beta1 * exp_avg[i] + f.rest1 * g;
    const T v = f.beta2 * exp_avg_sq[i] + f.rest2 * (g * g);
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
    param[i] = f.keep * param[i] - f.step_size * (m / (sqrt(v) * f.unbias + f.eps));
  }
}

template <class T>
void adam_step(const Team& team, const OptimSlot<T>* slots, Index count, const AdamHyper* hyper) {
  const AdamHyper h = *hyper;
  const bool coupled = h.weight_decay != 0 && h.decoupled == 0;
  AdamFactors<T> f{static_cast<T>(h.beta1),
                   static_cast<T>(1 - h.beta1),
                   static_cast<T>(h.beta2),
                   static_cast<T>(1 - h.beta2),
                   static_cast<T>(h.eps),
                   static_cast<T>(h.weight_decay),
                   static_cast<T>(h.decoupled != 0 ? 1 - h.lr * h.weight_decay : 1),
                   h.maximize != 0 ? T(-1) : T(1),
                   T(0),
                   T(0)};
  double corrected = -1;  // the step that the corrections belong to: slots of a group mostly share theirs
  for_share(team, slots, count, [&](const OptimSlot<T>& slot, Index begin, Index end) {
    const double step = *slot.step;
    if (step != corrected) {
      corrected = step;
      f.step_size = static_cast<T>(h.lr / (1 - power(h.beta1, step)));
      f.unbias = static_cast<T>(1 / sqrt(1 - power(h.beta2, step)));
    }
    if (coupled) {
      adam_range<T, true>(slot, begin, end, f);
    } else {
      adam_range<T, false>(slot, begin, end, f);
    }
  });
}

}  // namespace

extern const OptimKernels<float> optim_f32;
extern const OptimKernels<double> optim_f64;
constinit const OptimKernels<float> optim_f32{advance, sgd_step<float>, adam_step<float>};
constinit const OptimKernels<double> optim_f64{advance, sgd_step<double>, adam_step<double>};

}  // namespace nnative::NNATIVE_ISA
