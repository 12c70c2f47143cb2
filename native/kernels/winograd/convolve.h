// Winograd: the forward pass and the gradient with respect to x, which is the
// same convolution of dy with weights that are turned around and have inputs
// and outputs exchanged.
//
// In blocks of tiles, as a rule: a thread has a range of tiles and walks over
// it; it transforms a block's patches, makes 36 matrix products with the
// transformed weights, and transforms back as it writes. A block is of such a
// size that what lies between the three stays in the cache.
//
// In panels of two vectors of output channels where there are many channels and few
// tiles, so that the transformed weights would not stay in the cache but the
// transformed patches do: the threads share the patches' transforms, then each
// takes panels, and transforms the weights of one at a time.
#pragma once
#include "kernels/winograd/operands.h"
#include "kernels/winograd/product.h"

namespace lrscope::winograd::LRSCOPE_WIDTH {

namespace convolving {

// Bytes of a thread's second-level cache that a block may fill, beside the transformed weights; but
// enough tiles to be worth reading the weights of a product.
constexpr int64_t kCache = kLanes == 16 ? 340000 : 500000, kLeastTiles = 24, kMostTiles = 96;
// By panels where transformed weights take more bytes than the first, and patches fewer than the
// second. Measured with 256 and 512 channels.
constexpr int64_t kWeightCache = 8000000, kPatchCache = 5000000;
constexpr int64_t kLeastPanels = 8;

struct Blocking {
  Blocks from, to;
  Pair padding;  // of `from`
  Tiles tiles;
  int64_t panels;  // of kColumns output channels
  bool byPanels;
  int64_t blockTiles;
  int64_t weightPlane, weightFloats;
  Panel input, output;

  Blocking(const Tensor& source, const Tensor& result, Pair pad)
      : from(source),
        to(result),
        padding(pad),
        tiles(to.batch, to.height, to.width),
        panels((to.count + 1) / 2),
        byPanels(panels >= kLeastPanels && transformedBytes(to.lanes()) > kWeightCache &&
                 transformedBytes(tiles.total) <= kPatchCache),
        blockTiles(byPanels ? tiles.total : tilesOfBlock(from.lanes(), to.lanes())),
        weightPlane(oddLines((byPanels ? 1 : panels) * from.lanes() * kColumns)),
        weightFloats(kProducts * weightPlane),
        input(blockTiles, from.lanes()),
        output(blockTiles, byPanels ? kColumns : to.lanes()) {}

  // Of so many weights or patches for each input channel.
  int64_t transformedBytes(int64_t count) const {
    return kProducts * from.lanes() * count * static_cast<int64_t>(sizeof(float));
  }
  static int64_t tilesOfBlock(int64_t in, int64_t out) {
    const int64_t budget = kCache / (kProducts * static_cast<int64_t>(sizeof(float)) * (in + out));
    return std::clamp<int64_t>(budget / kMostRows * kMostRows, kLeastTiles, kMostTiles);
  }

  // What the threads share comes first, then each one's own.
  int64_t sharedFloats() const { return byPanels ? input.floats() : weightFloats; }
  int64_t threadFloats() const {
    return (byPanels ? weightFloats : input.floats()) + output.floats();
  }
  size_t bytes(int64_t threads) const {
    return (sharedFloats() + threads * threadFloats()) * sizeof(float);
  }
};

inline Blocking blockingOf(Pass pass, const Tensor& x, const Tensor& y, Pair padding) {
  if (pass == Pass::forward) return Blocking(x, y, padding);
  return Blocking(y, x, {2 - padding[0], 2 - padding[1]});
}

// Of factors F; the result is R.
template <class F, class R>
class Convolve final : public Step {
 public:
  Convolve(Pass pass, const Site& site, const Product& o, Pair padding)
      : x_(pass == Pass::forward ? o.x : o.y),
        weight_(o.weight),
        y_(pass == Pass::forward ? o.y : o.x),
        scratch_(site.scratch),
        backward_(pass != Pass::forward),
        relu_(site.attributes.flag("relu")),
        streams_(streams<R>(channelView(y_))),
        blocking_(blockingOf(pass, o.x, o.y, padding)),
        offsets_(o.weight),
        bias_(blocking_.to.lanes(), 0.0f) {
    if (o.bias) {
      expectVector(*o.bias, o.weight.dim(0));
      biasOperand_ = *o.bias;
      hasBias_ = true;
    }
    expectScratch(site, blocking_.bytes(omp_get_max_threads()));
  }

