#include "kernels/lists.hpp"

#include "kernels/power.hpp"
#include "kernels/slots.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

template <class T>
Scratch chunk_scratch(const ListSlot<T>* slots, Index count) {
  return {.shared = static_cast<std::size_t>(chunks_of(slots, count)) * sizeof(double), .own = 0};
}

template <class T>
[[gnu::always_inline]] inline T magnitude(T x) {
  return x < T{0} ? -x : x;
}

// What `reduce` makes of the chunks, by `combine` of their numbers; every member returns it. reduce(x, n) is of an
// array.
template <class T, class Reduce, class Combine>
inline double over_chunks(const Team& team, const ListSlot<T>* slots, Index count, Reduce reduce, Combine combine) {
  auto* partial = static_cast<double*>(team.shared);
  for_chunks(team, slots, count, [&](Index number, const ListSlot<T>& slot, Range chunk) {
    partial[number] = reduce((slot.from ? slot.from : slot.to) + chunk.begin, chunk.end - chunk.begin);
  });
  barrier(team);
  return combine(partial, chunks_of(slots, count));
}

// Σ term(x) over all arrays
template <class T, class Term>
inline double sum_of(const Team& team, const ListSlot<T>* slots, Index count, Term term) {
  return over_chunks(
      team, slots, count,
      [=](const T* x, Index n) { return row_sum<double>(n, [=](Index i) { return term(static_cast<double>(x[i])); }); },
      [](const double* x, Index n) { return row_sum<double>(n, [=](Index i) { return x[i]; }); });
}

// The largest value(x) of an array, NaN where there is one, −∞ of nothing.
template <class T, class Value>
inline double largest(const T* x, Index n, Value value) {
  double lane[kLanes];
  for (double& l : lane) l = -kInfinity<double>;
  for_each_lane({0, n},
                [&lane, x, value](Index i, Index l) { lane[l] = larger(lane[l], value(static_cast<double>(x[i]))); });
  return combine_lanes<kLanes>(lane, [](double a, double b) { return larger(a, b); });
}

template <class T>
inline double norm(const Team& team, const ListSlot<T>* slots, Index count, double p) {
  if (chunks_of(slots, count) == 0) return 0;
  if (magnitude(p) == kInfinity<double>) {
    const double sign = p > 0 ? 1 : -1;
    return sign * over_chunks(
                      team, slots, count,
                      [=](const T* x, Index n) { return largest(x, n, [=](double v) { return sign * magnitude(v); }); },
                      [](const double* x, Index n) { return largest(x, n, [](double v) { return v; }); });
  }
  if (p == 2) return sqrt(sum_of(team, slots, count, [](double x) { return x * x; }));
  double sum = 0;
  with_power(p, [&](auto raise) { sum = sum_of(team, slots, count, [=](double x) { return raise(magnitude(x)); }); });
  return p == 1 ? sum : power(sum, 1 / p);
}

template <class T>
void total_norm(const Team& team, T* total, const ListSlot<T>* slots, Index count, double p) {
  const T value = static_cast<T>(norm(team, slots, count, p));
  if (team.rank == 0) *total = value;
}

template <class T>
void clip_norm(const Team& team, T* total, const ListSlot<T>* slots, Index count, double max_norm, double p) {
  const T value = static_cast<T>(norm(team, slots, count, p));
  if (team.rank == 0) *total = value;
  const T factor = static_cast<T>(max_norm) / (value + T(1e-6));
  if (factor >= T{1}) return;
  for_share(team, slots, count, [=](const ListSlot<T>& slot, Index begin, Index end) {
    T* const to = slot.to;
    for_each({begin, end}, [=](Index i) { to[i] *= factor; });
  });
}

template <class T>
void clip_values(const Team& team, const ListSlot<T>* slots, Index count, T limit) {
  for_share(team, slots, count, [=](const ListSlot<T>& slot, Index begin, Index end) {
    T* const to = slot.to;
    for_each({begin, end}, [=](Index i) {
      const T least = to[i] < -limit ? -limit : to[i];
      to[i] = least > limit ? limit : least;
    });
  });
}

template <class T>
void limit_rows(const Team& team, const ListSlot<T>* slots, Index count, double max_norm) {
  Index total = 0, first = 0;
  for (Index s = 0; s < count; ++s) total += slots[s].row_count;
  const Range mine = share(team, total);
  for (Index s = 0; s < count && first < mine.end; ++s) {
    const Index rows = slots[s].row_count, end = min(mine.end - first, rows), K = rows > 0 ? slots[s].size / rows : 0;
    for (Index r = max(mine.begin - first, Index{0}); r < end; ++r) limit_norm(slots[s].to + r * K, K, max_norm);
    first += rows;
  }
}

template <class T>
void average(const Team& team, std::int64_t* averaged, const ListSlot<T>* slots, Index count, double weight,
             bool advance) {
  const auto before = static_cast<double>(*averaged);
  const T part = static_cast<T>(weight < 0 || before == 0 ? 1 / (before + 1) : weight);
  for_share(team, slots, count, [=](const ListSlot<T>& slot, Index begin, Index end) {
    T* const to = slot.to;
    const T* const from = slot.from;
    for_each({begin, end}, [=](Index i) { to[i] = part == T{1} ? from[i] : to[i] + part * (from[i] - to[i]); });
  });
  if (!advance) return;
  barrier(team);
  if (team.rank == 0) *averaged += 1;
}

template <class T>
void penalty(const Team& team, T* total, const ListSlot<T>* slots, Index count, double l1, double l2) {
  const double sum = sum_of(team, slots, count, [=](double x) { return l1 * magnitude(x) + l2 * 0.5 * (x * x); });
  if (team.rank == 0) *total = static_cast<T>(sum);
}

template <class T>
void penalty_backward(const Team& team, const ListSlot<T>* slots, Index count, const T* dloss, T l1, T l2) {
  const T scale = *dloss;
  for_share(team, slots, count, [=](const ListSlot<T>& slot, Index begin, Index end) {
    T* const to = slot.to;
    const T* const from = slot.from;
    for_each({begin, end}, [=](Index i) { to[i] = scale * (l1 * sign_of(from[i]) + l2 * from[i]); });
  });
}

template <class T>
void add_scaled(const Team& team, T* y, const T* x, Index size, T alpha) {
  for_each(share(team, size, kLanes), [=](Index i) { y[i] += alpha * x[i]; });
}

Scratch dot_scratch(Index size) {
  return {.shared = static_cast<std::size_t>(ceil_div(size, kChunk)) * sizeof(double), .own = 0};
}

template <class T>
void dot(const Team& team, double* total, const T* x, const T* y, Index size) {
  shared_sum(team, total, static_cast<double*>(team.shared), size, 1.0,
             [=](Index i) { return static_cast<double>(x[i]) * static_cast<double>(y[i]); });
}

template <class T>
constexpr ListsKernels<T> kTable{.chunk_scratch = chunk_scratch<T>,
                                 .total_norm = total_norm,
                                 .clip_norm = clip_norm,
                                 .clip_values = clip_values,
                                 .limit_rows = limit_rows,
                                 .average = average,
                                 .penalty = penalty,
                                 .penalty_backward = penalty_backward,
                                 .add_scaled = add_scaled,
                                 .dot_scratch = dot_scratch,
                                 .dot = dot};

}  // namespace

extern const ListsKernels<float> lists_f32;
extern const ListsKernels<double> lists_f64;
constinit const ListsKernels<float> lists_f32 = kTable<float>;
constinit const ListsKernels<double> lists_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
