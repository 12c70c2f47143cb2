// The interpreter of optimizer expressions. A phase walks all segments, 64 floats of everything
// that it uses at a time, so that memory is passed over once; memory is fetched a little ahead of
// the arithmetic. A reduction is the sum of the sums of blocks of 1,024 floats in block order,
// which no thread count changes. -ffp-contract=off: every operation rounds to f32 once, as in the
// reference backend.
#include <omp.h>

#include <cmath>

#include "kernels/kernels.h"
#include "optimizer/chain.h"

namespace lrscope {

namespace {

constexpr int64_t kBlock = 1024;  // the unit of reductions: part of the result
constexpr int64_t kLine = 16;     // floats of a cache line
// How far ahead of the arithmetic memory is fetched: a few hundred nanoseconds' work.
constexpr int64_t kAhead = 512;
constexpr size_t kMostSources = 16;  // that are fetched ahead

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

// A phase with what it walks over: blocks of its segments, or a step for each segment's matrix.
struct PreparedPhase {
  const Phase* phase;
  FoldedCode folded;
  std::vector<int> segments;
  std::vector<Block> blocks;
  std::vector<std::unique_ptr<Step>> matrixSteps;
};

class OptimizerStep final : public Step {
 public:
  OptimizerStep(std::shared_ptr<const OptimizerProgram> program, int64_t scalars,
                const Operand& workspace)
      : program_(std::move(program)), scalars_(scalars) {
    size_t reductions = 0, links = 0, sources = 0, partials = 0;
    for (const Phase& phase : program_->phases) {
      PreparedPhase prepared{&phase, fold(phase), segmentsOf(phase), {}, {}};
      for (const int s : prepared.segments) {
        const Segment& segment = program_->segments[s];
        if (phase.matrix != MatrixOp::none) {
          prepared.matrixSteps.push_back(matrixStep(phase, segment, workspace));
          continue;
        }
        const int64_t extent = segment.extent(phase.domain);
        for (int64_t start = 0; start < extent; start += kBlock)
          prepared.blocks.push_back({s, start, std::min(kBlock, extent - start)});
      }
      reductions = std::max(reductions, phase.reductions.size());
      links = std::max(links, prepared.folded.links.size());
      partials = std::max(partials, prepared.blocks.size() * phase.reductions.size());
      phases_.push_back(std::move(prepared));
    }
    for (const ScalarState& state : program_->scalarStates)
      for (const int s : segmentsOf(state)) scalarStates_.push_back({&state, s});
    for (const Segment& segment : program_->segments)
      sources = std::max(sources, segment.memory.size());
    partial_.resize(partials);
    slots_.resize(program_->segments.size() * program_->slots);
    tilesOfThread_ = program_->registers + sources;
    const int threads = omp_get_max_threads();
    tiles_.resize(threads * tilesOfThread_ * kTile + kLine);
    cursors_.resize(threads);
    lanes_.resize(threads);
    for (int t = 0; t < threads; ++t) {
      cursors_[t].resize(2 * links);
      lanes_[t].resize(reductions);
    }
  }

  void run(const RunContext& run) override {
    for (size_t s = 0; s < program_->segments.size(); ++s) {
      double* slots = slotsOf(s);
      std::fill(slots, slots + program_->slots, 0.0);
      std::copy(run.scalars, run.scalars + scalars_, slots);
      if (const int own = program_->segments[s].ownSlots; own >= 0)
        std::copy_n(slots + own, program_->runSlots, slots + program_->firstRunSlot);
      for (size_t i = 0; i < program_->segmentSlots.size(); ++i)
        slots[program_->segmentSlots[i]] = program_->segments[s].scalars[i];
    }
    for (const auto& [state, s] : scalarStates_) slotsOf(s)[state->load] = *valueOf(*state, s, run);
    for (const PreparedPhase& prepared : phases_) {
      for (const auto& step : prepared.matrixSteps) step->run(run);
      if (prepared.phase->matrix == MatrixOp::none) runPhase(prepared, run);
    }
    for (const auto& [state, s] : scalarStates_)
      if (state->store >= 0)
        *valueOf(*state, s, run) = static_cast<float>(slotsOf(s)[state->store]);
  }

