// A thread takes whole groups of channels, and so needs nobody else's sums: the result does not
// depend on the number of threads. Of each image, the rows of x are copied between zeros that stand
// for the padding; then all weights of a kernel row are summed at once, in registers, over all of
// the image.
#include "kernels/depthwise.h"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "kernels/simd/lanes.h"

namespace lrscope::depthwise {

namespace {

bool isBlocked(const std::string& layout) { return layout == "aBcd8b" || layout == "aBcd16b"; }

inline Vec multiplyAdd(Vec a, Vec b, Vec sum) {
#ifdef __FMA__
  return (Vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
#else
  return a * b + sum;
#endif
}

struct Geometry {
  ChannelView x, dy;
  int64_t kernelHeight, kernelWidth;
  Pair stride;
  int64_t rowFloats, threadFloats;

  Geometry(const Tensor& image, const Tensor& weight, const Tensor& gradient, Pair strides)
      : x(channelView(image)),
        dy(channelView(gradient)),
        kernelHeight(weight.dim(2)),
        kernelWidth(weight.dim(3)),
        stride(strides),
        rowFloats(((dy.width - 1) * stride[1] + kernelWidth) * x.lanes),
        threadFloats(x.height * rowFloats + kernelHeight * kernelWidth * x.lanes) {}

  size_t bytes(int64_t threads) const { return threads * threadFloats * sizeof(float); }
};

// Rows of an image and of its gradient that kernel row k brings together.
struct Meeting {
  int64_t first, end;  // of dy's rows
};

template <class T>
class WeightGradient final : public Step {
 public:
  WeightGradient(const Site& site, const Product& o)
      : geometry_(o.x, o.weight, o.y, site.attributes.pair("stride")),
        padding_(site.attributes.pair("padding")),
        x_(o.x),
        dy_(o.y),
        weight_(o.weight),
        bias_(o.bias ? *o.bias : Operand()),
        scratch_(site.scratch),
        map_(o.weight.layout, o.weight.shape) {
    if (o.bias) expectVector(bias_, o.weight.dim(0));
    hasBias_ = o.bias != nullptr;
    expectScratch(site, geometry_.bytes(omp_get_max_threads()));
  }

  void run(const RunContext& run) override {
    const T *x = x_.data<T>(run), *dy = dy_.data<T>(run);
    float *weight = weight_.f32(run), *scratch = scratch_.f32(run);
    std::memset(weight, 0, map_.paddedElements() * sizeof(float));
#pragma omp parallel for schedule(static)
    for (int64_t group = 0; group < geometry_.x.groups; ++group) {
      float* rows = scratch + omp_get_thread_num() * geometry_.threadFloats;
      float* sums = rows + geometry_.x.height * geometry_.rowFloats;
      std::fill(rows, scratch + (omp_get_thread_num() + 1) * geometry_.threadFloats, 0.0f);
      for (int64_t image = 0; image < geometry_.x.batch; ++image) {
        copyRows(x + image * geometry_.x.batchStride + group * geometry_.x.groupStride, rows);
        sumImage(rows, dy + image * geometry_.dy.batchStride + group * geometry_.dy.groupStride,
                 sums);
      }
      scatter(group, sums, weight);
      if (hasBias_) sumBias(group, dy, bias_.f32(run));
    }
  }

 private:
  // What lies left and right of a row stays zero.
  void copyRows(const T* x, float* rows) const {
    const ChannelView& v = geometry_.x;
    const int64_t left = padding_[1] * v.lanes;
    const int64_t used = std::clamp<int64_t>(geometry_.rowFloats - left, 0, v.width * v.lanes);
    for (int64_t h = 0; h < v.height; ++h)
      for (int64_t i = 0; i < used; i += kVec)
        Whole{}.store(rows + h * geometry_.rowFloats + left + i,
                      Whole{}.load(x + h * v.width * v.lanes + i));
  }

  Meeting meeting(int64_t k) const {
    const int64_t shift = k - padding_[0], step = geometry_.stride[0];
    const int64_t first = shift >= 0 ? 0 : (-shift + step - 1) / step;
    const int64_t last = geometry_.x.height - 1 - shift;
    return {first, last < 0 ? 0 : std::min(geometry_.dy.height, last / step + 1)};
  }

  void sumImage(const float* rows, const T* dy, float* sums) const {
    const int64_t lanes = geometry_.x.lanes;
    for (int64_t k = 0; k < geometry_.kernelHeight; ++k, sums += geometry_.kernelWidth * lanes) {
      const Meeting m = meeting(k);
      switch (geometry_.kernelWidth) {
        case 3:
          lanes == kVec ? sumRow<3, 1>(rows, dy, k, m, sums) : sumRow<3, 2>(rows, dy, k, m, sums);
          break;
        case 5:
          lanes == kVec ? sumRow<5, 1>(rows, dy, k, m, sums) : sumRow<5, 2>(rows, dy, k, m, sums);
          break;
        default:
          // Two vectors of each would be more than there are registers.
          for (int64_t half = 0; half < lanes; half += kVec)
            sumRow<7, 1>(rows + half, dy + half, k, m, sums + half);
      }
    }
  }

  template <int W, int V>
  void sumRow(const float* rows, const T* dy, int64_t k, Meeting m, float* sums) const {
    const int64_t lanes = geometry_.x.lanes, step = geometry_.stride[1] * lanes;
    const Whole io;
    Vec sum[W][V];
    for (int w = 0; w < W; ++w)
      for (int v = 0; v < V; ++v) sum[w][v] = io.load(sums + w * lanes + v * kVec);
    for (int64_t i = m.first; i < m.end; ++i) {
      const float* row = rows + (i * geometry_.stride[0] + k - padding_[0]) * geometry_.rowFloats;
      const T* from = dy + i * geometry_.dy.width * lanes;
      for (int64_t j = 0; j < geometry_.dy.width; ++j, row += step, from += lanes) {
        for (int v = 0; v < V; ++v) {
          const Vec d = io.load(from + v * kVec);
          for (int w = 0; w < W; ++w)
            sum[w][v] = multiplyAdd(d, io.load(row + w * lanes + v * kVec), sum[w][v]);
        }
      }
    }
    for (int w = 0; w < W; ++w)
      for (int v = 0; v < V; ++v) io.store(sums + w * lanes + v * kVec, sum[w][v]);
  }

  void scatter(int64_t group, const float* sums, float* weight) const {
    const int64_t lanes = geometry_.x.lanes;
    for (int64_t k = 0; k < geometry_.kernelHeight; ++k)
      for (int64_t w = 0; w < geometry_.kernelWidth; ++w, sums += lanes)
        for (int64_t l = 0; l < geometry_.x.channelsOf(group); ++l)
          weight[map_.offset({group * lanes + l, 0, k, w})] = sums[l];
  }

  void sumBias(int64_t group, const T* dy, float* bias) const {
    const ChannelView& v = geometry_.dy;
    for (int64_t half = 0; half < v.lanes; half += kVec) {
      Vec sum{};
      for (int64_t image = 0; image < v.batch; ++image) {
        const T* from = dy + image * v.batchStride + group * v.groupStride + half;
        for (int64_t p = 0; p < v.pixels(); ++p) sum += Whole{}.load(from + p * v.lanes);
      }
      for (int64_t l = 0; l < kVec && half + l < v.channelsOf(group); ++l)
        bias[group * v.lanes + half + l] = sum[l];
    }
  }

  Geometry geometry_;
  Pair padding_;
  Operand x_, dy_, weight_, bias_, scratch_;
  bool hasBias_ = false;
  LayoutMap map_;
};

}  // namespace

bool takes(const Tensor& x, const Tensor& weight, const Tensor& dy) {
  const int64_t width = weight.dim(3);
  return weight.groups > 1 && weight.groups == weight.dim(0) && weight.groups == x.dim(1) &&
         isBlocked(x.layout) && x.layout == dy.layout && x.dtype == dy.dtype &&
         weight.dtype == DType::f32 && (width == 3 || width == 5 || width == 7);
}

size_t scratchBytes(const Tensor& x, const Tensor& weight, const Tensor& dy, Pair stride) {
  return Geometry(x, weight, dy, stride).bytes(omp_get_max_threads());
}

std::unique_ptr<Step> makeStep(const Site& site, const Product& product) {
  Tensor weight = product.weight;
  weight.groups = site.attributes.integerOr("groups", 1);
  if (!takes(product.x, weight, product.y))
    throw Refusal("has no depthwise kernel for the layouts \"" + product.x.layout + "\" and \"" +
                  product.y.layout + "\", and weights " + formatShape(weight.shape));
  if (product.x.dtype == DType::bf16) return std::make_unique<WeightGradient<Bf16>>(site, product);
  return std::make_unique<WeightGradient<float>>(site, product);
}

}  // namespace lrscope::depthwise
