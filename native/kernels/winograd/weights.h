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

// Bytes of transformed tiles in a chunk: the third-level cache should hold those that the threads
// share, the second-level cache those of one, beside the sums that a product adds to.
constexpr int64_t kChunkBytes = 8000000, kOwnChunkBytes = 1000000;
constexpr int64_t kLeastSharedTiles = 64, kLeastOwnTiles = 24, kMostTiles = 256;
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

struct Blocking {
  Blocks x, dy;
  Tiles tiles;
  int64_t sumsPlane;  // (product, input channel, output channel)
  bool shared;
  int64_t chunk;
  Strips input, gradient;

  Blocking(const Tensor& from, const Tensor& to)
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
    return std::min(total, std::clamp((shared ? kChunkBytes : kOwnChunkBytes) / bytes,
                                      shared ? kLeastSharedTiles : kLeastOwnTiles, kMostTiles));
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
      : padding_(padding),
        blocking_(o.x, o.y),
        operands_(site, o, blocking_.bytes(omp_get_max_threads())),
        padded_(operands_.weightBytes > o.weight.elements() * sizeof(float)) {}

  void run(const RunContext& run) override {
    const F *x = operands_.x.data<F>(run), *dy = operands_.dy.data<F>(run);
    float* weight = operands_.weight.f32(run);
    float* work = operands_.scratch.f32(run);
    if (padded_) std::memset(weight, 0, operands_.weightBytes);
    int64_t team = 1;
    const double* bias = nullptr;
#pragma omp parallel
    {
      const int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
      auto* biases =
          reinterpret_cast<double*>(work + blocking_.works(threads) * blocking_.workFloats());
      double* own = biases + me * blocking_.dy.lanes();
      std::fill_n(own, blocking_.dy.lanes(), 0.0);
      if (blocking_.shared)
        sumShared(x, dy, work, own, threads, me);
      else
        sumAlone(x, dy, work + me * blocking_.workFloats(), own,
                 Share(blocking_.tiles.total, threads, me));
#pragma omp barrier
      transformSums(sumsOf(work), blocking_.works(threads),
                    Share(blocking_.dy.count * blocking_.x.channels, threads, me), weight);
#pragma omp single
      {
        team = threads;
        bias = biases;
      }
    }
    if (!operands_.hasBias) return;
    float* result = operands_.bias.f32(run);
    for (int64_t k = 0; k < blocking_.dy.channels; ++k) {
      double sum = 0;
      for (int64_t t = 0; t < team; ++t) sum += bias[t * blocking_.dy.lanes() + k];
      result[k] = static_cast<float>(sum);
    }
  }

 private:
  float* gradientOf(float* work) const { return work + blocking_.input.floats(); }
  float* sumsOf(float* work) const { return gradientOf(work) + blocking_.gradient.floats(); }

  void sumAlone(const F* x, const F* dy, float* work, double* bias, Share range) const {
    float* sums = sumsOf(work);
    if (range.from == range.to) std::fill_n(sums, kProducts * blocking_.sumsPlane, 0.0f);
    const Share products(0, kProducts * blocking_.input.count);
    for (int64_t tile = range.from; tile < range.to; tile += blocking_.chunk) {
      const int64_t count = std::min(blocking_.chunk, range.to - tile);
      transformInputs(x, tile, {0, count}, work);
      transformGradients(dy, tile, {0, count}, gradientOf(work), bias);
      multiplyAll(tile > range.from, work, gradientOf(work), count, products, sums);
    }
  }

