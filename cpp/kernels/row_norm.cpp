#include "kernels/row_norm.hpp"

#include "kernels/moments.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

// The place `n` elements on, nowhere for nowhere.
template <class T>
inline T* offset(T* p, Index n) {
  return p == nullptr ? nullptr : p + n;
}

// Mean and 1/√(variance + eps)
template <class T>
inline Two<T> scale_of(const T* x, Index n, T eps) {
  const Two<T> m = row_moments(x, n);
  return {m.first, T{1} / sqrt(fma(m.second, T{1} / static_cast<T>(n), eps))};
}

template <class T>
inline T inverse_root_mean_square(const T* x, Index n, T eps) {
  const T* upper = x + n / 2;
  const Two<T> halves = two_sums<T>(n / 2, [=](Index i) { return Two<T>{x[i] * x[i], upper[i] * upper[i]}; });
  const T sum = halves.first + halves.second + (n % 2 ? x[n - 1] * x[n - 1] : T{0});
  return T{1} / sqrt(fma(sum, T{1} / static_cast<T>(n), eps));
}

// y (D,S) = (x − mean) · invstd · weight (D) + bias (D)
template <class T>
inline void normalise(T* y, const T* x, const T* weight, const T* bias, Index D, Index S, T mean, T invstd) {
  if (S != 1) {
    for (Index d = 0; d < D; ++d) {
      const T factor = weight == nullptr ? invstd : weight[d] * invstd, base = bias == nullptr ? T{0} : bias[d];
      for_each({d * S, (d + 1) * S}, [=](Index i) { y[i] = fma(x[i] - mean, factor, base); });
    }
  } else if (weight == nullptr) {
    for_each({0, D}, [=](Index d) { y[d] = (x[d] - mean) * invstd; });
    if (bias != nullptr) for_each({0, D}, [=](Index d) { y[d] += bias[d]; });
  } else if (bias == nullptr) {
    for_each({0, D}, [=](Index d) { y[d] = (x[d] - mean) * invstd * weight[d]; });
  } else {
    for_each({0, D}, [=](Index d) { y[d] = fma((x[d] - mean) * invstd, weight[d], bias[d]); });
  }
}

template <class T>
void row_norm_forward(const Team& team, T* y, T* mean, T* invstd, const T* x, const T* weight, const T* bias, Index N,
                      Index G, Index D, Index S, T eps) {
  const Index length = D * S;
  const Range mine = share_rows<T>(team, N * G, length);
  for (Index row = mine.begin; row < mine.end; ++row) {
    const T* from = x + row * length;
    const Two<T> m =
        mean == nullptr ? Two<T>{T{0}, inverse_root_mean_square(from, length, eps)} : scale_of(from, length, eps);
    if (mean != nullptr) mean[row] = m.first;
    invstd[row] = m.second;
    const Index channel = row % G * D;
    normalise(y + row * length, from, offset(weight, channel), offset(bias, channel), D, S, m.first, m.second);
  }
}

// Samples whose dweight and dbias are summed up before they are added to others'.
inline Index piece_size(Index N, Index S) { return S != 1 ? 1 : min<Index>(64, max<Index>(8, ceil_div(N, 32))); }

template <class T>
Scratch row_norm_scratch(Index N, Index G, Index D, Index S) {
  const Index pieces = ceil_div(N, piece_size(N, S));
  return {.shared = static_cast<std::size_t>(2 * pieces * G * D) * sizeof(T), .own = 0};
}

// One group of one sample: dx (D,S), which may be null, and what it adds to dweight and dbias (D) of its piece, which
// may be null.
template <class T>
struct Group {
  T* dx;
  const T *dy, *x, *weight;
  T mean, invstd;
  bool centred;
};

// dx = invstd · (g − shift − (x − mean) · slope), shift and slope from Σ g and Σ g · (x − mean)
template <class T>
inline void input_gradient(const Group<T>& group, Two<T> sum, Index D, Index S) {
  const T inverse = T{1} / static_cast<T>(D * S), mean = group.mean, invstd = group.invstd;
  const T shift = group.centred ? sum.first * inverse : T{0}, slope = invstd * invstd * (sum.second * inverse);
  T* dx = group.dx;
  const T *dy = group.dy, *x = group.x, *weight = group.weight;
  if (S != 1) {
    for (Index d = 0; d < D; ++d) {
      const T factor = weight == nullptr ? T{1} : weight[d];
      for_each({d * S, (d + 1) * S},
               [=](Index i) { dx[i] = invstd * fma(mean - x[i], slope, fma(dy[i], factor, -shift)); });
    }
  } else if (weight == nullptr) {
    for_each({0, D}, [=](Index d) { dx[d] = invstd * fma(mean - x[d], slope, dy[d] - shift); });
  } else {
    for_each({0, D}, [=](Index d) { dx[d] = invstd * fma(mean - x[d], slope, fma(dy[d], weight[d], -shift)); });
  }
}

