#include "kernels/optim.hpp"

#include "kernels/optim_rule.hpp"
#include "kernels/power.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

template <class T>
struct PlainSgd : Counted {
  Gradient<T> gradient;
  T lr;

  PlainSgd(const SgdHyper& h, const Cells&) : gradient(h.maximize, h.weight_decay), lr(static_cast<T>(h.lr)) {}
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T& p = s.param[i];
    p = p - lr * gradient(p, s.grad[i]);
  }
};

template <class T>
struct MomentumSgd : Counted {
  Gradient<T> gradient;
  T lr, momentum, undamped;
  T first, nesterov;  // 0 or 1: the loop vectorises over a T, not over a bool

  MomentumSgd(const SgdHyper& h, const Cells& cells)
      : gradient(h.maximize, h.weight_decay),
        lr(static_cast<T>(h.lr)),
        momentum(static_cast<T>(h.momentum)),
        undamped(static_cast<T>(1 - h.dampening)),
        first(cells.value[0] == 1),
        nesterov(h.nesterov != 0) {}
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T& p = s.param[i];
    const T g = gradient(p, s.grad[i]), running = momentum * s.array[0][i] + undamped * g;
    const T v = first != T{0} ? g : running, ahead = g + momentum * v;
    s.array[0][i] = v;
    p = p - lr * (nesterov != T{0} ? ahead : v);
  }
};

template <class T>
void sgd_step(const Team& team, const OptimSlot<T>* slots, Index count, const SgdHyper* hyper) {
  if (slots[0].array[0] != nullptr) {
    run_rule<MomentumSgd<T>>(team, slots, count, hyper);
  } else {
    run_rule<PlainSgd<T>>(team, slots, count, hyper);
  }
}

template <class T>
struct Asgd {
  static constexpr int kCells = 5;
  Gradient<T> gradient;
  T keep, eta, mu;

  Asgd(const AsgdHyper& h, const Cells& cells)
      : gradient(h.maximize, h.weight_decay),
        keep(static_cast<T>(1 - h.lambd * cells.value[3])),
        eta(static_cast<T>(cells.value[3])),
        mu(static_cast<T>(cells.value[4])) {}
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    const T p = keep * s.param[i] - eta * gradient(s.param[i], s.grad[i]);
    T& average = s.array[0][i];
    average = mu == T{1} ? p : average + mu * (p - average);
    s.param[i] = p;
  }
  static void advance(const AsgdHyper& h, Cells& cells) {
    const double t = cells.value[0] + 1;
    const double eta = cells.value[1], mu = cells.value[2];
    cells = {{t, h.lr / power(1 + h.lambd * h.lr * t, h.alpha), 1 / max(1.0, t - h.t0), eta, mu}};
  }
};

template <class T>
struct Rprop : Counted {
  Gradient<T> gradient;
  T minus, plus, least, most;

  Rprop(const RpropHyper& h, const Cells&)
      : gradient(h.maximize, 0),
        minus(static_cast<T>(h.eta_minus)),
        plus(static_cast<T>(h.eta_plus)),
        least(static_cast<T>(h.step_min)),
        most(static_cast<T>(h.step_max)) {}
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    const T g = gradient(T{0}, s.grad[i]), agreement = g * s.array[0][i];
    const T shrunk = agreement < T{0} ? minus : T{1};
    const T size = s.array[1][i] * (agreement > T{0} ? plus : shrunk);
    const T raised = size < least ? least : size, step = raised > most ? most : raised;
    const T kept = agreement < T{0} ? T{0} : g;
    s.array[0][i] = kept;
    s.array[1][i] = step;
    const T p = s.param[i], up = kept < T{0} ? p + step : p;  // NaN moves nothing, as in PyTorch
    s.param[i] = kept > T{0} ? p - step : up;
  }
};

template <class T>
struct Lion : Counted {
  Gradient<T> gradient;
  T lr, keep, beta1, rest1, beta2, rest2;

  Lion(const LionHyper& h, const Cells&)
      : gradient(h.maximize, 0),
        lr(static_cast<T>(h.lr)),
        keep(static_cast<T>(1 - h.lr * h.weight_decay)),
        beta1(static_cast<T>(h.beta1)),
        rest1(static_cast<T>(1 - h.beta1)),
        beta2(static_cast<T>(h.beta2)),
        rest2(static_cast<T>(1 - h.beta2)) {}
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T& m = s.array[0][i];
    const T g = gradient(T{0}, s.grad[i]);
    s.param[i] = keep * s.param[i] - lr * sign_of(beta1 * m + rest1 * g);
    m = beta2 * m + rest2 * g;
  }
};

template <class T>
struct Ftrl : Counted {
  Gradient<T> gradient;
  T inverse, beta, l1, l2;

  Ftrl(const FtrlHyper& h, const Cells&)
      : gradient(h.maximize, 0),
        inverse(static_cast<T>(1 / h.lr)),
        beta(static_cast<T>(h.beta)),
        l1(static_cast<T>(h.l1)),
        l2(static_cast<T>(h.l2)) {}
  [[gnu::always_inline]] void operator()(const OptimSlot<T>& s, Index i) const {
    T &p = s.param[i], &z = s.array[0][i], &n = s.array[1][i];
    const T g = gradient(T{0}, s.grad[i]), total = n + g * g, root = sqrt(total), roots = root + sqrt(n);
    const T growth = roots > T{0} ? g * g / roots : T{0};  // root − √n, without its cancellation
    const T sum = z + g - growth * inverse * p;
    const T beyond = sum - sign_of(sum) * l1, size = sum < T{0} ? -sum : sum;
    const T moved = -(beyond / ((beta + root) * inverse + l2));
    p = size <= l1 ? T{0} : moved;
    z = sum;
    n = total;
  }
};

template <class T>
constexpr OptimKernels<T> kTable{.sgd = {run_advance<MomentumSgd<T>>, sgd_step},
                                 .asgd = kernels_of<Asgd<T>, T, AsgdHyper>,
                                 .rprop = kernels_of<Rprop<T>, T, RpropHyper>,
                                 .lion = kernels_of<Lion<T>, T, LionHyper>,
                                 .ftrl = kernels_of<Ftrl<T>, T, FtrlHyper>};

}  // namespace

extern const OptimKernels<float> optim_f32;
extern const OptimKernels<double> optim_f64;
constinit const OptimKernels<float> optim_f32 = kTable<float>;
constinit const OptimKernels<double> optim_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
