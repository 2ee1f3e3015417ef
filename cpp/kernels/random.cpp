#include "kernels/random.hpp"

#include "kernels/simd.hpp"

namespace nnative::NNATIVE_ISA {

extern const RandomKernels<float> random_f32;
extern const RandomKernels<double> random_f64;
constinit const RandomKernels<float> random_f32{};
constinit const RandomKernels<double> random_f64{};

}  // namespace nnative::NNATIVE_ISA
