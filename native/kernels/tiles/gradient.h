// The gradient itself: operands are turned over into rows and tiles, and multiplied.
#pragma once
#include <immintrin.h>
#include <omp.h>

#include <cstring>

#include "kernels/tiles/plan.h"
#include "kernels/tiles/turn.h"

namespace lrscope::tiles::avx512 {

#define LRSCOPE_AMX __attribute__((target("amx-tile,amx-bf16")))

// Eight tiles of 16 rows of 64 bytes.
struct alignas(64) Palette {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t lineBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

LRSCOPE_AMX inline void beginTiles() {
  static constexpr Palette kPalette;
  _tile_loadconfig(&kPalette);
}
LRSCOPE_AMX inline void endTiles() { _tile_release(); }

// Where the operands of a product lie.
struct Factors {
  const char* x;   // rows of 16 channels and of the next 16
  const char* dy;  // tiles of 16 outputs
  float* sums;
  int64_t xRowBytes, xSegmentBytes, dyBlockBytes, dySegmentBytes;
  int64_t sumsRow, sumsColumn;  // floats to the next 16 channels, and outputs
  int64_t segments, steps;
  bool first;  // the sums begin here
};

// M times 16 channels by N times 16 outputs, over all places of a chunk.
template <int M, int N>
LRSCOPE_AMX inline void multiply(const Factors& f) {
  float *s00 = f.sums, *s01 = s00 + f.sumsColumn, *s10 = s00 + f.sumsRow, *s11 = s10 + f.sumsColumn;
  constexpr int64_t kRow = kLanes * sizeof(float);
  if (f.first) {
    _tile_zero(0);
    if (N > 1) _tile_zero(1);
    if (M > 1) _tile_zero(2);
    if (M > 1 && N > 1) _tile_zero(3);
  } else {
    _tile_loadd(0, s00, kRow);
    if (N > 1) _tile_loadd(1, s01, kRow);
    if (M > 1) _tile_loadd(2, s10, kRow);
    if (M > 1 && N > 1) _tile_loadd(3, s11, kRow);
  }
  for (int64_t segment = 0; segment < f.segments; ++segment) {
    const char* x = f.x + segment * f.xSegmentBytes;
    const char* next = x + kLanes * f.xRowBytes;
    const char* dy = f.dy + segment * f.dySegmentBytes;
    for (int64_t step = 0; step < f.steps; ++step) {
      _tile_loadd(6, dy, kLine);
      _tile_loadd(4, x, f.xRowBytes);
      _tile_dpbf16ps(0, 4, 6);
      if (N > 1) {
        _tile_loadd(7, dy + f.dyBlockBytes, kLine);
        _tile_dpbf16ps(1, 4, 7);
      }
      if (M > 1) {
        _tile_loadd(5, next, f.xRowBytes);
        _tile_dpbf16ps(2, 5, 6);
        if (N > 1) _tile_dpbf16ps(3, 5, 7);
      }
      x += kPlaces * 2;
      next += kPlaces * 2;
      dy += kTileBytes;
    }
  }
  _tile_stored(0, s00, kRow);
  if (N > 1) _tile_stored(1, s01, kRow);
  if (M > 1) _tile_stored(2, s10, kRow);
  if (M > 1 && N > 1) _tile_stored(3, s11, kRow);
}

// A share of `total` things for one of some threads.
struct Crew {
  int64_t me, threads;
  template <class Work>
  void share(int64_t total, Work work) const {
    const int64_t end = total * (me + 1) / threads;
    for (int64_t i = total * me / threads; i < end; ++i) work(i);
  }
};

// Places that are multiplied with all taps before the next, so that they stay in the first-level
// cache: some steps of one segment, or some whole segments.
struct Block {
  int64_t segment, segments, step, steps;
};
template <class Work>
void forBlocks(const Plan& plan, int64_t segments, Work work) {
  constexpr int64_t kSteps = 8;
  const int64_t together = std::max<int64_t>(1, kSteps / plan.steps);
  const int64_t cuts = plan.taps > 1 ? (plan.steps + kSteps - 1) / kSteps : 1;
  for (int64_t s = 0; s < segments; s += together)
    for (int64_t cut = 0; cut < cuts; ++cut) {
      const int64_t from = plan.steps * cut / cuts, to = plan.steps * (cut + 1) / cuts;
      work(Block{s, std::min(together, segments - s), from, to - from});
    }
}

// What a thread has of the outputs stays in its cache, while rows of x go by.
inline void multiplyAll(const Plan& plan, const Crew& crew, const char* x, const char* dy,
                        float* sums, int64_t segments, bool first) {
  const int64_t rowPairs = (plan.rowBlocks + 1) / 2, outputPairs = (plan.outputBlocks + 1) / 2;
  const int64_t dyBlockBytes = plan.chunk * plan.steps * kTileBytes;
  const auto product = [&](int64_t outputPair, int64_t rowPair, int64_t firstTap, int64_t endTap) {
    const int64_t o = 2 * outputPair, r = 2 * rowPair;
    const bool tall = r + 1 < plan.rowBlocks, wide = o + 1 < plan.outputBlocks;
    forBlocks(plan, segments, [&](const Block& block) {
      const char* rows = x + r * kLanes * plan.xRowBytes +
                         2 * (block.segment * plan.planePlaces + block.step * kPlaces);
      const char* tiles =
          dy + o * dyBlockBytes + (block.segment * plan.steps + block.step) * kTileBytes;
      for (int64_t tap = firstTap; tap < endTap; ++tap) {
        const Factors f{rows + plan.shifts[tap],
                        tiles,
                        sums + plan.sumsOf(o, r, tap),
                        plan.xRowBytes,
                        plan.planePlaces * 2,
                        dyBlockBytes,
                        plan.steps * kTileBytes,
                        plan.taps * kTile,
                        plan.rowBlocks * plan.taps * kTile,
                        block.segments,
                        block.steps,
                        first && block.segment == 0 && block.step == 0};
        if (tall)
          wide ? multiply<2, 2>(f) : multiply<2, 1>(f);
        else
          wide ? multiply<1, 2>(f) : multiply<1, 1>(f);
      }
    });
  };
  if (outputPairs >= crew.threads) {
    const int64_t from = outputPairs * crew.me / crew.threads;
    const int64_t to = outputPairs * (crew.me + 1) / crew.threads;
    for (int64_t r = 0; r < rowPairs; ++r)
      for (int64_t o = from; o < to; ++o) product(o, r, 0, plan.taps);
    return;
  }
  crew.share(outputPairs * rowPairs * plan.taps, [&](int64_t i) {
    const int64_t pair = i / plan.taps, tap = i % plan.taps;
    product(pair / rowPairs, pair % rowPairs, tap, tap + 1);
  });
}

class Gradient final : public Step {
 public:
  Gradient(const Site& site, const Product& o, const Problem& p)
      : plan_(p),
        x_(o.x),
        dy_(o.y),
        weight_(o.weight),
        bias_(o.bias ? *o.bias : Operand()),
        scratch_(site.scratch),
        hasBias_(o.bias != nullptr) {
    if (hasBias_) expectVector(bias_, plan_.outputs);
    expectScratch(site, plan_.scratchBytes(omp_get_max_threads()));
  }

