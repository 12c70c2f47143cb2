// The interpreter of optimizer expressions. A phase walks all segments in blocks of 1,024 floats,
// each in slices that keep every register in L1: one instruction over the slice at a time, so
// that memory is passed over once. A reduction is the sum of its blocks' sums in block order,
// which no thread count changes. -ffp-contract=off: every operation rounds to f32 once, as in the
// reference backend.
#include <omp.h>

#include <cmath>

#include "../optimizer_program.h"
#include "kernels.h"

namespace lrscope {

namespace {

constexpr int64_t kBlock = 1024;  // the unit of reductions: part of the result
constexpr int64_t kSlice = 512;   // the unit of execution: not part of it

struct Block {
  int segment;
  int64_t start, count;
};

// JavaScript's Math.max and Math.min: a NaN wins.
template <class T>
T maxOf(T a, T b) {
  return a > b || a != a ? a : b;
}
template <class T>
T minOf(T a, T b) {
  return a < b || a != a ? a : b;
}

template <class F>
void each(float* to, const float* a, int64_t n, F f) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] = f(a[i]);
}

// An operand of a slice: a register's floats, or one value.
struct Value {
  const float* vector;
  float scalar;
};

template <class F>
void each(float* to, Value a, Value b, int64_t n, F f) {
  if (a.vector && b.vector) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] = f(a.vector[i], b.vector[i]);
  } else if (a.vector) {
    const float y = b.scalar;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] = f(a.vector[i], y);
  } else if (b.vector) {
    const float x = a.scalar;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] = f(x, b.vector[i]);
  } else {
    const float value = f(a.scalar, b.scalar);
    for (int64_t i = 0; i < n; ++i) to[i] = value;
  }
}

class OptimizerStep final : public Step {
 public:
  OptimizerStep(std::shared_ptr<const OptimizerProgram> program, int64_t scalars)
      : program_(std::move(program)), scalars_(scalars) {
    for (size_t s = 0; s < program_->segments.size(); ++s)
      for (int64_t start = 0; start < program_->segments[s].elements; start += kBlock)
        blocks_.push_back(
            {static_cast<int>(s), start, std::min(kBlock, program_->segments[s].elements - start)});
    size_t reductions = 0;
    for (const Phase& phase : program_->phases)
      reductions = std::max(reductions, phase.reductions.size());
    partial_.resize(blocks_.size() * reductions);
    slots_.resize(program_->segments.size() * program_->slots);
    registers_.resize(omp_get_max_threads() * registerFloats() + 16);
  }

  void run(const RunContext& run) override {
    for (size_t s = 0; s < program_->segments.size(); ++s) {
      double* slots = slotsOf(s);
      std::fill(slots, slots + program_->slots, 0.0);
      std::copy(run.scalars, run.scalars + scalars_, slots);
      for (size_t i = 0; i < program_->segmentSlots.size(); ++i)
        slots[program_->segmentSlots[i]] = program_->segments[s].scalars[i];
    }
    for (const Phase& phase : program_->phases) runPhase(phase, run);
  }

 private:
  double* slotsOf(size_t segment) { return slots_.data() + segment * program_->slots; }
  size_t registerFloats() const { return static_cast<size_t>(program_->registers) * kSlice; }

  void runPhase(const Phase& phase, const RunContext& run) {
    const auto count = static_cast<int64_t>(blocks_.size());
    if (!phase.code.empty()) {
#pragma omp parallel for schedule(static)
      for (int64_t i = 0; i < count; ++i) {
        float* registers = registers_.data() + omp_get_thread_num() * registerFloats();
        runBlock(phase, blocks_[i], run, registers, partial_.data() + i * phase.reductions.size());
      }
    }
    for (size_t r = 0; r < phase.reductions.size(); ++r) reduce(phase, r);
    for (size_t s = 0; s < program_->segments.size(); ++s)
      for (const ScalarInstruction& instruction : phase.scalarCode)
        runScalar(instruction, slotsOf(s));
  }

  static double combine(ReductionOp op, double a, double b) {
    return op == ReductionOp::sum ? a + b : maxOf(a, b);
  }

