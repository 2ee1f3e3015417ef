#include "kernels/optim_adaptive.hpp"

#include "kernels/optim_rule.hpp"
#include "kernels/power.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

template <int count>
struct Powers {
  double of[count];
};

// base^exponent of each base, for a whole exponent, by repeated squaring: nearly exact where the power is near 1, as in
// 1 − βᵗ. The factors that do not count are 1, since a branch on the bits of a step's number is guessed wrong half the
// time.
template <int count>
inline Powers<count> whole_powers(Powers<count> base, double exponent) {
  std::uint64_t n = exponent > 0 ? static_cast<std::uint64_t>(min(exponent, 9e15)) : 0;
  constexpr auto kOne = std::bit_cast<std::uint64_t>(1.0);
  Powers<count> result;
  for (double& power : result.of) power = 1;
  for (; n != 0; n >>= 1) {
    const auto counts = std::uint64_t{0} - (n & 1);
    for (int i = 0; i < count; ++i) {
      double& square = base.of[i];
      result.of[i] *= std::bit_cast<double>((counts & std::bit_cast<std::uint64_t>(square)) | (~counts & kOne));
      square *= square;
    }
  }
  return result;
}
inline double whole_power(double base, double exponent) { return whole_powers<1>({base}, exponent).of[0]; }

// What the Adam family shares: the decayed gradient and running averages of it and of its square.
template <class T>
struct Moments {
  Gradient<T> gradient;
  T keep, beta1, rest1, beta2, rest2, eps;

  template <class Hyper>
  Moments(const Hyper& h, bool decoupled)
      : gradient(h.maximize, decoupled ? 0 : h.weight_decay),
        keep(static_cast<T>(decoupled ? 1 - h.lr * h.weight_decay : 1)),
        beta1(static_cast<T>(h.beta1)),
        rest1(static_cast<T>(1 - h.beta1)),
        beta2(static_cast<T>(h.beta2)),
        rest2(static_cast<T>(1 - h.beta2)),
        eps(static_cast<T>(h.eps)) {}
  [[gnu::always_inline]] T first(const OptimSlot<T>& s, Index i, T g) const {
    return s.array[0][i] = beta1 * s.array[0][i] + rest1 * g;
  }
  [[gnu::always_inline]] T second(const OptimSlot<T>& s, Index i, T g) const {
    return s.array[1][i] = beta2 * s.array[1][i] + rest2 * (g * g);
  }
};

template <class T, bool amsgrad>
struct Adam : Counted {
  Moments<T> moments;
  T step_size, unbias;  // lr / (1 − β₁ᵗ), 1 / √(1 − β₂ᵗ)

  // Both powers at once, since the multiplications of each wait for each other.
  Adam(const AdamHyper& h, const Cells& cells) : moments(h, h.decoupled != 0) {
    const auto [power1, power2] = whole_powers<2>({h.beta1, h.beta2}, cells.value[0]).of;
    step_size = static_cast<T>(h.lr / (1 - power1));
    unbias = static_cast<T>(1 / sqrt(1 - power2));
  }
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T& p = s.param[i];
    const T g = moments.gradient(p, s.grad[i]), m = moments.first(s, i, g);
    T v = moments.second(s, i, g);
    if constexpr (amsgrad) v = s.array[2][i] = larger(s.array[2][i], v);
    p = moments.keep * p - step_size * (m / (sqrt(v) * unbias + moments.eps));
  }
};

template <class T>
void adam_step(const Team& team, const OptimSlot<T>* slots, Index count, const AdamHyper* hyper) {
  if (slots[0].array[2] != nullptr) {
    run_rule<Adam<T, true>>(team, slots, count, hyper);
  } else {
    run_rule<Adam<T, false>>(team, slots, count, hyper);
  }
}

template <class T>
struct Nadam {
  static constexpr int kCells = 2;
  Moments<T> moments;
  T of_gradient, of_average, unbias;

  static double mu(const NadamHyper& h, double t) { return h.beta1 * (1 - 0.5 * power(0.96, t * h.momentum_decay)); }
  Nadam(const NadamHyper& h, const Cells& cells) : moments(h, h.decoupled != 0) {
    const double t = cells.value[0], now = mu(h, t), next = mu(h, t + 1), product = cells.value[1];
    of_gradient = static_cast<T>(h.lr * (1 - now) / (1 - product));
    of_average = static_cast<T>(h.lr * next / (1 - product * next));
    unbias = static_cast<T>(1 / sqrt(1 - whole_power(h.beta2, t)));
  }
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T& p = s.param[i];
    const T g = moments.gradient(p, s.grad[i]), m = moments.first(s, i, g), v = moments.second(s, i, g);
    p = moments.keep * p - (of_gradient * g + of_average * m) / (sqrt(v) * unbias + moments.eps);
  }
  static void advance(const NadamHyper& h, Cells& cells) {
    cells.value[0] += 1;
    cells.value[1] *= mu(h, cells.value[0]);
  }
};

template <class T>
struct Radam : Counted {
  Moments<T> moments;
  T step_size, rectified;  // 0 or 1: the loop vectorises over a T, not over a bool