  void run(const RunContext& run) override {
    const Bf16 *x = x_.data<Bf16>(run), *dy = dy_.data<Bf16>(run);
    float* weight = weight_.f32(run);
    char* scratch = scratch_.at(run);
    auto* biases = reinterpret_cast<float*>(scratch);
    scratch += plan_.biasBytes;
    char* lines = scratch;
    scratch += omp_get_max_threads() * plan_.lineBytes;
    const bool direct = !plan_.apart() && !plan_.few;
    float* sums = direct ? weight : reinterpret_cast<float*>(scratch);
    if (!direct) scratch += plan_.parts * plan_.sumsBytes;
#pragma omp parallel
    {
      const Crew all{omp_get_thread_num(), omp_get_num_threads()};
      auto* line = reinterpret_cast<Bf16*>(lines + all.me * plan_.lineBytes);
      beginTiles();
      if (plan_.apart()) {
        char* buffer = scratch + all.me * plan_.bufferBytes();
        const Crew alone{0, 1};
        if (plan_.few) std::memset(buffer, 0, plan_.xBytes);
        all.share(plan_.parts, [&](int64_t part) {
          float* own = sums + part * plan_.sumsBytes / static_cast<int64_t>(sizeof(float));
          sumPart(alone, part, {x, dy, line, biases, own, buffer});
        });
#pragma omp barrier
      } else {
        if (plan_.few) {
#pragma omp single
          std::memset(scratch, 0, plan_.xBytes);
        }
        sumPart(all, 0, {x, dy, line, biases, sums, scratch});
      }
      endTiles();
      if (!direct) finish(all, sums, weight);
      if (hasBias_)
        all.share(plan_.outputs, [&](int64_t o) {
          double sum = 0;
          for (int64_t s = 0; s < plan_.segments; ++s) sum += biases[s * plan_.outputs + o];
          bias_.f32(run)[o] = static_cast<float>(sum);
        });
    }
  }

