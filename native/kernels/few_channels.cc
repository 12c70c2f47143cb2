// For each row of dy, the rows of x that it meets are copied between zeros that stand for the
// padding. Each tap (input channel, kernel row and column) then sums x times dy along the row, six
// taps and sixteen output channels at a time in registers. The bias is a tap more, over ones.
#include "kernels/few_channels.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <omp.h>

#include <cstring>

#include "kernels/winograd/operands.h"
#include "kernels/winograd/product.h"

namespace lrscope::few_channels {

namespace {

using winograd::avx2::Blocks;
using winograd::avx2::GradientOperands;
using winograd::avx2::kLanes;
using winograd::avx2::oddLines;
using winograd::avx2::Share;

constexpr int kTaps = winograd::avx2::kMostRows;

// out (R, 8 W) += sum over i < count of a[r][i * step] by b[w][8 i].
template <int R, int W>
struct SumTaps {
  static void run(const float* const* a, int64_t step, const float* const* b, int64_t count,
                  float* out, int64_t outRow) {
    winograd::avx2::sumTile<R, W>(
        count, [](int, int) { return winograd::avx2::zeros(); },
        [=](int64_t i, int r) { return a[r][i * step]; },
        [=](int64_t i, int w) { return winograd::avx2::load(b[w] + i * kLanes); },
        [=](int r, int w, winograd::avx2::Vector sum) {
          float* at = out + r * outRow + w * kLanes;
          winograd::avx2::store(at, winograd::avx2::load(at) + sum);
        });
  }
};

struct Blocking {
  Blocks dy;
  int64_t channels, height, width;  // of x
  int64_t kernelHeight, kernelWidth, strideWidth;
  int64_t taps;  // the bias's included, the last
  int64_t rowFloats, rowsFloats, sumsFloats;

  Blocking(const Tensor& x, const Tensor& weight, const Tensor& gradient, Pair stride)
      : dy(gradient),
        channels(x.dim(1)),
        height(x.dim(2)),
        width(x.dim(3)),
        kernelHeight(weight.dim(2)),
        kernelWidth(weight.dim(3)),
        strideWidth(stride[1]),
        taps(channels * kernelHeight * kernelWidth + 1),
        rowFloats((dy.width - 1) * strideWidth + kernelWidth),
        // One more row, of ones.
        rowsFloats(oddLines((channels * kernelHeight + 1) * rowFloats)),
        sumsFloats(oddLines(taps * dy.lanes())) {}

  int64_t threadFloats() const { return rowsFloats + sumsFloats; }
  size_t bytes(int64_t threads) const { return threads * threadFloats() * sizeof(float); }
};

class WeightGradient final : public Step {
 public:
  WeightGradient(const Site& site, const Product& o)
      : stride_(site.attributes.pair("stride")),
        padding_(site.attributes.pair("padding")),
        blocking_(o.x, o.weight, o.y, stride_),
        operands_(site, o, blocking_.bytes(omp_get_max_threads())) {}

  void run(const RunContext& run) override {
    const float *x = operands_.x.f32(run), *dy = operands_.dy.f32(run);
    float* scratch = operands_.scratch.f32(run);
    int64_t team = 1;
#pragma omp parallel
    {
      const int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
      float* rows = scratch + me * blocking_.threadFloats();
      float* sums = rows + blocking_.rowsFloats;
      std::fill_n(sums, blocking_.sumsFloats, 0.0f);
      std::fill_n(rows + blocking_.channels * blocking_.kernelHeight * blocking_.rowFloats,
                  blocking_.rowFloats, 1.0f);
      const Share share(blocking_.dy.batch * blocking_.dy.height, threads, me);
      for (int64_t item = share.from; item < share.to; ++item) {
        const int64_t image = item / blocking_.dy.height, row = item % blocking_.dy.height;
        copyRows(x, image, row, rows);
        sumRow(rows, dy, image, row, sums);
      }
#pragma omp single
      team = threads;
    }
    scatter(scratch + blocking_.rowsFloats, team, operands_.weight.f32(run),
            operands_.hasBias ? operands_.bias.f32(run) : nullptr);
  }

