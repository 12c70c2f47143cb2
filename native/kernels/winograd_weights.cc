// Winograd: the gradients with respect to weights and bias.
//
// In chunks of tiles: the threads share the transforms of x and dy, then the 36 products, which
// each add up over the chunk's tiles. The sums over all chunks are transformed back at the end. The
// order of every sum of dweight is the same whatever the number of threads.
#if defined(__AVX2__) && defined(__FMA__)
#include <omp.h>

#include <cstring>

#include "winograd_operands.h"
#include "winograd_product.h"
#include "winograd_steps.h"

namespace lrscope::winograd {

namespace {

// Bytes of transformed tiles in a chunk, which the third-level cache should hold.
constexpr int64_t kChunkBytes = 8000000, kLeastTiles = 64, kMostTiles = 256;

// Transformed tiles in strips of 16 channels: (product, strip, tile, 16). The products read a strip
// from one end to the other.
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
  int64_t chunk;
  Strips input, gradient;
  int64_t sumsPlane;  // (product, input channel, output channel)

  Plan(const Tensor& from, const Tensor& to)
      : x(from),
        dy(to),
        tiles(dy.batch, dy.height, dy.width),
        chunk(tilesOfChunk(x.lanes() + dy.lanes(), tiles.total)),
        input(chunk, x.lanes()),
        gradient(chunk, dy.lanes()),
        sumsPlane(oddLines(x.lanes() * dy.lanes())) {}

  static int64_t tilesOfChunk(int64_t lanes, int64_t total) {
    const int64_t bytes = kProducts * lanes * static_cast<int64_t>(sizeof(float));
    return std::min(total, std::clamp(kChunkBytes / bytes, kLeastTiles, kMostTiles));
  }
  int64_t biasFloats() const { return 2 * dy.lanes(); }  // doubles
  size_t bytes(int64_t threads) const {
    return (input.floats() + gradient.floats() + kProducts * sumsPlane + threads * biasFloats()) *
           sizeof(float);
  }
};

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
    const float *x = x_.f32(run), *dy = dy_.f32(run);
    float* weight = weight_.f32(run);
    float* input = scratch_.f32(run);
    float* gradient = input + plan_.input.floats();
    float* sums = gradient + plan_.gradient.floats();
    auto* bias = reinterpret_cast<double*>(sums + kProducts * plan_.sumsPlane);
    if (padded_) std::memset(weight, 0, weightBytes_);
    int64_t team = 1;
#pragma omp parallel
    {
      const int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
      double* own = bias + me * plan_.dy.lanes();
      std::fill_n(own, plan_.dy.lanes(), 0.0);
      for (int64_t tile = 0; tile < plan_.tiles.total; tile += plan_.chunk) {
        const int64_t count = std::min(plan_.chunk, plan_.tiles.total - tile);
        const Share share(count, threads, me);
        transformInputs(x, tile, share, input);
        transformGradients(dy, tile, share, gradient, own);
#pragma omp barrier
        const Share products(kProducts * plan_.input.count, threads, me);
        if (tile == 0)
          multiplyAll<false>(input, gradient, count, products, sums);
        else
          multiplyAll<true>(input, gradient, count, products, sums);
#pragma omp barrier
      }
      transformSums(sums, Share(plan_.dy.count * plan_.x.channels, threads, me), weight);
#pragma omp single
      team = threads;
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
  void transformInputs(const float* x, int64_t tile, Share share, float* to) const {
    for (int64_t block = 0; block < plan_.x.count; ++block)
      for (int64_t t = share.from; t < share.to; ++t) {
        const Tiles::Place place = plan_.tiles.at(tile + t);
        transformInput(plan_.x, x + plan_.x.offset(place.image, block), place, padding_,
                       to + plan_.input.offset(t, block), plan_.input.plane);
      }
  }

  // Adds to `bias` the sum of each channel.
  void transformGradients(const float* dy, int64_t tile, Share share, float* to,
                          double* bias) const {
    const Blocks& b = plan_.dy;
    const int64_t rowStride = b.width * b.pixelStride;
    for (int64_t block = 0; block < b.count; ++block) {
      __m256 sum = _mm256_setzero_ps();
      for (int64_t t = share.from; t < share.to; ++t) {
        const Tiles::Place place = plan_.tiles.at(tile + t);
        const float* from =
            dy + b.offset(place.image, block) + place.top * rowStride + place.left * b.pixelStride;
        float* out = to + plan_.gradient.offset(t, block);
        const auto store = [&](int i, int j, __m256 v) {
          _mm256_storeu_ps(out + (i * kPatch + j) * plan_.gradient.plane, v);
        };
        const int64_t rows = b.height - place.top, columns = b.width - place.left;
        const auto value = [&](int i, int j) {
          const __m256 v = _mm256_loadu_ps(from + i * rowStride + j * b.pixelStride);
          sum = _mm256_add_ps(sum, v);
          return v;
        };
        if (rows >= kTile && columns >= kTile)
          transform<OutputGradientLine>(value, store);
        else
          transform<OutputGradientLine>(
              [&](int i, int j) {
                return i < rows && j < columns ? value(i, j) : _mm256_setzero_ps();
              },
              store);
      }
      alignas(32) float lanes[kLanes];
      _mm256_store_ps(lanes, sum);
      for (int l = 0; l < kLanes; ++l) bias[block * kLanes + l] += lanes[l];
    }
  }

  // Items are strips of input channels, product after product.
  template <bool accumulate>
  void multiplyAll(const float* input, const float* gradient, int64_t tiles, Share share,
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

  // Items are blocks of output channels, input channel after input channel.
  void transformSums(const float* sums, Share share, float* weight) const {
    for (int64_t item = share.from; item < share.to; ++item) {
      const int64_t c = item / plan_.dy.count, block = item % plan_.dy.count;
      const float* from = sums + c * plan_.dy.lanes() + block * kLanes;
      const int count = plan_.dy.channelsOf(block);
      const int64_t* outputs = offsets_.outputs.data() + block * kLanes;
      float* to = weight + offsets_.inputs[c];
      const bool together = count == kLanes && offsets_.together(offsets_.outputs, block * kLanes);
      transform<FilterGradientLine>(
          [&](int i, int j) { return _mm256_loadu_ps(from + (i * kPatch + j) * plan_.sumsPlane); },
          [&](int i, int j, __m256 v) {
            float* at = to + offsets_.positions[3 * i + j];
            if (together) {
              _mm256_storeu_ps(at + outputs[0], v);
              return;
            }
            alignas(32) float lanes[kLanes];
            _mm256_store_ps(lanes, v);
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

}  // namespace

size_t weightGradientScratchBytes(const Problem& p) {
  return Plan(p.x, p.y).bytes(omp_get_max_threads());
}

std::unique_ptr<Step> weightGradientStep(const Site& site, const Product& product, Pair padding) {
  return std::make_unique<WeightGradient>(site, product, padding);
}

}  // namespace lrscope::winograd
#endif