  void reduce(const Phase& phase, size_t r) {
    const Reduction& reduction = phase.reductions[r];
    const size_t stride = phase.reductions.size();
    double overall = 0;
    size_t block = 0;
    for (size_t s = 0; s < program_->segments.size(); ++s) {
      double total = 0;
      for (; block < blocks_.size() && blocks_[block].segment == static_cast<int>(s); ++block)
        if (!phase.code.empty()) total = combine(reduction.op, total, partial_[block * stride + r]);
      slotsOf(s)[reduction.target] = total;
      overall = combine(reduction.op, overall, total);
    }
    if (reduction.all)
      for (size_t s = 0; s < program_->segments.size(); ++s) slotsOf(s)[reduction.target] = overall;
  }

  void runBlock(const Phase& phase, const Block& block, const RunContext& run, float* registers,
                double* partial) {
    const Segment& segment = program_->segments[block.segment];
    const double* slots = slotsOf(block.segment);
    for (size_t r = 0; r < phase.reductions.size(); ++r) partial[r] = 0;
    for (int64_t done = 0; done < block.count; done += kSlice) {
      const int64_t n = std::min(kSlice, block.count - done);
      for (const VectorInstruction& instruction : phase.code)
        runVector(instruction, segment, block.start + done, n, slots, run, registers);
      for (size_t r = 0; r < phase.reductions.size(); ++r) {
        const float* x = registers + phase.reductions[r].reg * kSlice;
        partial[r] =
            combine(phase.reductions[r].op, partial[r], reduceSlice(phase.reductions[r].op, x, n));
      }
    }
  }

  // Eight running values side by side: additions of doubles in one chain would take as long as
  // the whole update.
  static double reduceSlice(ReductionOp op, const float* x, int64_t n) {
    double lanes[8] = {};
    if (op == ReductionOp::sum) {
      int64_t i = 0;
      for (; i + 8 <= n; i += 8)
        for (int l = 0; l < 8; ++l) lanes[l] += x[i + l];
      for (; i < n; ++i) lanes[i % 8] += x[i];
    } else {
      for (int64_t i = 0; i < n; ++i) lanes[i % 8] = maxOf(lanes[i % 8], static_cast<double>(x[i]));
    }
    double total = 0;
    for (const double lane : lanes) total = combine(op, total, lane);
    return total;
  }

  static void runVector(const VectorInstruction& instruction, const Segment& segment, int64_t start,
                        int64_t n, const double* slots, const RunContext& run, float* registers) {
    const auto value = [&](const VectorOperand& operand) {
      return operand.slot ? Value{nullptr, static_cast<float>(slots[operand.index])}
                          : Value{registers + operand.index * kSlice, 0};
    };
    const auto memory = [&](int source) { return segment.memory[source].f32(run) + start; };
    float* to = instruction.op == VectorOp::store ? memory(instruction.target)
                                                  : registers + instruction.target * kSlice;
    if (instruction.op == VectorOp::load) {
      std::copy_n(memory(instruction.a.index), n, to);
      return;
    }
    const Value a = value(instruction.a), b = value(instruction.b);
    const auto unary = [&](auto f) {
      if (a.vector)
        each(to, a.vector, n, f);
      else
        std::fill_n(to, n, f(a.scalar));
    };
    switch (instruction.op) {
      case VectorOp::load:
        break;
      case VectorOp::add:
        each(to, a, b, n, [](float x, float y) { return x + y; });
        break;
      case VectorOp::sub:
        each(to, a, b, n, [](float x, float y) { return x - y; });
        break;
      case VectorOp::mul:
        each(to, a, b, n, [](float x, float y) { return x * y; });
        break;
      case VectorOp::div:
        each(to, a, b, n, [](float x, float y) { return x / y; });
        break;
      case VectorOp::max:
        each(to, a, b, n, maxOf<float>);
        break;
      case VectorOp::min:
        each(to, a, b, n, minOf<float>);
        break;
      case VectorOp::sqrt:
        unary([](float x) { return std::sqrt(x); });
        break;
      case VectorOp::abs:
        unary([](float x) { return std::abs(x); });
        break;
      case VectorOp::sign:
        unary([](float x) { return x > 0 ? 1.0f : x < 0 ? -1.0f : 0.0f; });
        break;
      case VectorOp::square:
        unary([](float x) { return x * x; });
        break;
      case VectorOp::negate:
        unary([](float x) { return -x; });
        break;
      case VectorOp::store:
      case VectorOp::fill:
        unary([](float x) { return x; });
        break;
    }
  }

