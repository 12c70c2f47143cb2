// Batch normalisation on vectors of sixteen floats, compiled for AVX-512 and run only where the
// processor has it.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define LRSCOPE_AVX512
#include "kernels/norm/loops.h"

const lrscope::norm::Variant* const lrscope::norm::kAvx512 = &lrscope::norm::avx512::kVariant;
#else
#include "kernels/norm/variant.h"
const lrscope::norm::Variant* const lrscope::norm::kAvx512 = nullptr;
#endif
