// Products of bf16 on a processor that has none, for tests and studies: operands are widened into
// the scratchpad, the f32 kernel runs, and what it computes is rounded. The numbers are those of
// the instructions for bf16, which also sum in f32, but for the order of the sums.
#pragma once
#include "engine/kernel.h"

namespace lrscope::emulated {

// Whether a question has operands of bf16.
bool concerns(const LayoutQuestion& question);

// What `kernel` wants for f32, direct where it has more than one implementation.
LayoutAnswer choose(const Kernel& kernel, const LayoutQuestion& question);

// Whether the name is of an implementation that `choose` has given.
bool names(const std::string& implementation);

std::unique_ptr<Step> makeStep(const Kernel& kernel, const Site& site);

}  // namespace lrscope::emulated