 private:
  double* slotsOf(size_t segment) { return slots_.data() + segment * program_->slots; }
  // Registers of a thread, then what stands in for its sources at a segment's ragged end.
  float* tileOf(int thread, size_t index) {
    const auto begin = reinterpret_cast<uintptr_t>(tiles_.data());
    const uintptr_t line = kLine * sizeof(float);
    auto* aligned = reinterpret_cast<float*>((begin + line - 1) / line * line);
    return aligned + (thread * tilesOfThread_ + index) * kTile;
  }

  // Those that a phase or a scalar state is for.
  template <class Part>
  std::vector<int> segmentsOf(const Part& part) const {
    if (!part.allSegments) return part.segments;
    std::vector<int> all(program_->segments.size());
    for (size_t s = 0; s < all.size(); ++s) all[s] = static_cast<int>(s);
    return all;
  }

  float* valueOf(const ScalarState& state, int segment, const RunContext& run) const {
    return program_->segments[segment].memory[state.source].f32(run);
  }

  void runPhase(const PreparedPhase& prepared, const RunContext& run) {
    const Phase& phase = *prepared.phase;
    const FoldedCode& folded = prepared.folded;
    const std::vector<Block>& blocks = prepared.blocks;
    const auto count = static_cast<int64_t>(blocks.size());
    if (!phase.code.empty()) {
#pragma omp parallel
      {
        const int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
        int segment = -1;
        for (int64_t i = count * me / threads; i < count * (me + 1) / threads; ++i) {
          if (blocks[i].segment != segment) {
            segment = blocks[i].segment;
            place(folded, segment, run, static_cast<int>(me));
          }
          runBlock(phase, folded, blocks[i], run, static_cast<int>(me),
                   partial_.data() + i * phase.reductions.size());
        }
      }
    }
    for (size_t r = 0; r < phase.reductions.size(); ++r) reduce(prepared, r);
    for (const int s : prepared.segments)
      for (const ScalarInstruction& instruction : phase.scalarCode)
        runScalar(instruction, slotsOf(s));
  }

  static double combine(ReductionOp op, double a, double b) {
    return op == ReductionOp::sum ? a + b : maxOf(a, b);
  }

  void reduce(const PreparedPhase& prepared, size_t r) {
    const Phase& phase = *prepared.phase;
    const std::vector<Block>& blocks = prepared.blocks;
    const Reduction& reduction = phase.reductions[r];
    const size_t stride = phase.reductions.size();
    double overall = 0;
    size_t block = 0;
    for (const int s : prepared.segments) {
      double total = 0;
      for (; block < blocks.size() && blocks[block].segment == s; ++block)
        if (!phase.code.empty()) total = combine(reduction.op, total, partial_[block * stride + r]);
      slotsOf(s)[reduction.target] = total;
      overall = combine(reduction.op, overall, total);
    }
    if (reduction.all)
      for (size_t s = 0; s < program_->segments.size(); ++s) slotsOf(s)[reduction.target] = overall;
  }

  Cursor cursorOf(const Place& place, int segment, const RunContext& run, int thread) {
    switch (place.kind) {
      case Place::Kind::reg:
        return {tileOf(thread, place.index), 0, 0};
      case Place::Kind::source:
        return {program_->segments[segment].memory[place.index].f32(run), 1, 0};
      case Place::Kind::slot:
        return {nullptr, 0, static_cast<float>(slotsOf(segment)[place.index])};
    }
    throw Refusal("internal: unknown place");
  }

  // The thread's cursors, for a segment.
  void place(const FoldedCode& folded, int segment, const RunContext& run, int thread) {
    Cursor* cursor = cursors_[thread].data();
    for (const Link& link : folded.links) {
      *cursor = cursorOf(link.operand, segment, run, thread);
      if (link.scale >= 0) cursor->scalar = static_cast<float>(slotsOf(segment)[link.scale]);
      ++cursor;
      *cursor++ = cursorOf(link.to, segment, run, thread);
    }
  }

