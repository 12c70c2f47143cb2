// Products by tiles: compiled for AVX-512, with AMX in the functions that use it, and run only
// where the processor has both.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && \
    defined(__AVX512VL__) && defined(__linux__)
#include "kernels/tiles/gradient.h"
#include "kernels/tiles/weights.h"

namespace lrscope::tiles {

namespace {
constexpr Variant kVariant = {avx512::scratchBytesOf, avx512::stepOf, avx512::weaveOf};
}  // namespace
const Variant* const kAmx = &kVariant;

}  // namespace lrscope::tiles
#else
#include "kernels/tiles/tiles.h"
const lrscope::tiles::Variant* const lrscope::tiles::kAmx = nullptr;
#endif
