#include "kernels/linear.hpp"

#include "kernels/column.hpp"
#include "kernels/skinny.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

// Forward and the weight gradient have two forms each, and the cheaper one is taken. Plain: lanes run along the columns
// of the result. Swapped: along its rows, and the tiles are stored transposed. Both add the same products in the same
// order. Costs are in cycles: of an element of a transposing pack, in a square with and without all its columns, of a
// transposing store, and of a copy of rows that collide in the cache, when they come from afar and when they were
// called before.
constexpr double kPack = 0.22, kPackPartial = 0.48, kStore = 0.35, kCopy = 0.4, kCopyCalled = 0.1;

// Multiply-adds of a product whose lanes run along `columns`: two narrow vectors in a cycle, and two loads, of which a
// single narrow vector has more than its share.
template <class T>
double multiplies(Index rows, Index columns, Index steps) {
  const Index vectors = ceil_div(columns, kNarrowWidth<T>);
  const double loads = vectors == 1 ? 1 + 1.0 / tuning::kTileRows : 1;
  return 0.5 * loads * static_cast<double>(rows * vectors * steps);
}

// A transposing pack.
template <class T>
double packs(Index columns, Index steps) {
  const Index rest = columns % kWidth<T>, partial = rest > 0 ? kWidth<T> : 0;
  return (kPack * static_cast<double>(columns - rest) + kPackPartial * static_cast<double>(partial)) *
         static_cast<double>(steps);
}

template <class T>
bool forward_swapped(Index N, Index K, Index M) {
  const double copy = collide<T>(K) ? 1 : 0;
  const double copy_swapped = in_one_block<T>(K, N) ? kCopyCalled : kCopy;
  const double plain = multiplies<T>(N, M, K) + packs<T>(M, K) + copy * kCopy * static_cast<double>(N * K);
  const double swapped = multiplies<T>(M, N, K) + packs<T>(N, K) + kStore * static_cast<double>(N * M) +
                         copy * copy_swapped * static_cast<double>(M * K);
  return swapped < plain;
}

// Columns at the end of a weight's gradient (I,J) that take all their rows together, since a vector would be too much
// for so few, and what a step of that costs: its multiply-adds wait for those before them, and a column is stored
// element by element.
constexpr double kColumnStep = 12;

template <class T>
double column_step(Index I, Index columns) {
  return kColumnStep * static_cast<double>(columns * ceil_div(I, kColumnRows<T>));
}

template <class T>
Index lone_columns(Index I, Index J) {
  const Index rest = J % kNarrowWidth<T>;
  return column_step<T>(I, rest) < 0.5 * static_cast<double>(I) ? rest : 0;
}

template <class T>
double gradient_multiplies(Index I, Index J, Index steps) {
  const Index lone = lone_columns<T>(I, J);
  return multiplies<T>(I, J - lone, steps) + column_step<T>(I, lone) * static_cast<double>(steps);
}

template <class T>
bool backward_weight_swapped(Index N, Index K, Index M) {
  return gradient_multiplies<T>(K, M, N) + kStore * static_cast<double>(M * K) < gradient_multiplies<T>(M, K, N);
}

template <class T>
Product<T> plain_forward_product(T* y, const T* x, const T* weight, const T* bias, Index N, Index K, Index M,
                                 Epilogue epilogue) {
  return {.I = N,
          .J = M,
          .P = K,
          .a = x,
          .a_row = K,
          .a_step = 1,
          .b = weight,
          .b_row = K,
          .b_order = Order::columns,
          .out = {y, M, Order::rows, nullptr, bias, epilogue == Epilogue::relu}};
}

template <class T>
Product<T> swapped_forward_product(T* y, const T* x, const T* weight, const T* bias, Index N, Index K, Index M,
                                   Epilogue epilogue) {
  return {.I = M,
          .J = N,
          .P = K,
          .a = weight,
          .a_row = K,
          .a_step = 1,
          .b = x,
          .b_row = K,
          .b_order = Order::columns,
          .out = {y, M, Order::columns, bias, nullptr, epilogue == Epilogue::relu}};
}

template <class T>
Product<T> forward_product(T* y, const T* x, const T* weight, const T* bias, Index N, Index K, Index M,
                           Epilogue epilogue) {
  return forward_swapped<T>(N, K, M) ? swapped_forward_product(y, x, weight, bias, N, K, M, epilogue)
                                     : plain_forward_product(y, x, weight, bias, N, K, M, epilogue);
}

