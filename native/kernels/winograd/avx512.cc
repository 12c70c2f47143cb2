// Our own Winograd on vectors of sixteen floats. The addon's other files are compiled for AVX2;
// this one asks for AVX-512 by a pragma of GCC's, and runs only where the processor has it.
#if defined(__AVX2__) && defined(__FMA__) && !defined(__clang__)
#define LRSCOPE_AVX512
#include "kernels/winograd/loops.h"

namespace lrscope::winograd {

namespace {
constexpr Variant kVariant = {"winograd:avx512 F(4x4,3x3)", Blocks::fit, avx512::scratchBytesOf,
                              avx512::stepOf};
}  // namespace
const Variant* const kAvx512 = &kVariant;

}  // namespace lrscope::winograd
#else
#include "kernels/winograd/variant.h"
const lrscope::winograd::Variant* const lrscope::winograd::kAvx512 = nullptr;
#endif