// A group whose channels have one element each.
template <class T>
inline void flat_gradient(const Group<T>& group, T* dweight, T* dbias, Index D) {
  const T *dy = group.dy, *x = group.x, *weight = group.weight, mean = group.mean, invstd = group.invstd;
  if (group.dx != nullptr) {
    const auto sum = weight == nullptr ? two_sums<T>(D, [=](Index d) { return Two<T>{dy[d], dy[d] * (x[d] - mean)}; })
                                       : two_sums<T>(D, [=](Index d) {
                                           const T g = dy[d] * weight[d];
                                           return Two<T>{g, g * (x[d] - mean)};
                                         });
    input_gradient(group, sum, D, 1);
  }
  if (dweight != nullptr)
    for_each({0, D}, [=](Index d) { dweight[d] = fma(dy[d], (x[d] - mean) * invstd, dweight[d]); });
  if (dbias != nullptr) for_each({0, D}, [=](Index d) { dbias[d] += dy[d]; });
}

// The same with S elements a channel; it is a piece of its own.
template <class T>
inline void deep_gradient(const Group<T>& group, T* dweight, T* dbias, Index D, Index S) {
  Two<T> sum{};
  for (Index d = 0; d < D; ++d) {
    const T *dy = group.dy + d * S, *x = group.x + d * S, mean = group.mean;
    const Two<T> channel = two_sums<T>(S, [=](Index i) { return Two<T>{dy[i], dy[i] * (x[i] - mean)}; });
    if (dweight != nullptr) dweight[d] = channel.second * group.invstd;
    if (dbias != nullptr) dbias[d] = channel.first;
    const T factor = group.weight == nullptr ? T{1} : group.weight[d];
    sum = {fma(factor, channel.first, sum.first), fma(factor, channel.second, sum.second)};
  }
  if (group.dx != nullptr) input_gradient(group, sum, D, S);
}

template <class T>
void row_norm_backward(const Team& team, T* dx, T* dweight, T* dbias, const T* dy, const T* x, const T* mean,
                       const T* invstd, const T* weight, Index N, Index G, Index D, Index S) {
  const Index channels = G * D, length = D * S;
  // Pieces are shared; rows where each is one, or where there are no sums over samples to keep together.
  const Index size = dweight == nullptr ? 1 : piece_size(N, S), pieces = ceil_div(N, size);
  const Index rows = size == 1 ? 1 : max<Index>(size * G, 1), width = size == 1 ? D : channels;
  T* weights = dweight == nullptr ? nullptr : static_cast<T*>(team.shared);
  T* biases = dbias == nullptr ? nullptr : weights + pieces * channels;
  const Range mine = share(team, ceil_div(N * G, rows));
  for (Index unit = mine.begin; unit < mine.end; ++unit) {
    T *dw = offset(weights, unit * width), *db = offset(biases, unit * width);
    if (dw != nullptr) for_each({0, width}, [=](Index c) { dw[c] = T{0}; });
    if (db != nullptr) for_each({0, width}, [=](Index c) { db[c] = T{0}; });
    for (Index row = unit * rows; row < min(unit * rows + rows, N * G); ++row) {
      const Index channel = row % G * D, place = row * length, column = size == 1 ? 0 : channel;
      const Group<T> group{
          offset(dx, place), dy + place,     x + place, offset(weight, channel), mean == nullptr ? T{0} : mean[row],
          invstd[row],       mean != nullptr};
      if (S != 1) {
        deep_gradient(group, offset(dw, column), offset(db, column), D, S);
      } else {
        flat_gradient(group, offset(dw, column), offset(db, column), D);
      }
    }
  }
  if (dweight == nullptr) return;
  barrier(team);
  const Range columns = share(team, channels, kLanes);
  for_each(columns, [=](Index c) { dweight[c] = T{0}; });
  if (dbias != nullptr) for_each(columns, [=](Index c) { dbias[c] = T{0}; });
  for (Index piece = 0; piece < pieces; ++piece) {
    const T *dw = weights + piece * channels, *db = biases + piece * channels;
    for_each(columns, [=](Index c) { dweight[c] += dw[c]; });
    if (dbias != nullptr) for_each(columns, [=](Index c) { dbias[c] += db[c]; });
  }
}

template <class T>
constexpr RowNormKernels<T> kTable{.row_norm_forward = row_norm_forward,
                                   .row_norm_backward = row_norm_backward,
                                   .row_norm_scratch = row_norm_scratch<T>};

}  // namespace

extern const RowNormKernels<float> row_norm_f32;
extern const RowNormKernels<double> row_norm_f64;
constinit const RowNormKernels<float> row_norm_f32 = kTable<float>;
constinit const RowNormKernels<double> row_norm_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