template <class T>
Product<T> backward_input_product(T* dx, const T* dy, const T* weight, const T* gate, Index N, Index K, Index M) {
  return {.I = N,
          .J = K,
          .P = M,
          .a = dy,
          .a_row = M,
          .a_step = 1,
          .b = weight,
          .b_row = K,
          .b_order = Order::rows,
          .out = {dx, K, Order::rows, nullptr, nullptr, false, gate}};
}

template <class T>
Product<T> plain_backward_weight_product(T* dweight, const T* dy, const T* x, Index N, Index K, Index M, Index dy_row) {
  return {.I = M,
          .J = K,
          .P = N,
          .a = dy,
          .a_row = 1,
          .a_step = dy_row,
          .b = x,
          .b_row = K,
          .b_order = Order::rows,
          .out = {dweight, K, Order::rows}};
}

template <class T>
Product<T> swapped_backward_weight_product(T* dweight, const T* dy, const T* x, Index N, Index K, Index M,
                                           Index dy_row) {
  return {.I = K,
          .J = M,
          .P = N,
          .a = x,
          .a_row = 1,
          .a_step = K,
          .b = dy,
          .b_row = dy_row,
          .b_order = Order::rows,
          .out = {dweight, K, Order::columns}};
}

template <class T>
Product<T> backward_weight_product(T* dweight, const T* dy, const T* x, Index N, Index K, Index M, Index dy_row) {
  return backward_weight_swapped<T>(N, K, M) ? swapped_backward_weight_product(dweight, dy, x, N, K, M, dy_row)
                                             : plain_backward_weight_product(dweight, dy, x, N, K, M, dy_row);
}

// The columns of g, by their rows, each output as the sum of two chains of steps: before `split` and from there on.
template <class T>
void multiply_columns(const Team& team, const Product<T>& g, Range columns, Index split) {
  const Index c_step = g.out.order == Order::rows ? g.out.c_row : 1;
  const Index c_column = g.out.order == Order::rows ? 1 : g.out.c_row;
  const Range rows = share(team, g.I, kWidth<T>);
  for (Index j = columns.begin; j < columns.end; ++j)
    sum_rows<T>({g.out.c + j * c_column, c_step, g.a, g.a_step, g.b + j, g.b_row, g.P, split}, rows);
}

// The first chains of all outputs come before the second ones, so that each half of the operands is read from near.
template <class T>
Index first_sums(const Product<T>& g) {
  return round_up(g.I * padded_columns<T>(g.J), 64 / Index{sizeof(T)});
}
template <class T>
void multiply_in_two(const Team& team, const Product<T>& g, Index split) {
  T* sums = static_cast<T*>(team.own);
  const Team then{team.rank, team.size, team.shared, sums + first_sums(g), team.sync};
  Product<T> first = g, second = g;
  first.P = split;
  first.out = {sums, padded_columns<T>(g.J), Order::rows};
  second.P -= split;
  second.a += split * g.a_step;
  second.b += split * g.b_row;
  second.out.addend = sums;
  second.out.addend_row = first.out.c_row;
  multiply(then, first);
  multiply(then, second);
}

template <class T>
void forward(const Team& team, T* y, const T* x, const T* weight, const T* bias, Index N, Index K, Index M,
             Epilogue epilogue) {
  if (N <= kSkinnyRows && N > 0) {
    skinny_forward(team, y, x, weight, bias, N, K, M, epilogue);
  } else {
    multiply(team, forward_product(y, x, weight, bias, N, K, M, epilogue));
  }
}

template <class T>
void pack(T* packed, const T* weight, Index K, Index M) {
  pack_all(plain_forward_product<T>(nullptr, nullptr, weight, nullptr, 1, K, M, Epilogue::none), packed);
}

template <class T>
Index packed_size(Index K, Index M) {
  return K * padded_columns<T>(M);
}

template <class T>
void forward_packed(const Team& team, T* y, const T* x, const T* packed, const T* bias, Index N, Index K, Index M,
                    Epilogue epilogue) {
  Product<T> g = plain_forward_product<T>(y, x, nullptr, bias, N, K, M, epilogue);
  g.packed = packed;
  if (N <= kFewRows && N > 0 && K > 0 && K <= tuning::kBlockSteps) {
    few_rows_forward(team, g, epilogue);
  } else {
    multiply(team, g);
  }
}

