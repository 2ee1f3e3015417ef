#include "kernels/elementwise.hpp"

#include "kernels/activation_functions.hpp"
#include "kernels/power.hpp"
#include "kernels/walk.hpp"
#include "kernels/writer.hpp"

namespace nnative::NNATIVE_ISA {
namespace {

// Operands that are not contiguous along a row pass through buffers of this many elements.
constexpr Index kBlock = 256;

template <class T>
void neg(const Team& team, T* y, const T* x, Index size) {
  write_share(team, y, size, y != x, [=](Index i) { return -x[i]; }, x);
}

template <class T>
void abs(const Team& team, T* y, const T* x, Index size) {
  constexpr Bits<T> sign = Bits<T>{1} << (sizeof(T) * 8 - 1);
  write_share(team, y, size, y != x, [=](Index i) { return from_bits<T>(to_bits(x[i]) & ~sign); }, x);
}

template <class T>
void sqrt(const Team& team, T* y, const T* x, Index size) {
  write_share(team, y, size, y != x, [=](Index i) { return nnative::sqrt(x[i]); }, x);
}

// NaN fails both comparisons and passes through.
template <class T>
void clip(const Team& team, T* y, const T* x, Index size, T low, T high) {
  write_share(
      team, y, size, y != x,
      [=](Index i) {
        const T least = x[i] < low ? low : x[i];
        return least > high ? high : least;
      },
      x);
}

template <class T>
void fill(const Team& team, T* y, Index size, T value) {
  write_share(team, y, size, true, [=](Index) { return value; });
}

template <class T>
void accumulate(const Team& team, T* y, const T* x, Index size) {
  for_each(share(team, size, kLanes), [=](Index i) { y[i] += x[i]; });
}

template <class T, class From>
void convert(const Team& team, T* y, const From* x, Index size) {
  write_share(team, y, size, true, [=](Index i) { return static_cast<T>(x[i]); }, x);
}

template <class T>
void abs_backward(const Team& team, T* dx, const T* dy, const T* x, Index size) {
  write_share(
      team, dx, size, dx != dy && dx != x,
      [=](Index i) {
        const T below = x[i] < T{0} ? -dy[i] : T{0};
        return x[i] > T{0} ? dy[i] : below;
      },
      dy, x);
}

template <class T>
void sqrt_backward(const Team& team, T* dx, const T* dy, const T* y, Index size) {
  write_share(team, dx, size, dx != dy && dx != y, [=](Index i) { return dy[i] / (y[i] + y[i]); }, dy, y);
}

template <class T>
void clip_backward(const Team& team, T* dx, const T* dy, const T* x, Index size, T low, T high) {
  write_share(
      team, dx, size, dx != dy && dx != x, [=](Index i) { return ((x[i] >= low) & (x[i] <= high)) ? dy[i] : T{0}; }, dy,
      x);
}

// An operand of a row operation: elements `stride` apart, or one element repeated.
template <class T>
struct Operand {
  const T* data;
  Index stride;
  T* buffer;

