#include "kernels/activation.hpp"

#include "kernels/simd.hpp"

namespace nnative::NNATIVE_ISA {

extern const ActivationKernels<float> activation_f32;
extern const ActivationKernels<double> activation_f64;
constinit const ActivationKernels<float> activation_f32{};
constinit const ActivationKernels<double> activation_f64{};

}  // namespace nnative::NNATIVE_ISA
