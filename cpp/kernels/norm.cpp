#include "kernels/norm.hpp"

#include "kernels/moments.hpp"
#include "kernels/writer.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

// What members share: coefficients of each channel, and two partial sums of each piece and channel.
template <class T>
struct Shared {
  T *scale, *shift, *slope, *first, *second;
};

template <class T>
Scratch batch_norm_scratch(Index N, Index C, Index L) {
  const Index pieces = L == 1 ? ceil_div(N, kRows) : 0;
  return {.shared = static_cast<std::size_t>((3 + 2 * pieces) * C) * sizeof(T), .own = 0};
}

template <class T>
Shared<T> shared_of(const Team& team, Index N, Index C) {
  T* base = static_cast<T*>(team.shared);
  return {base, base + C, base + 2 * C, base + 3 * C, base + (3 + ceil_div(N, kRows)) * C};
}

// Channels that one member finishes: whole cache lines of rows, single ones of runs.
inline Range share_channels(const Team& team, Index C, Index L) { return share(team, C, L == 1 ? kLanes : 1); }

// y = (x − mean) · scale + shift of single elements of channels
template <class T>
inline void normalise(const Team& team, T* y, const T* x, const T* mean, const Shared<T>& s, Index N, Index C) {
  const T *scale = s.scale, *shift = s.shift;
  const Range mine = share_rows<T>(team, N, C);
  const Writer<T> write((mine.end - mine.begin) * C, C, y != x);
  for (Index n = mine.begin; n < mine.end; ++n) {
    const T* from = x + n * C;
    write(y + n * C, {0, C}, [=](Index c) { return fma(from[c] - mean[c], scale[c], shift[c]); }, from);
  }
}

// The same of channel c, in runs of L elements.
template <class T>
inline void normalise_runs(T* y, const T* x, const T* mean, const Shared<T>& s, Index c, Index N, Index C, Index L) {
  const T middle = mean[c], factor = s.scale[c], offset = s.shift[c];
  for (Index run = c; run < N * C; run += C) {
    T* to = y + run * L;
    const T* from = x + run * L;
    for_each({0, L}, [=](Index i) { to[i] = fma(from[i] - middle, factor, offset); });
  }
}

// scale and shift of this member's channels; null is a weight of 1 and a bias of 0.
template <class T>
inline void set_affine(const Shared<T>& s, const T* invstd, const T* weight, const T* bias, Range channels) {
  T *scale = s.scale, *shift = s.shift;
  for_each(channels, [=](Index c) { scale[c] = weight == nullptr ? invstd[c] : weight[c] * invstd[c]; });
  for_each(channels, [=](Index c) { shift[c] = bias == nullptr ? T{0} : bias[c]; });
}

template <class T>
void batch_norm_forward(const Team& team, T* y, T* mean, T* invstd, T* running_mean, T* running_var,
                        std::int64_t* batches, const T* x, const T* weight, const T* bias, Index N, Index C, Index L,
                        T momentum, T eps, bool average) {
  const Shared<T> s = shared_of<T>(team, N, C);
  const Range channels = share_channels(team, C, L);
  const Index count = N * L;
  const T unbiased = T{1} / static_cast<T>(count - 1), biased = T{1} / static_cast<T>(count);
  const T factor = average && running_mean != nullptr ? T{1} / static_cast<T>(*batches + 1) : momentum;
  const auto finish = [=](Range some) {  // invstd holds Σ (x − mean)² until here
    if (running_mean != nullptr) {
      for_each(some, [=](Index c) { running_mean[c] = fma(factor, mean[c] - running_mean[c], running_mean[c]); });
      for_each(some,
               [=](Index c) { running_var[c] = fma(factor, invstd[c] * unbiased - running_var[c], running_var[c]); });
    }
    for_each(some, [=](Index c) { invstd[c] = T{1} / sqrt(fma(invstd[c], biased, eps)); });
    set_affine(s, invstd, weight, bias, some);
  };
  if (L == 1) {
    for_each_piece(team, N, C, [=](Index piece, Index row, Index rows, Index column, Index columns) {
      piece_moments(s.first + piece * C + column, s.second + piece * C + column, x + row * C + column, rows, C,
                    columns);
    });
    barrier(team);
    join_moments<T>(mean, invstd, s.first, s.second, channels, N, C);
    finish(channels);
  } else {
    for (Index c = channels.begin; c < channels.end; ++c) {  // a channel may stay in the cache until it is written
      channel_moments(mean + c, invstd + c, x + c * L, N, C, L);
      finish({c, c + 1});
      normalise_runs(y, x, mean, s, c, N, C, L);
    }
  }
  if (L == 1 || batches != nullptr) barrier(team);
  if (batches != nullptr && team.rank == 0) ++*batches;
  if (L == 1) normalise(team, y, x, mean, s, N, C);
}

template <class T>
void batch_norm_infer(const Team& team, T* y, T* mean, T* invstd, const T* x, const T* running_mean,
                      const T* running_var, const T* weight, const T* bias, Index N, Index C, Index L, T eps) {
  const Shared<T> s = shared_of<T>(team, N, C);
  const Range channels = share_channels(team, C, L);
  for_each(channels, [=](Index c) { mean[c] = running_mean[c]; });
  for_each(channels, [=](Index c) { invstd[c] = T{1} / sqrt(running_var[c] + eps); });
  set_affine(s, invstd, weight, bias, channels);
  if (L == 1) {
    barrier(team);
    normalise(team, y, x, mean, s, N, C);
  } else {
    for (Index c = channels.begin; c < channels.end; ++c) normalise_runs(y, x, mean, s, c, N, C, L);
  }
}

