#include "kernels/optim.hpp"

#include "kernels/simd.hpp"

namespace nnative::NNATIVE_ISA {

extern const OptimKernels<float> optim_f32;
extern const OptimKernels<double> optim_f64;
constinit const OptimKernels<float> optim_f32{};
constinit const OptimKernels<double> optim_f64{};

}  // namespace nnative::NNATIVE_ISA