template <class T>
void backward_input(const Team& team, T* dx, const T* dy, const T* weight, const T* gate, Index N, Index K, Index M) {
  multiply(team, backward_input_product(dx, dy, weight, gate, N, K, M));
}

// Where two members divide the rows (items_of in runtime/step.hpp), so that each finds what it wrote itself.
template <class T>
Index split(Index N, Index K, Index M) {
  constexpr Index kFewRows = 64, kManyRows = 512, kManyWeights = 16384;
  static_assert(kManyRows <= tuning::kBlockSteps);
  const bool fewer_sums = M * K <= kManyWeights && 2 * M * K <= N * (M + K);
  return N >= kFewRows && N <= kManyRows && fewer_sums ? round_up(ceil_div(N, 2), 4) : N;
}

template <class T>
void backward_weight(const Team& team, T* dweight, T* dbias, const T* dy, const T* x, Index N, Index split, Index K,
                     Index M, Index dy_row) {
  if (dbias != nullptr) sum_rows<T>({dbias, 1, dy, dy_row, nullptr, 0, N, split}, share(team, M, kColumnRows<T>));
  Product<T> g = backward_weight_product(dweight, dy, x, N, K, M, dy_row);
  const Index lone = lone_columns<T>(g.I, g.J);
  if (lone > 0) multiply_columns(team, g, {g.J - lone, g.J}, split);
  g.J -= lone;
  if (split < N) {
    multiply_in_two(team, g, split);
  } else {
    multiply(team, g);
  }
}

template <class T>
void sum_parts(const Team& team, T* sums, const T* dy, const T* x, Index count, Index first, Index N, Index split,
               Index K, Index M, Index size, bool with_bias) {
  for (Index part = first; part < first + count; ++part, sums += size, dy += split * M, x += split * K) {
    const Index rows = part == 0 ? split : N - split;
    backward_weight(team, sums, with_bias ? sums + M * K : nullptr, dy, x, rows, rows, K, M, M);
  }
}

template <class T>
void add_parts(const Team& team, T* dweight, T* dbias, const T* weight0, const T* bias0, const T* weight1,
               const T* bias1, Index M, Index K) {
  for_each(share(team, M * K, kLanes), [=](Index i) { dweight[i] = weight0[i] + weight1[i]; });
  if (dbias != nullptr) for_each(share(team, M, kLanes), [=](Index i) { dbias[i] = bias0[i] + bias1[i]; });
}

Scratch larger(const Scratch& a, const Scratch& b) { return {max(a.shared, b.shared), max(a.own, b.own)}; }

template <class T>
Scratch forward_scratch(Index N, Index K, Index M) {
  return larger(
      multiply_scratch(plain_forward_product<T>(nullptr, nullptr, nullptr, nullptr, N, K, M, Epilogue::none)),
      multiply_scratch(swapped_forward_product<T>(nullptr, nullptr, nullptr, nullptr, N, K, M, Epilogue::none)));
}

template <class T>
Scratch backward_input_scratch(Index N, Index K, Index M) {
  return multiply_scratch(backward_input_product<T>(nullptr, nullptr, nullptr, nullptr, N, K, M));
}

template <class T>
Scratch backward_weight_scratch(Index N, Index K, Index M) {
  const auto scratch = [=](const Product<T>& g) {
    Scratch needs = multiply_scratch(g);
    if (split<T>(N, K, M) < N) needs.own += sizeof(T) * static_cast<std::size_t>(first_sums(g));
    return needs;
  };
  return larger(scratch(plain_backward_weight_product<T>(nullptr, nullptr, nullptr, N, K, M, M)),
                scratch(swapped_backward_weight_product<T>(nullptr, nullptr, nullptr, N, K, M, M)));
}

template <class T>
constexpr LinearKernels<T> kTable{
    .forward = forward<T>,
    .backward_input = backward_input<T>,
    .backward_weight = backward_weight<T>,
    .split = split<T>,
    .sum_parts = sum_parts<T>,
    .add_parts = add_parts<T>,
    .forward_packed = forward_packed<T>,
    .pack = pack<T>,
    .packed_size = packed_size<T>,
    .forward_scratch = forward_scratch<T>,
    .backward_input_scratch = backward_input_scratch<T>,
    .backward_weight_scratch = backward_weight_scratch<T>,
};

}  // namespace

extern const LinearKernels<float> linear_f32;
extern const LinearKernels<double> linear_f64;
constinit const LinearKernels<float> linear_f32 = kTable<float>;
constinit const LinearKernels<double> linear_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