  Radam(const RadamHyper& h, const Cells& cells) : moments(h, h.decoupled != 0) {
    const double t = cells.value[0];
    const auto [power1, power2] = whole_powers<2>({h.beta1, h.beta2}, t).of;
    const double limit = 2 / (1 - h.beta2) - 1, length = limit - 2 * t * power2 / (1 - power2);
    double size = h.lr / (1 - power1);
    rectified = length > 5;
    if (length > 5)
      size *= sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)) * sqrt(1 - power2);
    step_size = static_cast<T>(size);
  }
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T& p = s.param[i];
    const T g = moments.gradient(p, s.grad[i]), m = moments.first(s, i, g), v = moments.second(s, i, g);
    const T root = sqrt(v) + moments.eps;
    p = moments.keep * p - step_size * (m / (rectified != T{0} ? root : T{1}));
  }
};

template <class T>
struct Adamax : Counted {
  Moments<T> moments;
  T step_size;

  Adamax(const AdamaxHyper& h, const Cells& cells)
      : moments(h, false), step_size(static_cast<T>(h.lr / (1 - whole_power(h.beta1, cells.value[0])))) {}
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T& p = s.param[i];
    const T g = moments.gradient(p, s.grad[i]), m = moments.first(s, i, g);
    const T u = larger(moments.beta2 * s.array[1][i], (g < T{0} ? -g : g) + moments.eps);
    s.array[1][i] = u;
    p = p - step_size * (m / u);
  }
};

template <class T>
struct Adagrad : Counted {
  Gradient<T> gradient;
  T lr, eps;

  Adagrad(const AdagradHyper& h, const Cells& cells)
      : gradient(h.maximize, h.weight_decay),
        lr(static_cast<T>(h.lr / (1 + (cells.value[0] - 1) * h.lr_decay))),
        eps(static_cast<T>(h.eps)) {}
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T& p = s.param[i];
    const T g = gradient(p, s.grad[i]), sum = s.array[0][i] + g * g;
    s.array[0][i] = sum;
    p = p - lr * (g / (sqrt(sum) + eps));
  }
};

template <class T>
struct Adadelta : Counted {
  Gradient<T> gradient;
  T lr, rho, rest, eps;

  Adadelta(const AdadeltaHyper& h, const Cells&)
      : gradient(h.maximize, h.weight_decay),
        lr(static_cast<T>(h.lr)),
        rho(static_cast<T>(h.rho)),
        rest(static_cast<T>(1 - h.rho)),
        eps(static_cast<T>(h.eps)) {}
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T &p = s.param[i], &square = s.array[0][i], &moved = s.array[1][i];
    const T g = gradient(p, s.grad[i]), v = rho * square + rest * (g * g);
    const T d = sqrt(moved + eps) / sqrt(v + eps) * g;
    square = v;
    moved = rho * moved + rest * (d * d);
    p = p - lr * d;
  }
};

template <class T, bool centered, bool buffered>
struct Rmsprop : Counted {
  Gradient<T> gradient;
  T lr, alpha, rest, eps, momentum;

  Rmsprop(const RmspropHyper& h, const Cells&)
      : gradient(h.maximize, h.weight_decay),
        lr(static_cast<T>(h.lr)),
        alpha(static_cast<T>(h.alpha)),
        rest(static_cast<T>(1 - h.alpha)),
        eps(static_cast<T>(h.eps)),
        momentum(static_cast<T>(h.momentum)) {}
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T& p = s.param[i];
    const T g = gradient(p, s.grad[i]);
    T v = s.array[0][i] = alpha * s.array[0][i] + rest * (g * g);
    if constexpr (centered) {
      const T a = s.array[1][i] = alpha * s.array[1][i] + rest * g;
      v = v - a * a;
    }
    T d = g / (sqrt(v) + eps);
    if constexpr (buffered) d = s.array[2][i] = momentum * s.array[2][i] + d;
    p = p - lr * d;
  }
};

template <class T>
void rmsprop_step(const Team& team, const OptimSlot<T>* slots, Index count, const RmspropHyper* hyper) {
  const bool buffered = slots[0].array[2] != nullptr;
  if (slots[0].array[1] != nullptr) {
    const auto step = buffered ? run_rule<Rmsprop<T, true, true>, T, RmspropHyper>
                               : run_rule<Rmsprop<T, true, false>, T, RmspropHyper>;
    return step(team, slots, count, hyper);
  }
  const auto step = buffered ? run_rule<Rmsprop<T, false, true>, T, RmspropHyper>
                             : run_rule<Rmsprop<T, false, false>, T, RmspropHyper>;
  step(team, slots, count, hyper);
}

template <class T>
constexpr OptimAdaptiveKernels<T> kTable{.adam = {run_advance<Adam<T, false>>, adam_step},
                                         .nadam = kernels_of<Nadam<T>, T, NadamHyper>,
                                         .radam = kernels_of<Radam<T>, T, RadamHyper>,
                                         .adamax = kernels_of<Adamax<T>, T, AdamaxHyper>,
                                         .adagrad = kernels_of<Adagrad<T>, T, AdagradHyper>,
                                         .adadelta = kernels_of<Adadelta<T>, T, AdadeltaHyper>,
                                         .rmsprop = {run_advance<Rmsprop<T, false, false>>, rmsprop_step}};

}  // namespace

extern const OptimAdaptiveKernels<float> optim_adaptive_f32;
extern const OptimAdaptiveKernels<double> optim_adaptive_f64;
constinit const OptimAdaptiveKernels<float> optim_adaptive_f32 = kTable<float>;
constinit const OptimAdaptiveKernels<double> optim_adaptive_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
