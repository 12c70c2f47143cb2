// The optimizer's part of a step, as src/program/types.ts describes it, with operands resolved.
#pragma once
#include "kernels/kernel.h"

namespace lrscope {

enum class VectorOp {
  load,
  store,
  add,
  sub,
  mul,
  div,
  max,
  min,
  sqrt,
  abs,
  sign,
  square,
  negate,
  fill
};
enum class ScalarOp { add, sub, mul, div, max, min, sqrt, abs, constant, positiveOr };
enum class ReductionOp { sum, max };

// A vector instruction's operand: a register, or a slot rounded to f32.
struct VectorOperand {
  bool slot = false;
  int index = 0;
};

struct VectorInstruction {
  VectorOp op;
  int target;
  VectorOperand a, b;
};

struct ScalarInstruction {
  ScalarOp op;
  int target, a, b;
  double value;
};

struct Reduction {
  ReductionOp op;
  int reg;
  bool all;  // one value for every segment; else the segment's own
  int target;
};

struct Phase {
  std::vector<VectorInstruction> code;
  std::vector<Reduction> reductions;
  std::vector<ScalarInstruction> scalarCode;
};

struct Segment {
  std::vector<Operand> memory;  // parameter, gradient, state...
  int64_t elements;
  std::vector<double> scalars;
};

struct OptimizerProgram {
  int registers, slots;
  std::vector<int> segmentSlots;
  std::vector<Phase> phases;
  std::vector<Segment> segments;
};

}  // namespace lrscope
