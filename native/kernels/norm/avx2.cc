// Batch normalisation on vectors of eight floats, which the compiler makes of what there is where
// there is no AVX2.
#include "kernels/norm/loops.h"

const lrscope::norm::Variant* const lrscope::norm::kAvx2 = &lrscope::norm::avx2::kVariant;