  void runBlock(const Phase& phase, const FoldedCode& folded, const Block& block,
                const RunContext& run, int thread, double* partial) {
    const Segment& segment = program_->segments[block.segment];
    const auto source = [&](int index) { return segment.memory[index].f32(run); };
    for (Lanes& lanes : lanes_[thread]) lanes = {};
    const float* read[kMostSources];
    const size_t sources = std::min(folded.read.size(), kMostSources);
    for (size_t i = 0; i < sources; ++i) read[i] = source(folded.read[i]) + kAhead;
    const int64_t end = block.start + block.count;
    int64_t at = block.start;
    for (; at + kTile <= end; at += kTile) {
      for (size_t i = 0; i < sources; ++i)
        for (int64_t line = 0; line < kTile; line += kLine) __builtin_prefetch(read[i] + at + line);
      runTile(folded.links, cursors_[thread].data(), at);
      reduceTile(phase, folded, block.segment, run, thread, at, kTile);
    }
    if (at < end) runRest(phase, folded, block.segment, run, thread, at, end - at);
    for (size_t r = 0; r < phase.reductions.size(); ++r) {
      partial[r] = 0;
      for (const double lane : lanes_[thread][r])
        partial[r] = combine(phase.reductions[r].op, partial[r], lane);
    }
  }

  // Less than a tile, at a segment's end: sources are copied, so that nothing is touched past it.
  void runRest(const Phase& phase, const FoldedCode& folded, int segment, const RunContext& run,
               int thread, int64_t at, int64_t n) {
    const auto standIn = [&](int index) { return tileOf(thread, program_->registers + index); };
    const auto source = [&](int index) {
      return program_->segments[segment].memory[index].f32(run) + at;
    };
    std::vector<Cursor>& cursors = cursors_[thread];
    for (const int index : folded.read) std::copy_n(source(index), n, standIn(index));
    for (size_t l = 0; l < folded.links.size(); ++l) {
      const Place* places[] = {&folded.links[l].operand, &folded.links[l].to};
      for (size_t i = 0; i < 2; ++i)
        if (places[i]->kind == Place::Kind::source)
          cursors[2 * l + i] = {standIn(places[i]->index), 0, cursors[2 * l + i].scalar};
    }
    runTile(folded.links, cursors.data(), 0);
    for (const int index : folded.written) std::copy_n(standIn(index), n, source(index));
    place(folded, segment, run, thread);
    reduceTile(phase, folded, segment, run, thread, at, n);
  }

  // Eight running values side by side: additions of doubles in one chain would take as long as
  // the whole update.
  using Lanes = std::array<double, 8>;

  void reduceTile(const Phase& phase, const FoldedCode& folded, int segment, const RunContext& run,
                  int thread, int64_t at, int64_t n) {
    for (size_t r = 0; r < phase.reductions.size(); ++r) {
      const float* x = cursorOf(folded.reduced[r], segment, run, thread).at(at);
      Lanes& lanes = lanes_[thread][r];
      if (phase.reductions[r].op == ReductionOp::max) {
        for (int64_t i = 0; i < n; ++i)
          lanes[i % 8] = maxOf(lanes[i % 8], static_cast<double>(x[i]));
      } else if (n == kTile) {
        for (int64_t i = 0; i < kTile; i += 8)
          for (int l = 0; l < 8; ++l) lanes[l] += x[i + l];
      } else {
        for (int64_t i = 0; i < n; ++i) lanes[i % 8] += x[i];
      }
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
  std::vector<PreparedPhase> phases_;
  std::vector<std::pair<const ScalarState*, int>> scalarStates_;  // each with a segment of its own
  std::vector<double> partial_;                                   // reductions of every block
  std::vector<double> slots_;                                     // of every segment
  size_t tilesOfThread_ = 0;
  std::vector<float> tiles_;                  // see tileOf
  std::vector<std::vector<Cursor>> cursors_;  // of every thread, for its segment
  std::vector<std::vector<Lanes>> lanes_;     // of every thread, for its block's reductions
};

LayoutAnswer choose(const LayoutQuestion& q) {
  LayoutAnswer a;
  for (const Tensor& tensor : q.inputs)
    a.inputs.push_back(tensor.layout == "any" ? plainLayout(tensor.shape.size()) : tensor.layout);
  for (const Tensor& tensor : q.outputs)
    a.outputs.push_back(tensor.layout == "any" ? plainLayout(tensor.shape.size()) : tensor.layout);
  return withBytes(q, a);
}

std::unique_ptr<Step> build(const Site& site) {
  if (!site.optimizer) throw Refusal("the instruction has no optimizer program");
  checkOptimizer(*site.optimizer, site.scalars);
  return std::make_unique<OptimizerStep>(site.optimizer, site.scalars, site.scratch);
}

}  // namespace

const Kernel kOptimizer = {choose, build};

}  // namespace lrscope
