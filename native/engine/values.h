// The values of a session's buffers, in logical order, whatever layout and type they are kept in.
#pragma once
#include "engine/kernel.h"

namespace lrscope {

// An Initializer of src/core/initializer.ts.
struct Initializer {
  enum class Kind { constant, uniform, normal } kind;
  double first, second;  // value | low, high | std
};

// What a tensor is drawn by, beside its own ordinal.
struct Draw {
  uint32_t seed, ordinal;
};

// Element i of an f32 buffer is a function of (seed, ordinal, i) alone.
void initialize(const Operand& operand, const Initializer& initializer, Draw draw, int threads);

// The elements [from, to), of those that there are.
struct Range {
  int64_t from, to;
};

// `to` has room for the range.
void readValues(const Operand& operand, Range range, float* to, int threads);

// The padding becomes zero.
void writeValues(const Operand& operand, const float* from, int threads);

}  // namespace lrscope