  void run(const RunContext& run) override {
    const F* x = x_.data<F>(run);
    const F* weight = weight_.data<F>(run);
    R* y = y_.data<R>(run);
    float* shared = scratch_.f32(run);
    if (hasBias_) std::copy_n(biasOperand_.f32(run), blocking_.to.channels, bias_.begin());
#pragma omp parallel
    {
      const int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
      float* own = shared + blocking_.sharedFloats() + me * blocking_.threadFloats();
      if (blocking_.byPanels)
        runByPanels(x, weight, y, shared, own, threads, me);
      else
        runByBlocks(x, weight, y, shared, own, threads, me);
      settle();
    }
  }

 private:
  void runByBlocks(const F* x, const F* weight, R* y, float* transformed, float* input,
                   int64_t threads, int64_t me) const {
    const Share weights(blocking_.panels * blocking_.from.lanes(), threads, me);
    transformWeights(weight, transformed + weights.from * kColumns, weights);
#pragma omp barrier
    float* output = input + blocking_.input.floats();
    const Share share(blocking_.tiles.total, threads, me);
    for (int64_t tile = share.from; tile < share.to; tile += blocking_.blockTiles) {
      const int64_t count = std::min(blocking_.blockTiles, share.to - tile);
      transformInputs(x, tile, {0, count}, input);
      const int64_t next = tile + count;
      const Share ahead{next, std::min(next + blocking_.blockTiles, share.to)};
      multiplyAll(input, count, transformed, output, x, ahead);
      transformOutputs(output, tile, count, {0, blocking_.to.count}, y);
    }
  }

  void runByPanels(const F* x, const F* weight, R* y, float* input, float* transformed,
                   int64_t threads, int64_t me) const {
    const int64_t tiles = blocking_.tiles.total, depth = blocking_.from.lanes();
    transformInputs(x, 0, {tiles, threads, me}, input);
#pragma omp barrier
    float* output = transformed + blocking_.weightFloats;
    const Share share(blocking_.panels, threads, me);
    for (int64_t panel = share.from; panel < share.to; ++panel) {
      transformWeights(weight, transformed, {panel * depth, (panel + 1) * depth});
      for (int64_t f = 0; f < kProducts; ++f)
        multiplyPanel(input + f * blocking_.input.plane, tiles,
                      transformed + f * blocking_.weightPlane, panel,
                      output + f * blocking_.output.plane);
      transformOutputs(output, 0, tiles, {2 * panel, std::min(2 * panel + 2, blocking_.to.count)},
                       y);
    }
  }

 private:
  // Items are input channels, panel of outputs after panel. To (product, item,
  // kColumns outputs) from the share's first item on; zeros for channels that are
  // padding.
  void transformWeights(const F* weight, float* to, Share share) const {
    const auto& rows = backward_ ? offsets_.inputs : offsets_.outputs;    // of the result
    const auto& depths = backward_ ? offsets_.outputs : offsets_.inputs;  // summed over
    const int64_t depth = blocking_.from.lanes();
    for (int64_t item = share.from; item < share.to; ++item) {
      const int64_t panel = item / depth, k = item % depth;
      for (int64_t half = 0; half < 2; ++half) {
        const int64_t first = panel * kColumns + half * kLanes;
        alignas(64) float filter[9][kLanes] = {};
        if (k < static_cast<int64_t>(depths.size())) {
          const int64_t count =
              std::min<int64_t>(kLanes, static_cast<int64_t>(rows.size()) - first);
          for (int64_t l = 0; l < count; ++l) {
            const F* from = weight + depths[k] + rows[first + l];
            for (int s = 0; s < 9; ++s)
              filter[backward_ ? 8 - s : s][l] = wide(from[offsets_.positions[s]]);
          }
        }
        float* out = to + (item - share.from) * kColumns + half * kLanes;
        transform<FilterLine>([&](int i, int j) { return load(filter[3 * i + j]); },
                              [&](int i, int j, Vector v) {
                                store(out + (i * kPatch + j) * blocking_.weightPlane, v);
                              });
      }
    }
  }

  void transformInputs(const F* x, int64_t tile, Share share, float* to) const {
    const Panel& panel = blocking_.input;
    for (int64_t block = 0; block < blocking_.from.count; ++block)
      for (int64_t t = share.from; t < share.to; ++t) {
        const Tiles::Place place = blocking_.tiles.at(tile + t);
        transformInput(blocking_.from, x + blocking_.from.offset(place.image, block), place,
                       blocking_.padding, to + t * panel.row + block * kLanes, panel.plane);
      }
  }

