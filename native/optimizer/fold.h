// Vector code of an optimizer's phase, with copies folded away: a load becomes an operand in
// memory, a store the target of the instruction before it, wherever the order of reads and writes
// allows it.
#pragma once
#include <vector>

#include "optimizer/program.h"

namespace lrscope {

// Where a vector instruction finds or leaves a slice: a register, a source (parameter, gradient,
// state), or a slot, which is one value.
struct Place {
  enum class Kind { reg, source, slot } kind = Kind::slot;
  int index = 0;

  bool operator==(const Place& other) const { return kind == other.kind && index == other.index; }
};

struct FoldedInstruction {
  VectorOp op;  // never load or store; a copy is "fill"
  Place to, a, b;
  // Slot that b is first multiplied by; -1: it is taken as it is.
  int scale = -1;
};

// Of an operation on a running value and an operand: what the operand is, and which comes first.
enum class Variant { vector, scalar, vectorFirst, scalarFirst, scaled };

constexpr int dispatchOf(VectorOp op, Variant variant) {
  return static_cast<int>(op) * 8 + static_cast<int>(variant);
}

// The code as operations on one running value, which stays in machine registers for as long as each
// instruction uses the result of the one before it. "fill" begins it anew, with the operand.
struct Link {
  int dispatch;  // what is done, in one number
  Place operand;
  int scale;    // slot, or -1
  bool stored;  // whether anything but the next link reads the result
  Place to;
};

struct FoldedCode {
  std::vector<FoldedInstruction> code;
  std::vector<Link> links;
  // Of each reduction of the phase.
  std::vector<Place> reduced;
  // Sources that the code reads, and that it writes.
  std::vector<int> read, written;
};

FoldedCode fold(const Phase& phase);

}  // namespace lrscope