 private:
  struct Places {
    const Bf16 *x, *dy;
    Bf16* line;
    float *biases, *sums;
    char* buffer;
  };

  // Of a crew of several, all come here, and wait for each other.
  void sumPart(const Crew& crew, int64_t part, const Places& at) const {
    const int64_t end = plan_.firstOf(part + 1);
    char *x = at.buffer, *dy = at.buffer + plan_.xBytes;
    for (int64_t from = plan_.firstOf(part), next; from < end; from = next) {
      next = std::min(from + plan_.chunk, end);
      turnX(plan_, crew, at.x, from, next, x, at.line);
      turnDy(plan_, crew, at.dy, from, next, dy, hasBias_ ? at.biases : nullptr);
      if (crew.threads > 1) {
#pragma omp barrier
      }
      multiplyAll(plan_, crew, x, dy, at.sums, next - from, from == plan_.firstOf(part));
      if (crew.threads > 1) {
#pragma omp barrier
      }
    }
  }

  // The parts' sums, added in their order. Of few channels a tile's rows are channels and taps,
  // which a plain weight has the other way round.
  void finish(const Crew& crew, const float* sums, float* weight) const {
    const int64_t count = plan_.sumsBytes / static_cast<int64_t>(sizeof(float));
    const int64_t used = plan_.channels * plan_.kernelHeight * plan_.kernelWidth;
    crew.share(plan_.outputBlocks * plan_.rowBlocks * plan_.taps * kLanes, [&](int64_t row) {
      __m512 sum = _mm512_loadu_ps(sums + row * kLanes);
      for (int64_t part = 1; part < plan_.parts; ++part)
        sum = _mm512_add_ps(sum, _mm512_loadu_ps(sums + part * count + row * kLanes));
      if (!plan_.few) {
        _mm512_storeu_ps(weight + row * kLanes, sum);
        return;
      }
      const int64_t outputBlock = row / plan_.xRows, tap = row % plan_.xRows;
      if (tap >= used) return;
      alignas(64) float lanes[kLanes];
      _mm512_store_ps(lanes, sum);
      for (int64_t l = 0; l < kLanes; ++l)
        weight[(outputBlock * kLanes + l) * used + tap] = lanes[l];
    });
  }

  Plan plan_;
  Operand x_, dy_, weight_, bias_, scratch_;
  bool hasBias_;
};

inline size_t scratchBytesOf(const Problem& p) {
  return Plan(p).scratchBytes(omp_get_max_threads());
}

inline std::unique_ptr<Step> stepOf(const Site& site, const Product& o) {
  const Problem p{o.x, o.weight, o.y, site.attributes.pair("stride"),
                  site.attributes.pair("padding")};
  return std::make_unique<Gradient>(site, o, p);
}

}  // namespace lrscope::tiles::avx512
