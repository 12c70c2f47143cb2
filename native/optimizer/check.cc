// What guards memory in an optimizer's program: every index within its bounds, every operand large
// enough.
#include <algorithm>

#include "optimizer/program.h"

namespace lrscope {

namespace {

void expectIndex(int index, int bound, const char* what) {
  if (index < 0 || index >= bound)
    throw Refusal(std::string(what) + " " + std::to_string(index) + " is not below " +
                  std::to_string(bound));
}

// What the segments of a phase or scalar state must have, of one source.
void checkSource(const OptimizerProgram& program, bool all, const std::vector<int>& only,
                 int source, Domain domain, bool oneValue = false) {
  const auto checkSegment = [&](const Segment& segment) {
    expectIndex(source, static_cast<int>(segment.memory.size()), "source");
    const Operand& operand = segment.memory[source];
    if (operand.bytes == 0)
      throw Refusal("\"" + segment.memory[0].name + "\" has no source " + std::to_string(source));
    expectType(operand, DType::f32);
    const int64_t needed = oneValue ? 1 : segment.extent(domain);
    if (operand.bytes / sizeof(float) < static_cast<size_t>(needed))
      throw Refusal("\"" + operand.name + "\" must hold the " + std::to_string(needed) +
                    " elements of \"" + segment.memory[0].name + "\"");
    if (operand.region != Region::persistent && operand.region != Region::arena)
      throw Refusal("\"" + operand.name + "\" lies in a region that cannot be updated");
  };
  if (all)
    for (const Segment& segment : program.segments) checkSegment(segment);
  else
    for (const int s : only) checkSegment(program.segments[s]);
}

void checkVectorPhase(const OptimizerProgram& program, const Phase& phase) {
  const auto slot = [&](int index) { expectIndex(index, program.slots, "slot"); };
  const auto reg = [&](int index) { expectIndex(index, program.registers, "register"); };
  const auto source = [&](int index) {
    checkSource(program, phase.allSegments, phase.segments, index, phase.domain);
  };
  for (const VectorInstruction& instruction : phase.code) {
    if (instruction.op == VectorOp::load) {
      source(instruction.a.index);
      reg(instruction.target);
      continue;
    }
    if (instruction.op == VectorOp::store)
      source(instruction.target);
    else
      reg(instruction.target);
    for (const VectorOperand& operand : {instruction.a, instruction.b}) {
      if (operand.slot)
        slot(operand.index);
      else
        reg(operand.index);
    }
  }
  for (const Reduction& reduction : phase.reductions) {
    reg(reduction.reg);
    slot(reduction.target);
  }
  for (const ScalarInstruction& instruction : phase.scalarCode)
    for (const int index : {instruction.target, instruction.a, instruction.b}) slot(index);
}

}  // namespace

void checkOptimizer(const OptimizerProgram& program, int64_t scalars) {
  if (program.registers < 0 || program.registers > 1024 || program.slots > 65536 ||
      program.slots < scalars)
    throw Refusal("has an impossible number of registers or slots");
  const auto slot = [&](int index) { expectIndex(index, program.slots, "slot"); };
  const auto segments = [&](const std::vector<int>& only) {
    for (const int s : only) expectIndex(s, static_cast<int>(program.segments.size()), "segment");
  };
  for (const int index : program.segmentSlots) slot(index);
  for (const Segment& segment : program.segments) {
    if (segment.scalars.size() != program.segmentSlots.size())
      throw Refusal("a segment's scalars do not match segmentSlots");
    for (const int first : {segment.ownSlots, program.firstRunSlot})
      if (segment.ownSlots >= 0 && first + int64_t{program.runSlots} > program.slots)
        throw Refusal("a segment's own slots do not match runSlots");
  }
  for (int source : {0, 1}) checkSource(program, true, {}, source, Domain::parameter);
  for (const ScalarState& state : program.scalarStates) {
    segments(state.segments);
    slot(state.load);
    if (state.store >= 0) slot(state.store);
    checkSource(program, state.allSegments, state.segments, state.source, Domain::parameter, true);
  }
  for (const Phase& phase : program.phases) {
    segments(phase.segments);
    if (phase.matrix == MatrixOp::none) {
      checkVectorPhase(program, phase);
      continue;
    }
    const auto source = [&](int index, Domain domain) {
      checkSource(program, phase.allSegments, phase.segments, index, domain);
    };
    const bool fromRows = phase.matrix == MatrixOp::spreadRows;
    const bool fromColumns = phase.matrix == MatrixOp::spreadColumns;
    source(phase.source, fromRows ? Domain::row : fromColumns ? Domain::column : Domain::parameter);
    source(phase.target, phase.matrix == MatrixOp::rowMean      ? Domain::row
                         : phase.matrix == MatrixOp::columnMean ? Domain::column
                                                                : Domain::parameter);
  }
}

}  // namespace lrscope
