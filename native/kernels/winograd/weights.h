// Winograd: the gradients with respect to weights and bias.
//
// In chunks of tiles: x and dy are transformed, then the 36 products add up over the chunk's tiles.
// The sums over all chunks are transformed back at the end. Each thread has a range of tiles and
// sums of its own where those are small: it never waits for another then, which costs most where
// other processes want the cores. Else the threads share the work of each chunk.
#pragma once
#include "kernels/winograd/operands.h"
#include "kernels/winograd/product.h"

namespace lrscope::winograd::LRSCOPE_WIDTH {

namespace summing {

// Bytes of transformed tiles in a chunk, which the third-level cache should hold.
constexpr int64_t kChunkBytes = 8000000, kOwnChunkBytes = 4000000;
constexpr int64_t kLeastTiles = 64, kMostTiles = 256;
// Bytes of sums that each thread may have.
constexpr int64_t kOwnSumBytes = 4000000;
// Of a strip's channels in a register tile: what divides them best.
constexpr int kRows = kLanes == 16 ? 8 : 6;

// Transformed tiles in strips of kColumns channels: (product, strip, tile, channel). The products
// read a strip from one end to the other.
struct Strips {
  int64_t count, strip, plane;
  Strips(int64_t tiles, int64_t lanes)
      : count((lanes + kColumns - 1) / kColumns),
        strip(oddLines(tiles * kColumns)),
        plane(oddLines(count * strip)) {}
  int64_t floats() const { return kProducts * plane; }
  int64_t offset(int64_t tile, int64_t block) const {
    return block / 2 * strip + tile * kColumns + block % 2 * kLanes;
  }
};

struct Plan {
  Blocks x, dy;
  Tiles tiles;
  int64_t sumsPlane;  // (product, input channel, output channel)
  bool shared;
  int64_t chunk;
  Strips input, gradient;

  Plan(const Tensor& from, const Tensor& to)
      : x(from),
        dy(to),
        tiles(dy.batch, dy.height, dy.width),
        sumsPlane(oddLines(x.lanes() * dy.lanes())),
        shared(kProducts * sumsPlane * static_cast<int64_t>(sizeof(float)) > kOwnSumBytes),
        chunk(tilesOfChunk(x.lanes() + dy.lanes(), tiles.total)),
        input(chunk, x.lanes()),
        gradient(chunk, dy.lanes()) {}

  int64_t tilesOfChunk(int64_t lanes, int64_t total) const {
    const int64_t bytes = kProducts * lanes * static_cast<int64_t>(sizeof(float));
    return std::min(total, std::clamp((shared ? kChunkBytes : kOwnChunkBytes) / bytes, kLeastTiles,
                                      kMostTiles));
  }
  int64_t biasFloats() const { return 2 * dy.lanes(); }  // doubles
  // Chunk and sums: of all threads or of each.
  int64_t workFloats() const { return input.floats() + gradient.floats() + kProducts * sumsPlane; }
  int64_t works(int64_t threads) const { return shared ? 1 : threads; }
  size_t bytes(int64_t threads) const {
    return (works(threads) * workFloats() + threads * biasFloats()) * sizeof(float);
  }
};

// Of x and dy of type F; the gradient is f32.
template <class F>
class WeightGradient final : public Step {
 public:
  WeightGradient(const Site& site, const Product& o, Pair padding)
      : x_(o.x),
        dy_(o.y),
        weight_(o.weight),
        scratch_(site.scratch),
        padding_(padding),
        plan_(o.x, o.y),
        offsets_(o.weight),
        weightBytes_(layoutBytes(o.weight)),
        padded_(weightBytes_ > o.weight.elements() * sizeof(float)) {
    if (o.bias) {
      expectVector(*o.bias, o.weight.dim(0));
      bias_ = *o.bias;
      hasBias_ = true;
    }
    expectScratch(site, plan_.bytes(omp_get_max_threads()));
  }

