#include "kernels/linear.hpp"

#include "kernels/simd.hpp"

namespace nnative::NNATIVE_ISA {

extern const LinearKernels<float> linear_f32;
extern const LinearKernels<double> linear_f64;
constinit const LinearKernels<float> linear_f32{};
constinit const LinearKernels<double> linear_f64{};

}  // namespace nnative::NNATIVE_ISA
