// For each row of dy, the rows of x that it meets are copied between zeros that stand for the
// padding. Each tap (input channel, kernel row and column) then sums x times dy along the row, six
// taps and sixteen output channels at a time in registers. The bias is a tap more, over ones.
#include "kernels/few_channels.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <omp.h>

#include <cstring>

#include "kernels/winograd/operands.h"

namespace lrscope::few_channels {

namespace {

using winograd::Blocks;
using winograd::kLanes;
using winograd::oddLines;
using winograd::Share;
using winograd::WeightOffsets;

constexpr int kTaps = 6;

// out (R, 8 W) += sum over i < count of a[r][i * step] by b[w][8 i].
template <int R, int W>
void sumTaps(const float* const* a, int64_t step, const float* const* b, int64_t count, float* out,
             int64_t outRow) {
  __m256 sum[R][W];
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) sum[r][w] = _mm256_setzero_ps();
  for (int64_t i = 0; i < count; ++i) {
    __m256 row[W];
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) row[w] = _mm256_loadu_ps(b[w] + i * kLanes);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const __m256 value = _mm256_broadcast_ss(a[r] + i * step);
#pragma GCC unroll 2
      for (int w = 0; w < W; ++w) sum[r][w] = _mm256_fmadd_ps(value, row[w], sum[r][w]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) {
      float* at = out + r * outRow + w * kLanes;
      _mm256_storeu_ps(at, _mm256_add_ps(_mm256_loadu_ps(at), sum[r][w]));
    }
}

using SumTaps = void (*)(const float* const*, int64_t, const float* const*, int64_t, float*,
                         int64_t);
constexpr SumTaps kSumTaps[kTaps][2] = {
    {sumTaps<1, 1>, sumTaps<1, 2>}, {sumTaps<2, 1>, sumTaps<2, 2>}, {sumTaps<3, 1>, sumTaps<3, 2>},
    {sumTaps<4, 1>, sumTaps<4, 2>}, {sumTaps<5, 1>, sumTaps<5, 2>}, {sumTaps<6, 1>, sumTaps<6, 2>}};

struct Plan {
  Blocks dy;
  int64_t channels, height, width;  // of x
  int64_t kernelHeight, kernelWidth, strideWidth;
  int64_t taps;  // the bias's included, the last
  int64_t rowFloats, rowsFloats, sumsFloats;

  Plan(const Tensor& x, const Tensor& weight, const Tensor& gradient, Pair stride)
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
      : x_(o.x),
        dy_(o.y),
        weight_(o.weight),
        scratch_(site.scratch),
        stride_(site.attributes.pair("stride")),
        padding_(site.attributes.pair("padding")),
        plan_(o.x, o.weight, o.y, stride_),
        offsets_(o.weight),
        weightBytes_(layoutBytes(o.weight)) {
    if (o.bias) {
      expectVector(*o.bias, o.weight.dim(0));
      bias_ = *o.bias;
      hasBias_ = true;
    }
    expectScratch(site, plan_.bytes(omp_get_max_threads()));
  }

  void run(const RunContext& run) override {
    const float *x = x_.f32(run), *dy = dy_.f32(run);
    float* scratch = scratch_.f32(run);
    int64_t team = 1;
#pragma omp parallel
    {
      const int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
      float* rows = scratch + me * plan_.threadFloats();
      float* sums = rows + plan_.rowsFloats;
      std::fill_n(sums, plan_.sumsFloats, 0.0f);
      std::fill_n(rows + plan_.channels * plan_.kernelHeight * plan_.rowFloats, plan_.rowFloats,
                  1.0f);
      const Share share(plan_.dy.batch * plan_.dy.height, threads, me);
      for (int64_t item = share.from; item < share.to; ++item) {
        const int64_t image = item / plan_.dy.height, row = item % plan_.dy.height;
        copyRows(x, image, row, rows);
        sumRow(rows, dy, image, row, sums);
      }
#pragma omp single
      team = threads;
    }
    scatter(scratch + plan_.rowsFloats, team, weight_.f32(run),
            hasBias_ ? bias_.f32(run) : nullptr);
  }

 private:
  void copyRows(const float* x, int64_t image, int64_t row, float* to) const {
    const int64_t left = padding_[1];
    const int64_t used = std::max<int64_t>(0, std::min(plan_.width, plan_.rowFloats - left));
    for (int64_t c = 0; c < plan_.channels; ++c)
      for (int64_t k = 0; k < plan_.kernelHeight; ++k, to += plan_.rowFloats) {
        const int64_t from = row * stride_[0] + k - padding_[0];
        std::fill_n(to, plan_.rowFloats, 0.0f);
        if (from < 0 || from >= plan_.height) continue;
        std::copy_n(x + ((image * plan_.channels + c) * plan_.height + from) * plan_.width, used,
                    to + left);
      }
  }

  void sumRow(const float* rows, const float* dy, int64_t image, int64_t row, float* sums) const {
    const Blocks& y = plan_.dy;
    for (int64_t block = 0; block < y.count; block += 2) {
      const bool wide = block + 1 < y.count;
      const int64_t at = row * y.width * kLanes;
      const float* b[2] = {dy + y.offset(image, block) + at,
                           dy + y.offset(image, block + wide) + at};
      for (int64_t tap = 0; tap < plan_.taps; tap += kTaps) {
        const int64_t count = std::min<int64_t>(kTaps, plan_.taps - tap);
        const float* a[kTaps] = {};
        for (int64_t r = 0; r < count; ++r)
          a[r] = rows + (tap + r) / plan_.kernelWidth * plan_.rowFloats +
                 (tap + r) % plan_.kernelWidth;
        kSumTaps[count - 1][wide](a, plan_.strideWidth, b, y.width,
                                  sums + tap * y.lanes() + block * kLanes, y.lanes());
      }
    }
  }

  // The threads' sums, added in their order.
  void scatter(const float* sums, int64_t threads, float* weight, float* bias) const {
    std::memset(weight, 0, weightBytes_);
    const int64_t positions = plan_.kernelHeight * plan_.kernelWidth;
    for (int64_t tap = 0; tap < plan_.taps; ++tap)
      for (int64_t o = 0; o < plan_.dy.channels; ++o) {
        float sum = 0;
        for (int64_t t = 0; t < threads; ++t)
          sum += sums[t * plan_.threadFloats() + tap * plan_.dy.lanes() + o];
        if (tap + 1 < plan_.taps)
          weight[offsets_.outputs[o] + offsets_.inputs[tap / positions] +
                 offsets_.positions[tap % positions]] = sum;
        else if (bias)
          bias[o] = sum;
      }
  }

  Operand x_, dy_, weight_, bias_, scratch_;
  bool hasBias_ = false;
  Pair stride_, padding_;
  Plan plan_;
  WeightOffsets offsets_;
  size_t weightBytes_;
};

}  // namespace

bool takes(const Tensor& x, const Tensor& dy) {
  // Its rows have to be contiguous.
  return x.layout == "abcd" && x.dim(1) <= 4 && dy.layout == "aBcd8b";
}

size_t scratchBytes(const Tensor& x, const Tensor& weight, const Tensor& dy, Pair stride) {
  return Plan(x, weight, dy, stride).bytes(omp_get_max_threads());
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
