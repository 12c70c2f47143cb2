// A Winograd convolution for one width of vector: winograd.cc chooses between them,
// winograd_loops.h makes one.
#pragma once
#include "kernels/winograd/winograd.h"

namespace lrscope::winograd {

struct Variant {
  const char* name;
  // Whether it can run with an activation in the layout that it has; weights may have any.
  bool (*takes)(const Tensor& activation);
  // Of the instruction, for the threads that OpenMP would use now.
  size_t (*scratchBytes)(Pass pass, const Problem& problem);
  std::unique_ptr<Step> (*makeStep)(Pass pass, const Site& site, const Product& product,
                                    Pair padding);
};

// winograd_avx2.cc and winograd_avx512.cc; null in a build without them.
extern const Variant* const kAvx2;
extern const Variant* const kAvx512;

}  // namespace lrscope::winograd