 private:
  void copyRows(const float* x, int64_t image, int64_t row, float* to) const {
    const int64_t left = padding_[1];
    const int64_t used =
        std::max<int64_t>(0, std::min(blocking_.width, blocking_.rowFloats - left));
    for (int64_t c = 0; c < blocking_.channels; ++c)
      for (int64_t k = 0; k < blocking_.kernelHeight; ++k, to += blocking_.rowFloats) {
        const int64_t from = row * stride_[0] + k - padding_[0];
        std::fill_n(to, blocking_.rowFloats, 0.0f);
        if (from < 0 || from >= blocking_.height) continue;
        std::copy_n(
            x + ((image * blocking_.channels + c) * blocking_.height + from) * blocking_.width,
            used, to + left);
      }
  }

  void sumRow(const float* rows, const float* dy, int64_t image, int64_t row, float* sums) const {
    const Blocks& y = blocking_.dy;
    for (int64_t block = 0; block < y.count; block += 2) {
      const bool wide = block + 1 < y.count;
      const int64_t at = row * y.width * kLanes;
      const float* b[2] = {dy + y.offset(image, block) + at,
                           dy + y.offset(image, block + wide) + at};
      for (int64_t tap = 0; tap < blocking_.taps; tap += kTaps) {
        const int64_t count = std::min<int64_t>(kTaps, blocking_.taps - tap);
        const float* a[kTaps] = {};
        for (int64_t r = 0; r < count; ++r)
          a[r] = rows + (tap + r) / blocking_.kernelWidth * blocking_.rowFloats +
                 (tap + r) % blocking_.kernelWidth;
        winograd::avx2::runTile<SumTaps>(
            static_cast<int>(count), wide, static_cast<const float* const*>(a),
            blocking_.strideWidth, b, y.width, sums + tap * y.lanes() + block * kLanes, y.lanes());
      }
    }
  }

  // The threads' sums, added in their order.
  void scatter(const float* sums, int64_t threads, float* weight, float* bias) const {
    std::memset(weight, 0, operands_.weightBytes);
    const int64_t positions = blocking_.kernelHeight * blocking_.kernelWidth;
    for (int64_t tap = 0; tap < blocking_.taps; ++tap)
      for (int64_t o = 0; o < blocking_.dy.channels; ++o) {
        float sum = 0;
        for (int64_t t = 0; t < threads; ++t)
          sum += sums[t * blocking_.threadFloats() + tap * blocking_.dy.lanes() + o];
        if (tap + 1 < blocking_.taps)
          weight[operands_.offsets.outputs[o] + operands_.offsets.inputs[tap / positions] +
                 operands_.offsets.positions[tap % positions]] = sum;
        else if (bias)
          bias[o] = sum;
      }
  }

  Pair stride_, padding_;
  Blocking blocking_;
  GradientOperands operands_;
};

}  // namespace

bool takes(const Tensor& x, const Tensor& dy) {
  // Its rows have to be contiguous.
  return x.layout == "abcd" && x.dim(1) <= 4 && dy.layout == "aBcd8b";
}

size_t scratchBytes(const Tensor& x, const Tensor& weight, const Tensor& dy, Pair stride) {
  return Blocking(x, weight, dy, stride).bytes(omp_get_max_threads());
}

std::unique_ptr<Step> makeStep(const Site& site, const Product& product) {
  if (!takes(product.x, product.y))
    throw Refusal("has no kernel for the layouts \"" + product.x.layout + "\" and \"" +
                  product.y.layout + "\"");
  return std::make_unique<WeightGradient>(site, product);
}

}  // namespace lrscope::few_channels
#else
namespace lrscope::few_channels {

bool takes(const Tensor&, const Tensor&) { return false; }
size_t scratchBytes(const Tensor&, const Tensor&, const Tensor&, Pair) { return 0; }
std::unique_ptr<Step> makeStep(const Site&, const Product&) {
  throw Refusal("this build has no kernel for few channels");
}

}  // namespace lrscope::few_channels
#endif
