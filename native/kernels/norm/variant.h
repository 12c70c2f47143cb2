// Batch normalisation for one width of vector: norm.cc chooses between them.
#pragma once
#include "kernels/kernels.h"

namespace lrscope::norm {

struct Variant {
  Kernel train, evaluate, evaluateBackward, backward;
  Kernel addTrain, addEvaluate, addBackward;
  Kernel poolTrain, poolBackward;
};

// avx2.cc and avx512.cc; the second is null in a build without it.
extern const Variant* const kAvx2;
extern const Variant* const kAvx512;

}  // namespace lrscope::norm
