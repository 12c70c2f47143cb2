// Our own Winograd on vectors of eight floats.
#if defined(__AVX2__) && defined(__FMA__)
#include "kernels/winograd/loops.h"

namespace lrscope::winograd {

namespace {
constexpr Variant kVariant = {"winograd:avx2 F(4x4,3x3)", avx2::Blocks::fit, avx2::scratchBytesOf,
                              avx2::stepOf};
}  // namespace
const Variant* const kAvx2 = &kVariant;

}  // namespace lrscope::winograd
#else
#include "kernels/winograd/variant.h"
const lrscope::winograd::Variant* const lrscope::winograd::kAvx2 = nullptr;
#endif