// Σ dy and Σ dy · (x − mean) over the rows of a piece.
template <class T>
inline void piece_gradients(T* sum, T* product, const T* dy, const T* x, const T* mean, Index rows, Index stride,
                            Index columns) {
  for_each({0, columns}, [=](Index c) { sum[c] = product[c] = T{0}; });
  for (Index n = 0; n < rows; ++n) {
    const T *g = dy + n * stride, *a = x + n * stride;
    const auto add = [=](Index c) {
      sum[c] += g[c];
      product[c] = fma(g[c], a[c] - mean[c], product[c]);
    };
    for_each_calling({0, columns}, stride, add, g, a);
  }
}

// dx = scale · (dy − shift − (x − mean) · slope) of single elements of channels
template <class T>
inline void input_gradient(const Team& team, T* dx, const T* dy, const T* x, const T* mean, const Shared<T>& s, Index N,
                           Index C) {
  const T *scale = s.scale, *shift = s.shift, *slope = s.slope;
  const Range mine = share_rows<T>(team, N, C);
  const Writer<T> write((mine.end - mine.begin) * C, C, dx != dy && dx != x);
  for (Index n = mine.begin; n < mine.end; ++n) {
    const T *g = dy + n * C, *from = x + n * C;
    write(
        dx + n * C, {0, C}, [=](Index c) { return scale[c] * fma(mean[c] - from[c], slope[c], g[c] - shift[c]); }, g,
        from);
  }
}

// The same of channel c, in runs of L elements.
template <class T>
inline void input_gradient_runs(T* dx, const T* dy, const T* x, const T* mean, const Shared<T>& s, Index c, Index N,
                                Index C, Index L) {
  const T middle = mean[c], factor = s.scale[c], offset = s.shift[c], tilt = s.slope[c];
  for (Index run = c; run < N * C; run += C) {
    T* to = dx + run * L;
    const T *g = dy + run * L, *from = x + run * L;
    for_each({0, L}, [=](Index i) { to[i] = factor * fma(middle - from[i], tilt, g[i] - offset); });
  }
}

template <class T>
void batch_norm_backward(const Team& team, T* dx, T* dweight, T* dbias, const T* dy, const T* x, const T* mean,
                         const T* invstd, const T* weight, Index N, Index C, Index L, bool training) {
  const Shared<T> s = shared_of<T>(team, N, C);
  const Range channels = share_channels(team, C, L);
  for_each(channels, [=](Index c) { dbias[c] = dweight[c] = T{0}; });
  const T inverse = training ? T{1} / static_cast<T>(N * L) : T{0};
  const auto finish = [=](Range some) {
    T *scale = s.scale, *shift = s.shift, *slope = s.slope;
    for_each(some, [=](Index c) {
      dweight[c] *= invstd[c];
      shift[c] = dbias[c] * inverse;
      slope[c] = invstd[c] * dweight[c] * inverse;
    });
    for_each(some, [=](Index c) { scale[c] = weight == nullptr ? invstd[c] : weight[c] * invstd[c]; });
  };
  if (L != 1) {
    for (Index c = channels.begin; c < channels.end; ++c) {  // a channel may stay in the cache until dx is written
      for (Index run = c; run < N * C; run += C) {
        const T *g = dy + run * L, *from = x + run * L, middle = mean[c];
        const Two<T> sums = two_sums<T>(L, [=](Index i) { return Two<T>{g[i], g[i] * (from[i] - middle)}; });
        dbias[c] += sums.first;
        dweight[c] += sums.second;
      }
      finish({c, c + 1});
      if (dx != nullptr) input_gradient_runs(dx, dy, x, mean, s, c, N, C, L);
    }
    return;
  }
  for_each_piece(team, N, C, [=](Index piece, Index row, Index rows, Index column, Index columns) {
    piece_gradients(s.first + piece * C + column, s.second + piece * C + column, dy + row * C + column,
                    x + row * C + column, mean + column, rows, C, columns);
  });
  barrier(team);
  for (Index p = 0; p < ceil_div(N, kRows); ++p) {
    const T *sum = s.first + p * C, *product = s.second + p * C;
    for_each(channels, [=](Index c) { dbias[c] += sum[c]; });
    for_each(channels, [=](Index c) { dweight[c] += product[c]; });
  }
  finish(channels);
  if (dx == nullptr) return;
  barrier(team);
  input_gradient(team, dx, dy, x, mean, s, N, C);
}

template <class T>
constexpr NormKernels<T> kTable{.batch_norm_forward = batch_norm_forward,
                                .batch_norm_infer = batch_norm_infer,
                                .batch_norm_backward = batch_norm_backward,
                                .batch_norm_scratch = batch_norm_scratch<T>};

}  // namespace

extern const NormKernels<float> norm_f32;
extern const NormKernels<double> norm_f64;
constinit const NormKernels<float> norm_f32 = kTable<float>;
constinit const NormKernels<double> norm_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