  // Elements [first, first + count) in a row.
  [[gnu::always_inline]] const T* at(Index first, Index count) const {
    if (stride == 1) return data + first;
    if (stride != 0) {
      for (Index i = 0; i < count; ++i) buffer[i] = data[(first + i) * stride];
    } else if (first == 0) {
      for_each({0, count}, [to = buffer, value = *data](Index i) { to[i] = value; });
    }
    return buffer;
  }
};

// out = f(a, b), elementwise over a layout. The loop over f is written once: what is not contiguous is brought into
// buffers, which stay in the L1 cache.
template <class T, class F>
inline void binary(const Team& team, T* out, const T* a, const T* b, const Layout<2>& layout, T scalar, F f) {
  alignas(64) T a_buffer[kBlock], b_buffer[kBlock];
  const Index a_stride = a ? layout.stride[0][0] : 0, b_stride = b ? layout.stride[1][0] : 0;
  const Index block = a_stride == 1 && b_stride == 1 ? layout.shape[0] : kBlock;
  const Range mine = share(team, size_of(layout), kLanes);
  const Writer<T> write(mine.end - mine.begin, layout.shape[0], out != a && out != b);
  walk(layout, mine, [&](Index first, Index count, const Index* offset) {
    const Operand<T> left{a ? a + offset[0] : &scalar, a_stride, a_buffer};
    const Operand<T> right{b ? b + offset[1] : &scalar, b_stride, b_buffer};
    for (Index i = 0; i < count; i += block) {
      const Index n = min(block, count - i);
      const T *x = left.at(i, n), *y = right.at(i, n);
      write(out + first + i, {0, n}, [=](Index j) __attribute__((always_inline)) { return f(x[j], y[j]); }, x, y);
    }
  });
}

template <class T, class U, class F>
inline void ternary(const Team& team, T* out, const T* a, const T* b, const U* c, const Layout<3>& layout, T a_scalar,
                    T b_scalar, U c_scalar, F f) {
  alignas(64) T a_buffer[kBlock], b_buffer[kBlock];
  alignas(64) U c_buffer[kBlock];
  const Index a_stride = a ? layout.stride[0][0] : 0, b_stride = b ? layout.stride[1][0] : 0;
  const Index c_stride = c ? layout.stride[2][0] : 0;
  const Index block = a_stride == 1 && b_stride == 1 && c_stride == 1 ? layout.shape[0] : kBlock;
  walk(layout, share(team, size_of(layout), kLanes), [&](Index first, Index count, const Index* offset) {
    const Operand<T> left{a ? a + offset[0] : &a_scalar, a_stride, a_buffer};
    const Operand<T> right{b ? b + offset[1] : &b_scalar, b_stride, b_buffer};
    const Operand<U> last{c ? c + offset[2] : &c_scalar, c_stride, c_buffer};
    for (Index i = 0; i < count; i += block) {
      const Index n = min(block, count - i);
      const T *x = left.at(i, n), *y = right.at(i, n);
      const U* z = last.at(i, n);
      T* to = out + first + i;
      for_each({0, n}, [=](Index j) __attribute__((always_inline)) { to[j] = f(x[j], y[j], z[j]); });
    }
  });
}

template <class T>
void add(const Team& team, T* out, const T* a, const T* b, Layout<2> layout, T scalar) {
  binary(team, out, a, b, layout, scalar, [](T x, T y) { return x + y; });
}

template <class T>
void add_relu(const Team& team, T* out, const T* a, const T* b, Layout<2> layout, T scalar) {
  binary(team, out, a, b, layout, scalar, [](T x, T y) { return activations::relu<T>::value(x + y); });
}

template <class T>
void sub(const Team& team, T* out, const T* a, const T* b, Layout<2> layout, T scalar) {
  binary(team, out, a, b, layout, scalar, [](T x, T y) { return x - y; });
}

template <class T>
void mul(const Team& team, T* out, const T* a, const T* b, Layout<2> layout, T scalar) {
  binary(team, out, a, b, layout, scalar, [](T x, T y) { return x * y; });
}

template <class T>
void div(const Team& team, T* out, const T* a, const T* b, Layout<2> layout, T scalar) {
  binary(team, out, a, b, layout, scalar, [](T x, T y) { return x / y; });
}

// A NaN of either operand is the result.
template <class T>
void maximum(const Team& team, T* out, const T* a, const T* b, Layout<2> layout, T scalar) {
  binary(team, out, a, b, layout, scalar, [](T x, T y) {
    const T larger = x >= y ? x : y;
    return x != x ? x : larger;
  });
}

template <class T>
void minimum(const Team& team, T* out, const T* a, const T* b, Layout<2> layout, T scalar) {
  binary(team, out, a, b, layout, scalar, [](T x, T y) {
    const T smaller = x <= y ? x : y;
    return x != x ? x : smaller;
  });
}

template <class T>
void pow(const Team& team, T* out, const T* a, const T* b, Layout<2> layout, T scalar) {
  if (b != nullptr) return binary(team, out, a, b, layout, scalar, [](T x, T y) { return power(x, y); });
  if (scalar == T{0}) return fill(team, out, size_of(layout), T{1});
  with_power(scalar, [&](auto raise) { binary(team, out, a, b, layout, scalar, [=](T x, T) { return raise(x); }); });
}

template <class T>
void prelu(const Team& team, T* out, const T* a, const T* b, Layout<2> layout, T scalar) {
  binary(team, out, a, b, layout, scalar, [](T x, T w) { return x > T{0} ? x : w * x; });
}

template <class T>
void prelu_backward_input(const Team& team, T* out, const T* dy, const T* a, const T* b, Layout<3> layout, T scalar) {
  ternary(team, out, dy, a, b, layout, scalar, scalar, scalar, [](T g, T x, T w) { return x > T{0} ? g : w * g; });
}

template <class T>
void prelu_backward_weight(const Team& team, T* out, const T* dy, const T* a, const T* b, Layout<3> layout, T scalar) {
  ternary(team, out, dy, a, b, layout, scalar, scalar, scalar, [](T g, T x, T) { return x > T{0} ? T{0} : g * x; });
}

template <class T>
void where(const Team& team, T* out, const T* a, const T* b, const bool* condition, Layout<3> layout, T a_scalar,
           T b_scalar) {
  ternary(team, out, a, b, reinterpret_cast<const std::uint8_t*>(condition), layout, a_scalar, b_scalar,
          std::uint8_t{0}, [](T x, T y, std::uint8_t c) { return c != 0 ? x : y; });
}

template <class T>
void div_backward(const Team& team, T* out, const T* dy, const T* a, const T* b, Layout<3> layout, T scalar) {
  ternary(team, out, dy, a, b, layout, scalar, scalar, scalar, [](T g, T x, T y) { return -(g / y) * (x / y); });
}

// PyTorch's rule: equal operands share the gradient.
template <class T>
void maximum_backward(const Team& team, T* out, const T* dy, const T* a, const T* b, Layout<3> layout, T scalar) {
  ternary(team, out, dy, a, b, layout, scalar, scalar, scalar, [](T g, T x, T y) {
    const T shared = x == y ? g * T(0.5) : g;
    return x < y ? T{0} : shared;
  });
}

// Where the exponent is 0 the gradient is 0, not 0 · ∞.
template <class T>
void pow_backward_base(const Team& team, T* out, const T* dy, const T* a, const T* b, Layout<3> layout, T scalar) {
  if (b != nullptr)
    return ternary(team, out, dy, a, b, layout, scalar, scalar, scalar,
                   [](T g, T x, T y) { return y == T{0} ? T{0} : g * (y * power(x, y - T{1})); });
  if (scalar == T{0}) return fill(team, out, size_of(layout), T{0});
  Layout<2> two = {layout.ndim, {}, {}};
  for (int d = 0; d < layout.ndim; ++d) {
    two.shape[d] = layout.shape[d];
    for (int k = 0; k < 2; ++k) two.stride[k][d] = layout.stride[k][d];
  }
  if (scalar == T{1}) return binary(team, out, dy, a, two, scalar, [](T g, T) { return g; });
  with_power(scalar - T{1}, [&](auto raise) {
    binary(team, out, dy, a, two, scalar, [=](T g, T x) { return g * (scalar * raise(x)); });
  });
}

// Where the base is 0 and the exponent is not negative the gradient is 0, not 0 · −∞.
template <class T>
void pow_backward_exponent(const Team& team, T* out, const T* dy, const T* a, const T* b, Layout<3> layout, T scalar) {
  ternary(team, out, dy, a, b, layout, scalar, scalar, scalar, [](T g, T x, T y) __attribute__((always_inline)) {
    const T slope = power(x, y) * nnative::log(x);
    return ((x == T{0}) & (y >= T{0})) ? T{0} : g * slope;
  });
}

template <class T>
constexpr ElementwiseKernels<T> kTable{
    .neg = neg,
    .abs = abs,
    .sqrt = sqrt,
    .clip = clip,
    .fill = fill,
    .accumulate = accumulate,
    .from_float = convert,
    .from_double = convert,
    .from_int64 = convert,
    .from_byte = convert,
    .abs_backward = abs_backward,
    .sqrt_backward = sqrt_backward,
    .clip_backward = clip_backward,
    .add = add,
    .sub = sub,
    .mul = mul,
    .div = div,
    .maximum = maximum,
    .minimum = minimum,
    .pow = pow,
    .add_relu = add_relu,
    .prelu = prelu,
    .where = where,
    .div_backward = div_backward,
    .maximum_backward = maximum_backward,
    .pow_backward_base = pow_backward_base,
    .pow_backward_exponent = pow_backward_exponent,
    .prelu_backward_input = prelu_backward_input,
    .prelu_backward_weight = prelu_backward_weight,
};

}  // namespace

extern const ElementwiseKernels<float> elementwise_f32;
extern const ElementwiseKernels<double> elementwise_f64;
constinit const ElementwiseKernels<float> elementwise_f32 = kTable<float>;
constinit const ElementwiseKernels<double> elementwise_f64 = kTable<double>;

}  // namespace nnative::NNATIVE_ISA
