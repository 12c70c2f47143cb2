// A first block on vectors of eight floats.
#if defined(__AVX2__) && defined(__FMA__)
#include "kernels/conv_norm_pool/loops.h"

namespace lrscope::conv_norm_pool {

namespace {
constexpr Variant kVariant = {avx2::takes, avx2::ownFloats, avx2::sumMoments, avx2::normalise,
                              avx2::sumGradients};
}  // namespace
const Variant* const kAvx2 = &kVariant;

}  // namespace lrscope::conv_norm_pool
#else
#include "kernels/conv_norm_pool/conv_norm_pool.h"
const lrscope::conv_norm_pool::Variant* const lrscope::conv_norm_pool::kAvx2 = nullptr;
#endif