  void sumShared(const F* x, const F* dy, float* work, double* bias, int64_t threads,
                 int64_t me) const {
    const Share products(kProducts * blocking_.input.count, threads, me);
    for (int64_t tile = 0; tile < blocking_.tiles.total; tile += blocking_.chunk) {
      const int64_t count = std::min(blocking_.chunk, blocking_.tiles.total - tile);
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
    for (int64_t pair = 0; pair < blocking_.x.count; pair += 2)
      for (int64_t t = share.from; t < share.to; ++t) {
        const Tiles::Place place = blocking_.tiles.at(tile + t);
        for (int64_t block = pair; block < std::min(pair + 2, blocking_.x.count); ++block)
          transformInput(blocking_.x, x + blocking_.x.offset(place.image, block), place, padding_,
                         to + blocking_.input.offset(t, block), blocking_.input.plane);
      }
  }

  // Adds to `bias` the sum of each channel.
  void transformGradients(const F* dy, int64_t tile, Share share, float* to, double* bias) const {
    const Blocks& b = blocking_.dy;
    for (int64_t pair = 0; pair < b.count; pair += 2) {
      const int64_t end = std::min(pair + 2, b.count);
      Vector sums[2] = {zeros(), zeros()};
      for (int64_t t = share.from; t < share.to; ++t) {
        const Tiles::Place place = blocking_.tiles.at(tile + t);
        for (int64_t block = pair; block < end; ++block)
          transformGradient(dy + b.offset(place.image, block), place,
                            to + blocking_.gradient.offset(t, block), sums[block - pair]);
      }
      for (int64_t block = pair; block < end; ++block) {
        alignas(64) float lanes[kLanes];
        store(lanes, sums[block - pair]);
        for (int l = 0; l < kLanes; ++l) bias[block * kLanes + l] += lanes[l];
      }
    }
  }

  void transformGradient(const F* block, Tiles::Place place, float* to, Vector& sum) const {
    const Blocks& b = blocking_.dy;
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
      store(to + (i * kPatch + j) * blocking_.gradient.plane, v);
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
    const Strips &in = blocking_.input, &out = blocking_.gradient;
    const int64_t outputs = blocking_.dy.lanes();
    for (int64_t item = share.from; item < share.to; ++item) {
      const int64_t f = item / in.count, strip = item % in.count;
      const int64_t channels = std::min<int64_t>(kColumns, blocking_.x.lanes() - strip * kColumns);
      const float* a = input + f * in.plane + strip * in.strip;
      float* to = sums + f * blocking_.sumsPlane + strip * kColumns * outputs;
      for (int64_t panel = 0; panel < out.count; ++panel)
        for (int64_t c = 0; c < channels; c += kRows)
          multiply<accumulate>(static_cast<int>(std::min<int64_t>(kRows, channels - c)),
                               2 * panel + 1 < blocking_.dy.count, a + c, kColumns, 1,
                               gradient + f * out.plane + panel * out.strip, kColumns, tiles,
                               to + c * outputs + panel * kColumns, outputs);
    }
  }

  // Items are blocks of output channels, input channel after input channel. Adds up the sums of so
  // many works, in their order.
  void transformSums(const float* sums, int64_t works, Share share, float* weight) const {
    for (int64_t item = share.from; item < share.to; ++item) {
      const int64_t c = item / blocking_.dy.count, block = item % blocking_.dy.count;
      const float* from = sums + c * blocking_.dy.lanes() + block * kLanes;
      const int count = blocking_.dy.channelsOf(block);
      const int64_t* outputs = operands_.offsets.outputs.data() + block * kLanes;
      float* to = weight + operands_.offsets.inputs[c];
      const bool together =
          count == kLanes && operands_.offsets.together(operands_.offsets.outputs, block * kLanes);
      transform<FilterGradientLine>(
          [&](int i, int j) {
            const float* at = from + (i * kPatch + j) * blocking_.sumsPlane;
            Vector sum = load(at);
            for (int64_t w = 1; w < works; ++w) sum = sum + load(at + w * blocking_.workFloats());
            return sum;
          },
          [&](int i, int j, Vector v) {
            float* at = to + operands_.offsets.positions[3 * i + j];
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

  Pair padding_;
  Blocking blocking_;
  GradientOperands operands_;
  bool padded_;
};

}  // namespace summing

inline size_t weightGradientScratchBytes(const Problem& p) {
  return summing::Blocking(p.x, p.y).bytes(omp_get_max_threads());
}

inline std::unique_ptr<Step> weightGradientStep(const Site& site, const Product& product,
                                                Pair padding) {
  if (product.x.dtype == DType::f32)
    return std::make_unique<summing::WeightGradient<float>>(site, product, padding);
  return std::make_unique<summing::WeightGradient<Bf16>>(site, product, padding);
}

}  // namespace lrscope::winograd::LRSCOPE_WIDTH
