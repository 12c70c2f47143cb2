// A first block on vectors of sixteen floats, compiled for AVX-512 and run only where the processor
// has it.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define LRSCOPE_AVX512
#include "kernels/conv_norm_pool/loops.h"

namespace lrscope::conv_norm_pool {

namespace {
constexpr Variant kVariant = {avx512::takes, avx512::ownFloats, avx512::sumMoments,
                              avx512::normalise, avx512::sumGradients};
}  // namespace
const Variant* const kAvx512 = &kVariant;

}  // namespace lrscope::conv_norm_pool
#else
#include "kernels/conv_norm_pool/conv_norm_pool.h"
const lrscope::conv_norm_pool::Variant* const lrscope::conv_norm_pool::kAvx512 = nullptr;
#endif
