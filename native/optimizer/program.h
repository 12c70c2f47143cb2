// The optimizer's part of a step, as src/program/types.ts describes it, with operands resolved.
#pragma once
#include <array>

#include "engine/kernel.h"

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

// What the vectors of a phase have a value for.
enum class Domain { parameter, row, column };

enum class MatrixOp { none, newtonSchulz, rowMean, columnMean, spreadRows, spreadColumns };

// Either vector code with reductions and scalar code, or, where matrix is not none, an operation on
// each segment's (out, in) matrix.
struct Phase {
  Domain domain = Domain::parameter;
  bool allSegments = true;
  std::vector<int> segments;  // where not all
  std::vector<VectorInstruction> code;
  std::vector<Reduction> reductions;
  std::vector<ScalarInstruction> scalarCode;
  MatrixOp matrix = MatrixOp::none;
  int source = 0, target = 0;
  // Of newtonSchulz.
  std::array<double, 3> coefficients{};
  int steps = 0;
  double epsilon = 0;
};

struct Segment {
  // Parameter, gradient, state, scratch; without bytes where the segment does not have it.
  std::vector<Operand> memory;
  int64_t elements, rows, columns;
  std::vector<double> scalars;
  // Slot of the run's scalars that stand for those at firstRunSlot; -1: these themselves.
  int ownSlots = -1;

  int64_t extent(Domain domain) const {
    return domain == Domain::parameter ? elements : domain == Domain::row ? rows : columns;
  }
};

// A state of one value: its source, the slot that it is read into, and the one that it is written
// from, or -1.
struct ScalarState {
  int source, load, store;
  bool allSegments = true;
  std::vector<int> segments;
};

struct OptimizerProgram {
  int registers, slots;
  std::vector<int> segmentSlots;
  // The run's scalars that the rules read, of which segments may have their own.
  int firstRunSlot = 0, runSlots = 0;
  std::vector<ScalarState> scalarStates;
  std::vector<Phase> phases;
  std::vector<Segment> segments;
};

// The step of a matrix phase for one segment; workspace is scratch memory of workspaceBytes at
// least.
std::unique_ptr<Step> matrixStep(const Phase& phase, const Segment& segment,
                                 const Operand& workspace);

// Refuses a program that would read or write out of bounds. `scalars`: of the whole program.
void checkOptimizer(const OptimizerProgram& program, int64_t scalars);

}  // namespace lrscope
