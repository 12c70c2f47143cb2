#include "optimizer/fold.h"

#include <algorithm>
#include <map>

namespace lrscope {

namespace {

// Operands that the instruction reads.
size_t operandsOf(VectorOp op) {
  switch (op) {
    case VectorOp::load:
      return 0;
    case VectorOp::add:
    case VectorOp::sub:
    case VectorOp::mul:
    case VectorOp::div:
    case VectorOp::max:
    case VectorOp::min:
      return 2;
    default:
      return 1;
  }
}

// What an instruction computed, from there to the register's next definition.
struct Result {
  size_t defined;
  size_t lastUse;  // code.size() for what a reduction reads
  Place place;
};

class Folder {
 public:
  explicit Folder(const Phase& phase)
      : code_(phase.code), resultOf_(phase.code.size(), kNone), dropped_(phase.code.size()) {
    nameResults(phase);
    for (size_t i = 0; i < code_.size(); ++i)
      if (code_[i].op == VectorOp::load) foldLoad(i);
    for (size_t i = 0; i < code_.size(); ++i)
      if (code_[i].op == VectorOp::store) foldStore(i);
  }

  FoldedCode finish() const {
    FoldedCode folded;
    for (size_t i = 0; i < code_.size(); ++i) {
      if (dropped_[i]) continue;
      const VectorInstruction& from = code_[i];
      if (from.op == VectorOp::load)
        folded.code.push_back({VectorOp::fill,
                               results_[resultOf_[i]].place,
                               {Place::Kind::source, from.a.index},
                               {}});
      else if (from.op == VectorOp::store)
        folded.code.push_back(
            {VectorOp::fill, {Place::Kind::source, from.target}, placeOf(i, 0), {}, -1});
      else
        folded.code.push_back(
            {from.op, results_[resultOf_[i]].place, placeOf(i, 0), placeOf(i, 1), -1});
    }
    for (const int result : reduced_)
      folded.reduced.push_back(result == kNone ? Place{} : results_[result].place);
    return folded;
  }

 private:
  static constexpr int kNone = -1;

  // Results by the place that each has in the code.
  void nameResults(const Phase& phase) {
    std::map<int, int> current;  // of each register
    uses_.resize(code_.size());
    for (size_t i = 0; i < code_.size(); ++i) {
      const VectorInstruction& instruction = code_[i];
      const VectorOperand* operands[] = {&instruction.a, &instruction.b};
      for (size_t o = 0; o < 2; ++o) {
        uses_[i][o] = kNone;
        if (operands[o]->slot || o >= operandsOf(instruction.op)) continue;
        const auto found = current.find(operands[o]->index);
        if (found == current.end()) throw Refusal("a vector register is read before it is written");
        uses_[i][o] = found->second;
        results_[found->second].lastUse = i;
      }
      if (instruction.op == VectorOp::store) continue;
      resultOf_[i] = static_cast<int>(results_.size());
      current[instruction.target] = resultOf_[i];
      results_.push_back({i, i, {Place::Kind::reg, instruction.target}});
    }
    for (const Reduction& reduction : phase.reductions) {
      const auto found = current.find(reduction.reg);
      reduced_.push_back(found == current.end() ? kNone : found->second);
      if (found != current.end()) results_[found->second].lastUse = code_.size();
    }
  }

  // Whether an instruction strictly between two stores into a source.
  bool stores(int source, size_t after, size_t before) const {
    for (size_t i = after + 1; i < before && i < code_.size(); ++i)
      if (code_[i].op == VectorOp::store && code_[i].target == source) return true;
    return false;
  }

  // Whether one strictly between reads it, by a load or as a folded operand.
  bool reads(int source, size_t after, size_t before) const {
    for (size_t i = after + 1; i < before; ++i) {
      if (code_[i].op == VectorOp::load && !dropped_[i] && code_[i].a.index == source) return true;
      for (const int result : uses_[i])
        if (result != kNone && results_[result].place.kind == Place::Kind::source &&
            results_[result].place.index == source)
          return true;
    }
    return false;
  }

  // Its uses read memory, unless that is written before the last of them.
  void foldLoad(size_t i) {
    Result& result = results_[resultOf_[i]];
    const int source = code_[i].a.index;
    if (stores(source, i, result.lastUse)) return;
    result.place = {Place::Kind::source, source};
    dropped_[i] = true;
  }

  // What is stored is written to memory at once, unless that is still read or written before, or
  // written again while the result is in use.
  void foldStore(size_t i) {
    const int use = uses_[i][0];
    if (use == kNone || results_[use].place.kind != Place::Kind::reg) return;
    Result& result = results_[use];
    const int source = code_[i].target;
    if (reads(source, result.defined, i) || stores(source, result.defined, i) ||
        stores(source, i, result.lastUse))
      return;
    result.place = {Place::Kind::source, source};
    dropped_[i] = true;
  }

  Place placeOf(size_t i, size_t operand) const {
    const VectorOperand& from = operand == 0 ? code_[i].a : code_[i].b;
    if (operand >= operandsOf(code_[i].op)) return {};
    if (uses_[i][operand] != kNone) return results_[uses_[i][operand]].place;
    return {Place::Kind::slot, from.index};
  }

