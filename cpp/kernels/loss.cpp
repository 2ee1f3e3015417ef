#include "kernels/loss.hpp"

#include "kernels/simd.hpp"

namespace nnative::NNATIVE_ISA {

extern const LossKernels<float> loss_f32;
extern const LossKernels<double> loss_f64;
constinit const LossKernels<float> loss_f32{};
constinit const LossKernels<double> loss_f64{};

}  // namespace nnative::NNATIVE_ISA