  static void runScalar(const ScalarInstruction& instruction, double* slots) {
    const double x = slots[instruction.a], y = slots[instruction.b];
    double& to = slots[instruction.target];
    switch (instruction.op) {
      case ScalarOp::add:
        to = x + y;
        break;
      case ScalarOp::sub:
        to = x - y;
        break;
      case ScalarOp::mul:
        to = x * y;
        break;
      case ScalarOp::div:
        to = x / y;
        break;
      case ScalarOp::max:
        to = maxOf(x, y);
        break;
      case ScalarOp::min:
        to = minOf(x, y);
        break;
      case ScalarOp::sqrt:
        to = std::sqrt(x);
        break;
      case ScalarOp::abs:
        to = std::abs(x);
        break;
      case ScalarOp::constant:
        to = instruction.value;
        break;
      case ScalarOp::positiveOr:
        to = x > 0 ? x : y;
        break;
    }
  }

  std::shared_ptr<const OptimizerProgram> program_;
  int64_t scalars_;
  std::vector<Block> blocks_;
  std::vector<double> partial_;   // reductions of every block
  std::vector<double> slots_;     // of every segment
  std::vector<float> registers_;  // of every thread
};

LayoutAnswer choose(const LayoutQuestion& q) {
  LayoutAnswer a;
  for (const Tensor& tensor : q.inputs)
    a.inputs.push_back(tensor.layout == "any" ? plainLayout(tensor.shape.size()) : tensor.layout);
  for (const Tensor& tensor : q.outputs)
    a.outputs.push_back(tensor.layout == "any" ? plainLayout(tensor.shape.size()) : tensor.layout);
  return withBytes(q, a);
}

void expectIndex(int index, int bound, const char* what) {
  if (index < 0 || index >= bound)
    throw Refusal(std::string(what) + " " + std::to_string(index) + " is not below " +
                  std::to_string(bound));
}

void check(const OptimizerProgram& program, int64_t scalars) {
  if (program.registers < 0 || program.registers > 1024 || program.slots > 65536 ||
      program.slots < scalars)
    throw Refusal("has an impossible number of registers or slots");
  const auto slot = [&](int index) { expectIndex(index, program.slots, "slot"); };
  const auto reg = [&](int index) { expectIndex(index, program.registers, "register"); };
  for (const int index : program.segmentSlots) slot(index);
  int sources = 1 << 30;
  for (const Segment& segment : program.segments) {
    sources = std::min(sources, static_cast<int>(segment.memory.size()));
    if (segment.scalars.size() != program.segmentSlots.size())
      throw Refusal("a segment's scalars do not match segmentSlots");
    const Operand& parameter = segment.memory[0];
    for (const Operand& operand : segment.memory) {
      expectType(operand, DType::f32);
      if (segment.elements < 0 ||
          operand.bytes / sizeof(float) < static_cast<size_t>(segment.elements))
        throw Refusal("\"" + operand.name + "\" must hold the " + std::to_string(segment.elements) +
                      " elements of \"" + parameter.name + "\"; state of another shape is not " +
                      "supported by this engine yet");
      if (operand.region != Region::persistent && operand.region != Region::arena)
        throw Refusal("\"" + operand.name + "\" lies in a region that cannot be updated");
    }
  }
  for (const Phase& phase : program.phases) {
    for (const VectorInstruction& instruction : phase.code) {
      if (instruction.op == VectorOp::load) {
        expectIndex(instruction.a.index, sources, "source");
        reg(instruction.target);
        continue;
      }
      if (instruction.op == VectorOp::store)
        expectIndex(instruction.target, sources, "source");
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
}

std::unique_ptr<Step> build(const Site& site) {
  if (!site.optimizer) throw Refusal("the instruction has no optimizer program");
  check(*site.optimizer, site.scalars);
  return std::make_unique<OptimizerStep>(site.optimizer, site.scalars);
}

}  // namespace

const Kernel kOptimizer = {choose, build};

}  // namespace lrscope