  const std::vector<VectorInstruction>& code_;
  std::vector<Result> results_;
  std::vector<int> resultOf_;             // of each instruction
  std::vector<std::array<int, 2>> uses_;  // results that it reads
  std::vector<bool> dropped_;
  std::vector<int> reduced_;
};

// The instruction that last wrote a register before `before`; code.size() where there is none.
size_t writerOf(const std::vector<FoldedInstruction>& code, const Place& place, size_t before) {
  for (size_t i = before; i-- > 0;)
    if (code[i].to == place) return i;
  return code.size();
}

bool written(const std::vector<FoldedInstruction>& code, const Place& place, size_t after,
             size_t before) {
  for (size_t i = after + 1; i < before; ++i)
    if (code[i].to == place) return true;
  return false;
}

// Whether a register's value, written by `from`, is read by instruction `by` alone.
bool readOnlyBy(const FoldedCode& folded, size_t from, size_t by) {
  const Place& place = folded.code[from].to;
  for (size_t i = from + 1; i < folded.code.size(); ++i) {
    const FoldedInstruction& instruction = folded.code[i];
    if (i == by ? instruction.a == instruction.b : instruction.a == place || instruction.b == place)
      return false;
    if (instruction.to == place) return true;
  }
  return std::find(folded.reduced.begin(), folded.reduced.end(), place) == folded.reduced.end();
}

// x = s y; ...; z = previous + x, the running average of many a rule, becomes one instruction.
void absorbScaling(FoldedCode& folded) {
  std::vector<FoldedInstruction>& code = folded.code;
  for (size_t j = 1; j < code.size(); ++j) {
    if (code[j].op != VectorOp::add) continue;
    FoldedInstruction sum = code[j];
    if (sum.b == code[j - 1].to) std::swap(sum.a, sum.b);
    if (!(sum.a == code[j - 1].to) || sum.b.kind != Place::Kind::reg) continue;
    const size_t i = writerOf(code, sum.b, j);
    if (i + 1 >= j || code[i].op != VectorOp::mul || code[i].scale >= 0) continue;
    Place y = code[i].a, s = code[i].b;
    if (y.kind == Place::Kind::slot) std::swap(y, s);
    if (s.kind != Place::Kind::slot || y.kind == Place::Kind::slot || written(code, y, i, j) ||
        !readOnlyBy(folded, i, j))
      continue;
    code[j] = {VectorOp::add, sum.to, sum.a, y, s.index};
    code.erase(code.begin() + static_cast<std::ptrdiff_t>(i));
    --j;
  }
}

// Whether a result is read after instruction `next`, or is memory.
bool outlives(const FoldedCode& folded, size_t defined, size_t next) {
  const Place& place = folded.code[defined].to;
  if (place.kind == Place::Kind::source) return true;
  for (size_t i = next + 1; i < folded.code.size(); ++i) {
    const FoldedInstruction& instruction = folded.code[i];
    if (instruction.a == place || instruction.b == place) return true;
    if (instruction.to == place) return false;
  }
  return std::find(folded.reduced.begin(), folded.reduced.end(), place) != folded.reduced.end();
}

std::vector<Link> linksOf(const FoldedCode& folded) {
  std::vector<Link> links;
  for (size_t i = 0; i < folded.code.size(); ++i) {
    const FoldedInstruction& instruction = folded.code[i];
    const bool fromA = i > 0 && instruction.a == folded.code[i - 1].to;
    const bool fromB = i > 0 && instruction.b == folded.code[i - 1].to;
    const bool continues = fromA != fromB;
    const bool operandFirst = continues && fromB;
    const auto scalar = [](const Place& place) { return place.kind == Place::Kind::slot; };
    if (continues) {
      const Place& previous = links.back().to;
      links.back().stored = !(instruction.to == previous && previous.kind == Place::Kind::reg) &&
                            outlives(folded, i - 1, i);
    } else {
      const Variant variant = scalar(instruction.a) ? Variant::scalar : Variant::vector;
      links.push_back(
          {dispatchOf(VectorOp::fill, variant), instruction.a, -1, false, instruction.to});
    }
    if (instruction.op == VectorOp::fill && !continues) {
      links.back().stored = true;
      continue;
    }
    const Place& operand = operandFirst ? instruction.a : instruction.b;
    const Variant variant = operandFirst
                                ? (scalar(operand) ? Variant::scalarFirst : Variant::vectorFirst)
                                : (scalar(operand) ? Variant::scalar : Variant::vector);
    if (instruction.scale >= 0) {
      links.push_back({dispatchOf(VectorOp::add, Variant::scaled), instruction.b, instruction.scale,
                       true, instruction.to});
      continue;
    }
    // A copy of the running value only stores it.
    const VectorOp op = instruction.op == VectorOp::fill ? VectorOp::store : instruction.op;
    links.push_back({dispatchOf(op, variant), operand, -1, true, instruction.to});
  }
  return links;
}

void collect(std::vector<int>& sources, const Place& place) {
  if (place.kind == Place::Kind::source &&
      std::find(sources.begin(), sources.end(), place.index) == sources.end())
    sources.push_back(place.index);
}

}  // namespace

FoldedCode fold(const Phase& phase) {
  FoldedCode folded = Folder(phase).finish();
  absorbScaling(folded);
  folded.links = linksOf(folded);
  for (const FoldedInstruction& instruction : folded.code) {
    collect(folded.read, instruction.a);
    collect(folded.read, instruction.b);
    collect(folded.written, instruction.to);
  }
  return folded;
}

}  // namespace lrscope
