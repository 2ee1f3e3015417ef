// The kernel table: every kernel of one instruction set, by family.
#pragma once

#include "kernels/activation.hpp"
#include "kernels/dropout.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/gather.hpp"
#include "kernels/linear.hpp"
#include "kernels/lists.hpp"
#include "kernels/loss.hpp"
#include "kernels/norm.hpp"
#include "kernels/optim.hpp"
#include "kernels/optim_adaptive.hpp"
#include "kernels/random.hpp"
#include "kernels/reduce.hpp"
#include "kernels/row_norm.hpp"
#include "kernels/shape.hpp"

namespace nnative {

template <class T>
struct Kernels {
  const LinearKernels<T>* linear;
  const ActivationKernels<T>* activation;
  const LossKernels<T>* loss;
  const OptimKernels<T>* optim;
  const OptimAdaptiveKernels<T>* optim_adaptive;
  const ListsKernels<T>* lists;
  const RandomKernels<T>* random;
  const GatherKernels<T>* gather;
  const ElementwiseKernels<T>* elementwise;
  const ReduceKernels<T>* reduce;
  const NormKernels<T>* norm;
  const RowNormKernels<T>* row_norm;
  const DropoutKernels<T>* dropout;
};

struct KernelTable {
  const char* isa;
  Kernels<float> f32;
  Kernels<double> f64;
  const ShapeKernels* shape;
};

}  // namespace nnative
