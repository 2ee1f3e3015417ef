// Types of the kernels that apply one function to each element. A list of functions, each with the names of its scalar
// arguments, makes tables and bindings: an argument of the kernel for each name.
#pragma once

#include "runtime/team.hpp"

namespace nnative {

template <class T, class Name>
using Scalar = T;

// Never defined: their results are the types, for any number of names.
template <class T, class... Names>
auto forward_kernel(Names...) -> void (*)(const Team&, T* y, const T* x, Index size, Scalar<T, Names>...);
template <class T, class... Names>
auto backward_kernel(Names...)
    -> void (*)(const Team&, T* dx, const T* dy, const T* saved, Index size, Scalar<T, Names>...);

}  // namespace nnative
