#include "kernels/table.hpp"

#define NNATIVE_STRING(text) #text
#define NNATIVE_NAME(macro) NNATIVE_STRING(macro)

namespace nnative::NNATIVE_ISA {

#define NNATIVE_FAMILY(Type, name)     \
  extern const Type<float> name##_f32; \
  extern const Type<double> name##_f64;
NNATIVE_FAMILY(LinearKernels, linear)
NNATIVE_FAMILY(ActivationKernels, activation)
NNATIVE_FAMILY(LossKernels, loss)
NNATIVE_FAMILY(OptimKernels, optim)
NNATIVE_FAMILY(OptimAdaptiveKernels, optim_adaptive)
NNATIVE_FAMILY(ListsKernels, lists)
NNATIVE_FAMILY(RandomKernels, random)
NNATIVE_FAMILY(GatherKernels, gather)
NNATIVE_FAMILY(ElementwiseKernels, elementwise)
NNATIVE_FAMILY(ReduceKernels, reduce)
NNATIVE_FAMILY(NormKernels, norm)
NNATIVE_FAMILY(RowNormKernels, row_norm)
NNATIVE_FAMILY(DropoutKernels, dropout)
extern const ShapeKernels shape_kernels;

extern const KernelTable table;
constinit const KernelTable table{
    NNATIVE_NAME(NNATIVE_ISA),
    {&linear_f32, &activation_f32, &loss_f32, &optim_f32, &optim_adaptive_f32, &lists_f32, &random_f32, &gather_f32,
     &elementwise_f32, &reduce_f32, &norm_f32, &row_norm_f32, &dropout_f32},
    {&linear_f64, &activation_f64, &loss_f64, &optim_f64, &optim_adaptive_f64, &lists_f64, &random_f64, &gather_f64,
     &elementwise_f64, &reduce_f64, &norm_f64, &row_norm_f64, &dropout_f64},
    &shape_kernels,
};

}  // namespace nnative::NNATIVE_ISA