  void run(const RunContext& run) override {
    const F *x = x_.data<F>(run), *dy = dy_.data<F>(run);
    float* weight = weight_.f32(run);
    float* work = scratch_.f32(run);
    if (padded_) std::memset(weight, 0, weightBytes_);
    int64_t team = 1;
    const double* bias = nullptr;
#pragma omp parallel
    {
      const int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
      auto* biases = reinterpret_cast<double*>(work + plan_.works(threads) * plan_.workFloats());
      double* own = biases + me * plan_.dy.lanes();
      std::fill_n(own, plan_.dy.lanes(), 0.0);
      if (plan_.shared)
        sumShared(x, dy, work, own, threads, me);
      else
        sumAlone(x, dy, work + me * plan_.workFloats(), own, Share(plan_.tiles.total, threads, me));
#pragma omp barrier
      transformSums(sumsOf(work), plan_.works(threads),
                    Share(plan_.dy.count * plan_.x.channels, threads, me), weight);
#pragma omp single
      {
        team = threads;
        bias = biases;
      }
    }
    if (!hasBias_) return;
    float* result = bias_.f32(run);
    for (int64_t k = 0; k < plan_.dy.channels; ++k) {
      double sum = 0;
      for (int64_t t = 0; t < team; ++t) sum += bias[t * plan_.dy.lanes() + k];
      result[k] = static_cast<float>(sum);
    }
  }

 private:
  float* gradientOf(float* work) const { return work + plan_.input.floats(); }
  float* sumsOf(float* work) const { return gradientOf(work) + plan_.gradient.floats(); }

  void sumAlone(const F* x, const F* dy, float* work, double* bias, Share range) const {
    float* sums = sumsOf(work);
    if (range.from == range.to) std::fill_n(sums, kProducts * plan_.sumsPlane, 0.0f);
    const Share products(0, kProducts * plan_.input.count);
    for (int64_t tile = range.from; tile < range.to; tile += plan_.chunk) {
      const int64_t count = std::min(plan_.chunk, range.to - tile);
      transformInputs(x, tile, {0, count}, work);
      transformGradients(dy, tile, {0, count}, gradientOf(work), bias);
      multiplyAll(tile > range.from, work, gradientOf(work), count, products, sums);
    }
  }

  void sumShared(const F* x, const F* dy, float* work, double* bias, int64_t threads,
                 int64_t me) const {
    const Share products(kProducts * plan_.input.count, threads, me);
    for (int64_t tile = 0; tile < plan_.tiles.total; tile += plan_.chunk) {
      const int64_t count = std::min(plan_.chunk, plan_.tiles.total - tile);
      const Share share(count, threads, me);
      transformInputs(x, tile, share, work);
      transformGradients(dy, tile, share, gradientOf(work), bias);
#pragma omp barrier
      multiplyAll(tile > 0, work, gradientOf(work), count, products, sumsOf(work));
#pragma omp barrier
    }
  }

  // Two blocks side by side share their cache lines in `to`.
  void transformInputs(const F* x, int64_t tile, Share share, float* to) const {
    for (int64_t pair = 0; pair < plan_.x.count; pair += 2)
      for (int64_t t = share.from; t < share.to; ++t) {
        const Tiles::Place place = plan_.tiles.at(tile + t);
        for (int64_t block = pair; block < std::min(pair + 2, plan_.x.count); ++block)
          transformInput(plan_.x, x + plan_.x.offset(place.image, block), place, padding_,
                         to + plan_.input.offset(t, block), plan_.input.plane);
      }
  }

  // Adds to `bias` the sum of each channel.
  void transformGradients(const F* dy, int64_t tile, Share share, float* to, double* bias) const {
    const Blocks& b = plan_.dy;
    for (int64_t pair = 0; pair < b.count; pair += 2) {
      const int64_t end = std::min(pair + 2, b.count);
      Vector sums[2] = {zeros(), zeros()};
      for (int64_t t = share.from; t < share.to; ++t) {
        const Tiles::Place place = plan_.tiles.at(tile + t);
        for (int64_t block = pair; block < end; ++block)
          transformGradient(dy + b.offset(place.image, block), place,
                            to + plan_.gradient.offset(t, block), sums[block - pair]);
      }
      for (int64_t block = pair; block < end; ++block) {
        alignas(64) float lanes[kLanes];
        store(lanes, sums[block - pair]);
        for (int l = 0; l < kLanes; ++l) bias[block * kLanes + l] += lanes[l];
      }
    }
  }