  // Meanwhile fetches the patches of the tiles `ahead` into the cache:
  // transforming them would else wait for the memory, which has nothing to do
  // now.
  void multiplyAll(const float* input, int64_t count, const float* weight, float* output,
                   const F* x, Share ahead) const {
    const int64_t depth = blocking_.from.lanes(), tiles = ahead.to - ahead.from;
    const int64_t products = kProducts * blocking_.panels;
    for (int64_t f = 0; f < kProducts; ++f)
      for (int64_t panel = 0; panel < blocking_.panels; ++panel) {
        const Share fetched(tiles * blocking_.from.count, products, f * blocking_.panels + panel);
        for (int64_t i = fetched.from; i < fetched.to; ++i)
          fetch(x, ahead.from + i % tiles, i / tiles);
        multiplyPanel(input + f * blocking_.input.plane, count,
                      weight + f * blocking_.weightPlane + panel * depth * kColumns, panel,
                      output + f * blocking_.output.plane + panel * kColumns);
      }
  }

  // One product of `count` tiles, for one panel of outputs.
  void multiplyPanel(const float* input, int64_t count, const float* weight, int64_t panel,
                     float* output) const {
    const int64_t depth = blocking_.from.lanes(), in = blocking_.input.row,
                  out = blocking_.output.row;
    const bool wide = 2 * panel + 1 < blocking_.to.count;
    for (int64_t t = 0; t < count; t += kMostRows)
      multiply<false>(static_cast<int>(std::min<int64_t>(kMostRows, count - t)), wide,
                      input + t * in, 1, in, weight, kColumns, depth, output + t * out, out);
  }

  // The four rows of a tile's patch that the tile above it does not have.
  void fetch(const F* x, int64_t tile, int64_t block) const {
    const Blocks& from = blocking_.from;
    const Tiles::Place place = blocking_.tiles.at(tile);
    const F* start = x + from.offset(place.image, block) + place.left * from.pixelStride;
    constexpr int64_t kLine = 64 / sizeof(F);
    const int64_t step = std::max<int64_t>(1, kLine / from.pixelStride);
    for (int64_t i = 1; i <= kTile; ++i) {
      const int64_t row = std::min(place.top + i, from.height - 1);
      const F* at = start + row * from.width * from.pixelStride;
      for (int64_t j = 0; j < kTile; j += step)
        _mm_prefetch(reinterpret_cast<const char*>(at + j * from.pixelStride), _MM_HINT_T1);
    }
  }

  // `output` begins with the first of the blocks.
  void transformOutputs(const float* output, int64_t tile, int64_t count, Share blocks,
                        R* y) const {
    for (int64_t block = blocks.from; block < blocks.to; ++block)
      for (int64_t t = 0; t < count; ++t)
        transformOutput(output + t * blocking_.output.row + (block - blocks.from) * kLanes,
                        blocking_.tiles.at(tile + t), block, y);
  }

  void transformOutput(const float* from, Tiles::Place place, int64_t block, R* y) const {
    const Blocks& to = blocking_.to;
    const Vector bias = load(bias_.data() + block * kLanes);
    const Keep real = lanesBelow(to.channelsOf(block));
    R* at =
        y + to.offset(place.image, block) + (place.top * to.width + place.left) * to.pixelStride;
    const int64_t rows = std::min<int64_t>(kTile, to.height - place.top);
    const int64_t columns = std::min<int64_t>(kTile, to.width - place.left);
    transform<OutputLine>(
        [&](int i, int j) { return load(from + (i * kPatch + j) * blocking_.output.plane); },
        [&](int i, int j, Vector v) {
          v = v + bias;
          if (relu_) v = relu(v);
          // A NaN must not reach the lanes that are padding.
          v = keep(real, v);
          if (i >= rows || j >= columns) return;
          R* pixel = at + (i * to.width + j) * to.pixelStride;
          if (streams_)
            stream(pixel, v);
          else
            store(pixel, v);
        });
  }

  Operand x_, weight_, y_, biasOperand_, scratch_;
  bool hasBias_ = false, backward_, relu_, streams_;
  Blocking blocking_;
  WeightOffsets offsets_;
  std::vector<float> bias_;  // padding included
};

}  // namespace convolving

inline size_t convolveScratchBytes(Pass pass, const Problem& p) {
  return convolving::blockingOf(pass, p.x, p.y, p.padding).bytes(omp_get_max_threads());
}

inline std::unique_ptr<Step> convolveStep(Pass pass, const Site& site, const Product& product,
                                          Pair padding) {
  const Operand& result = pass == Pass::forward ? product.y : product.x;
  if (product.weight.dtype == DType::f32)
    return std::make_unique<convolving::Convolve<float, float>>(pass, site, product, padding);
  if (result.dtype == DType::f32)
    return std::make_unique<convolving::Convolve<Bf16, float>>(pass, site, product, padding);
  return std::make_unique<convolving::Convolve<Bf16, Bf16>>(pass, site, product, padding);
}

}  // namespace lrscope::winograd::LRSCOPE_WIDTH
