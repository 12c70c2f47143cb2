// Our own Winograd on vectors of sixteen floats: the one file that is compiled for AVX-512. It runs
// only where the processor has it.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define LRSCOPE_AVX512
#include "kernels/winograd/loops.h"

namespace lrscope::winograd {

namespace {
constexpr Variant kVariant = {"winograd:avx512 F(4x4,3x3)", avx512::Blocks::fit,
                              avx512::scratchBytesOf, avx512::stepOf};
}  // namespace
const Variant* const kAvx512 = &kVariant;

}  // namespace lrscope::winograd
#else
#include "kernels/winograd/variant.h"
const lrscope::winograd::Variant* const lrscope::winograd::kAvx512 = nullptr;
#endif