  void transformGradient(const F* block, Tiles::Place place, float* to, Vector& sum) const {
    const Blocks& b = plan_.dy;
    const int64_t rowStride = b.width * b.pixelStride;
    const F* from = block + place.top * rowStride + place.left * b.pixelStride;
    const int64_t rows = b.height - place.top, columns = b.width - place.left;
    Vector added = zeros();
    const auto value = [&](int i, int j) {
      const Vector v = load(from + i * rowStride + j * b.pixelStride);
      added = added + v;
      return v;
    };
    const auto put = [&](int i, int j, Vector v) {
      store(to + (i * kPatch + j) * plan_.gradient.plane, v);
    };
    if (rows >= kTile && columns >= kTile)
      transform<OutputGradientLine>(value, put);
    else
      transform<OutputGradientLine>(
          [&](int i, int j) { return i < rows && j < columns ? value(i, j) : zeros(); }, put);
    sum = sum + added;
  }

  void multiplyAll(bool accumulate, const float* input, const float* gradient, int64_t tiles,
                   Share share, float* sums) const {
    if (accumulate)
      multiplyStrips<true>(input, gradient, tiles, share, sums);
    else
      multiplyStrips<false>(input, gradient, tiles, share, sums);
  }

  // Items are strips of input channels, product after product.
  template <bool accumulate>
  void multiplyStrips(const float* input, const float* gradient, int64_t tiles, Share share,
                      float* sums) const {
    const Strips &in = plan_.input, &out = plan_.gradient;
    const int64_t outputs = plan_.dy.lanes();
    for (int64_t item = share.from; item < share.to; ++item) {
      const int64_t f = item / in.count, strip = item % in.count;
      const int64_t channels = std::min<int64_t>(kColumns, plan_.x.lanes() - strip * kColumns);
      const float* a = input + f * in.plane + strip * in.strip;
      float* to = sums + f * plan_.sumsPlane + strip * kColumns * outputs;
      for (int64_t panel = 0; panel < out.count; ++panel)
        for (int64_t c = 0; c < channels; c += kRows)
          multiply<accumulate>(static_cast<int>(std::min<int64_t>(kRows, channels - c)),
                               2 * panel + 1 < plan_.dy.count, a + c, kColumns, 1,
                               gradient + f * out.plane + panel * out.strip, kColumns, tiles,
                               to + c * outputs + panel * kColumns, outputs);
    }
  }

  // Items are blocks of output channels, input channel after input channel. Adds up the sums of so
  // many works, in their order.
  void transformSums(const float* sums, int64_t works, Share share, float* weight) const {
    for (int64_t item = share.from; item < share.to; ++item) {
      const int64_t c = item / plan_.dy.count, block = item % plan_.dy.count;
      const float* from = sums + c * plan_.dy.lanes() + block * kLanes;
      const int count = plan_.dy.channelsOf(block);
      const int64_t* outputs = offsets_.outputs.data() + block * kLanes;
      float* to = weight + offsets_.inputs[c];
      const bool together = count == kLanes && offsets_.together(offsets_.outputs, block * kLanes);
      transform<FilterGradientLine>(
          [&](int i, int j) {
            const float* at = from + (i * kPatch + j) * plan_.sumsPlane;
            Vector sum = load(at);
            for (int64_t w = 1; w < works; ++w) sum = sum + load(at + w * plan_.workFloats());
            return sum;
          },
          [&](int i, int j, Vector v) {
            float* at = to + offsets_.positions[3 * i + j];
            if (together) {
              store(at + outputs[0], v);
              return;
            }
            alignas(64) float lanes[kLanes];
            store(lanes, v);
            for (int l = 0; l < count; ++l) at[outputs[l]] = lanes[l];
          });
    }
  }

  Operand x_, dy_, weight_, bias_, scratch_;
  bool hasBias_ = false;
  Pair padding_;
  Plan plan_;
  WeightOffsets offsets_;
  size_t weightBytes_;
  bool padded_;
};

}  // namespace summing

inline size_t weightGradientScratchBytes(const Problem& p) {
  return summing::Plan(p.x, p.y).bytes(omp_get_max_threads());
}

inline std::unique_ptr<Step> weightGradientStep(const Site& site, const Product& product,
                                                Pair padding) {
  if (product.x.dtype == DType::f32)
    return std::make_unique<summing::WeightGradient<float>>(site, product, padding);
  return std::make_unique<summing::WeightGradient<Bf16>>(site, product, padding);
}

}  // namespace lrscope::winograd::LRSCOPE_WIDTH
