#include "kernels/reduce.hpp"

#include "kernels/extremes.hpp"
#include "kernels/walk.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

// Sums that are cut have pieces of kChunk elements along a run, or of this many rows.
constexpr Index kRows = 128;

// How a sum is cut: `pieces` partial sums behind each of `results` results, whatever the team's size.
struct Cut {
  Index results, runs, pieces;
};

inline Cut cut(const Reduction& r) {
  const Index runs = size_of(r.summed), kept = size_of(r.kept);
  if (r.inner_is_summed) return {kept, runs, runs * ceil_div(r.inner, kChunk)};
  return {kept * r.inner, runs, ceil_div(runs, kRows)};
}

// The offset of element `number` of a layout.
inline Index offset_of(const Layout<1>& layout, Index number) {
  Index offset = 0;
  for (int d = 0; d < layout.ndim; ++d) {
    offset += number % layout.shape[d] * layout.stride[0][d];
    number /= layout.shape[d];
  }
  return offset;
}

// to (n) = scale · Σ over `count` runs from `first` on of x (n), run by run: four at a time to spare loads and stores.
template <class T>
inline void sum_rows(T* to, const T* x, const Layout<1>& runs, Index first, Index count, Index n, T scale) {
  for_each({0, n}, [=](Index i) { to[i] = T{0}; });
  const T* row[4];
  int ready = 0;
  walk(runs, {first, first + count}, [&](Index, Index along, const Index* offset) {
    for (Index i = 0; i < along; ++i) {
      row[ready++] = x + offset[0] + i * runs.stride[0][0];
      if (ready < 4) continue;
      ready = 0;
      const T *a = row[0], *b = row[1], *c = row[2], *d = row[3];
      for_each({0, n}, [=](Index j) { to[j] = (((to[j] + a[j]) + b[j]) + c[j]) + d[j]; });
    }
  });
  for (int k = 0; k < ready; ++k) {
    const T* a = row[k];
    for_each({0, n}, [=](Index j) { to[j] += a[j]; });
  }
  if (scale != T{1}) for_each({0, n}, [=](Index j) { to[j] *= scale; });
}

// partial (kept, pieces, inner): piece p of a result sums kRows rows.
template <class T>
inline void sum_columns(const Team& team, T* partial, const T* x, const Reduction& r, const Cut& c, T scale) {
  const Index units = size_of(r.kept) * c.pieces;
  const Index width = columns_at_once(team, units, r.inner), blocks = ceil_div(r.inner, width);
  const Range mine = share(team, units * blocks);
  for (Index item = mine.begin; item < mine.end; ++item) {
    const Index block = item % blocks * width, unit = item / blocks, piece = unit % c.pieces;
    const T* from = x + offset_of(r.kept, unit / c.pieces) + block;
    sum_rows(partial + unit * r.inner + block, from, r.summed, piece * kRows, min(kRows, c.runs - piece * kRows),
             min(width, r.inner - block), scale);
  }
}

// partial (results, pieces): piece p of a result sums up to kChunk elements of one run.
template <class T>
inline void sum_runs(const Team& team, T* partial, const T* x, const Reduction& r, const Cut& c, T scale) {
  const Index chunks = ceil_div(r.inner, kChunk);
  const Range mine = share(team, c.results * c.pieces, 64 / sizeof(T));
  for (Index item = mine.begin; item < mine.end; ++item) {
    const Index piece = item % c.pieces, chunk = piece % chunks * kChunk;
    const T* from = x + offset_of(r.kept, item / c.pieces) + offset_of(r.summed, piece / chunks) + chunk;
    partial[item] = scale * row_sum<T>(min(kChunk, r.inner - chunk), [=](Index i) { return from[i]; });
  }
}

template <class T>
void sum(const Team& team, T* out, const T* x, Reduction r, T scale) {
  const Cut c = cut(r);
  if (c.pieces == 0) {  // a sum of nothing
    const T nothing = scale * T{0};
    return for_each(share(team, c.results), [=](Index i) { out[i] = nothing; });
  }
  const bool whole = c.pieces == 1;
  T* partial = whole ? out : static_cast<T*>(team.shared);
  const T first_scale = whole ? scale : T{1};
  if (r.inner_is_summed) {
    sum_runs(team, partial, x, r, c, first_scale);
  } else {
    sum_columns(team, partial, x, r, c, first_scale);
  }
  if (whole) return;
  barrier(team);
  if (r.inner_is_summed) {
    const Range mine = share(team, c.results);
    for (Index i = mine.begin; i < mine.end; ++i) {
      const T* from = partial + i * c.pieces;
      out[i] = scale * row_sum<T>(c.pieces, [=](Index p) { return from[p]; });
    }
    return;
  }
  const Index kept = size_of(r.kept);
  const Index width = columns_at_once(team, kept, r.inner), blocks = ceil_div(r.inner, width);
  const Layout<1> pieces{1, {c.pieces}, {{r.inner}}};
  const Range mine = share(team, kept * blocks);
  for (Index item = mine.begin; item < mine.end; ++item) {
    const Index block = item % blocks * width, k = item / blocks;
    sum_rows(out + k * r.inner + block, partial + k * c.pieces * r.inner + block, pieces, 0, c.pieces,
             min(width, r.inner - block), scale);
  }
}

template <class T>
Scratch sum_scratch(const Reduction& r) {
  const Cut c = cut(r);
  return {.shared = c.pieces > 1 ? static_cast<std::size_t>(c.results * c.pieces) * sizeof(T) : 0, .own = 0};
}

template <class T>
void argmax(const Team& team, std::int64_t* index, const T* x, Index A, Index N, Index B) {
  extremes<true>(team, index, x, A, N, B);
}

template <class T>
void argmin(const Team& team, std::int64_t* index, const T* x, Index A, Index N, Index B) {
  extremes<false>(team, index, x, A, N, B);
}

template <class T>
constexpr ReduceKernels<T> kTable{.sum = sum,
                                  .sum_scratch = sum_scratch<T>,
                                  .argmax = argmax,
                                  .argmin = argmin,
                                  .extremes_scratch = extremes_scratch<T>};

}  // namespace

extern const ReduceKernels<float> reduce_f32;
extern const ReduceKernels<double> reduce_f64;
constinit const ReduceKernels<float> reduce_f32 = kTable<float>;
constinit const ReduceKernels<double> reduce_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
