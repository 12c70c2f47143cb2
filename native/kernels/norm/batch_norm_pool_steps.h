// Batch normalisation, ReLU and max pooling as one: the convolution's output is read once for its
// statistics and once to be normalised and pooled; what lies between is never written. The
// workspace holds, for each pooled value, its position in the window, or kBlocked where ReLU let
// nothing pass, one byte, in the order of the values.
//
// The derivative needs the sums of d and d (x - mean) over the places that were pooled, d being the
// gradient: there x - mean = (y - beta) / scale, so that the small y is read rather than x. Then dx
// is written in one pass over x.
#pragma once
#include <algorithm>

#include "kernels/norm/batch_norm_steps.h"
#include "kernels/pool_window.h"

namespace lrscope::norm::LRSCOPE_WIDTH::pooled {

constexpr int32_t kBlocked = 255;

struct PooledNorm {
  BatchNorm norm;
  Geometry geometry;
  ChannelView small;  // of the pooled tensors; norm.view is x's

  bool isTwoByTwo() const {
    return geometry.isTwoByTwo() && norm.view.height % 2 == 0 && norm.view.width % 2 == 0;
  }
};

inline PooledNorm pooledNormOf(const Site& site, BatchNorm norm, const Operand& y,
                               const Operand* workspace) {
  expectType(y, site.inputs[0].dtype);
  expectLayout(y, site.inputs[0].layout);
  const PooledNorm p{norm, geometryOf(site.attributes, site.inputs[0], y), loopView(y)};
  if (workspace && workspace->bytes < layoutBytes(y) / sizeOf(y.dtype))
    throw Refusal("the workspace is too small");
  return p;
}

template <bool relu, class T>
void forward(const PooledNorm& p, const Statistics& s, const T* x, T* y, uint8_t* where) {
  const ChannelView &from = p.norm.view, &to = p.small;
  normaliseBatch(p.norm, s, x, [&](int64_t g) {
    return [&, g, affine = s.affine(p.norm, g)](int64_t b) {
      const T* image = x + b * from.batchStride + g * from.groupStride;
      T* const pooled = y + b * to.batchStride + g * to.groupStride;
      uint8_t* const positions = where ? where + (pooled - y) : nullptr;
      withLanes(to, g, [&](auto io, auto vecs) {
        findMaxima(
            io, vecs, p.geometry, from, to, image,
            [&](Vec value, int u) { return affine.apply(value, u); },
            [&](const Best& best, int64_t at) {
              // A NaN is not below 0: it passes, but its gradient does not.
              io.store(pooled + at, relu ? select(~(best.value < 0.0f), best.value) : best.value);
              if (!positions) return;
              const Mask blocked = Mask{} + kBlocked;
              io.storeBytes(positions + at,
                            relu ? (best.value > 0.0f ? best.index : blocked) : best.index);
            });
      });
    };
  });
}

inline LayoutAnswer chooseTrain(const LayoutQuestion& q) {
  geometryOf(q.attributes, q.inputs[0], q.outputs[0]);
  LayoutAnswer a = chooseBatchNorm(q, {{0}, {0}}, sizeof(Moments));
  if (q.outputs.size() == 4) a.outputBytes[3] = a.outputBytes[0] / sizeOf(q.outputs[0].dtype);
  return a;
}

inline std::unique_ptr<Step> buildTrain(const Site& site) {
  const bool remembers = site.outputs.size() == 4;
  const PooledNorm p = pooledNormOf(site, batchNormOf(site, true, {1, 5}, {1, 3}, sizeof(Moments)),
                                    site.outputs[0], remembers ? &site.outputs[3] : nullptr);
  const auto in = site.inputs, out = site.outputs;
  const Operand scratch = site.scratch;
  return withElement(in[0], [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const Statistics s(run, &in[1], &out[1], scratch);
      uint8_t* where = remembers ? out[3].data<uint8_t>(run) : nullptr;
      withFlags(
          [&](auto relu) {
            forward<relu.value>(p, s, in[0].data<T>(run), out[0].data<T>(run), where);
          },
          p.norm.relu);
    });
  });
}

template <class T>
struct Pooled {
  const T *x, *dy, *y;
  const uint8_t* where;
};

// 1 / scale where (y - beta) / scale has x - mean to a few digits of the last; where some channel
// of the group has a scale too small beside beta for that, `exact` is false. Of bfloat16's few
// digits none can be spared: there beta must not exceed gamma.
struct Inverse {
  LaneValues scale;
  bool exact = true;

  Inverse(const PooledNorm& p, const Derivative& d, const Affine& affine, int64_t g, float spared) {
    const ChannelView& v = p.norm.view;
    forChannelsOf(v, g, [&](int64_t c) {
      if (!(std::abs(d.gamma[c]) >= std::max(std::abs(d.beta[c]) / spared, 1e-20f))) exact = false;
    });
    if (!exact) return;
    for (int64_t l = 0; l < (v.plain ? v.lanes : v.channelsOf(g)); ++l)
      scale.value[l] = 1 / affine.scale.value[l];
  }
};

// x at the place that each lane's position names.
template <class Io, class T>
Vec pooledFrom(Io io, const PooledNorm& p, const T* x, Mask position, int64_t i, int64_t j) {
  const ChannelView& v = p.norm.view;
  const auto &kernel = p.geometry.kernel, &stride = p.geometry.stride, &pad = p.geometry.padding;
  Vec value{};
  for (int l = 0; l < lanesIn(io); ++l) {
    if (position[l] == kBlocked) continue;
    const int64_t row = i * stride[0] - pad[0] + position[l] / kernel[1];
    const int64_t column = j * stride[1] - pad[1] + position[l] % kernel[1];
    // A position that no forward pass has written, as where an instruction is timed alone.
    if (row < 0 || row >= v.height || column < 0 || column >= v.width) continue;
    value[l] = wide(x[(row * v.width + column) * pixelStride(v) + l]);
  }
  return value;
}

// Sums of d and d (x - mean) over one image's pooled values.
template <class Io, class Vecs, class T>
void addPooledSums(Io io, Vecs vecs, const PooledNorm& p, const Affine& affine,
                   const Inverse& inverse, const Pooled<T>& image, Sums* lanes) {
  const ChannelView& v = p.small;
  const int64_t pixel = pixelStride(v);
  for (int64_t i = 0; i < v.height; ++i)
    for (int u = 0; u < vecs; ++u) {
      Vec gradient{}, product{};
      for (int64_t j = 0; j < v.width; ++j) {
        const int64_t at = (i * v.width + j) * pixel + u * kVec;
        const Mask position = io.loadBytes(image.where + at);
        const Vec d = select(position != kBlocked, io.load(image.dy + at));
        gradient += d;
        product +=
            inverse.exact
                ? d * (io.load(image.y + at) - affine.beta.vec(u))
                : d * (pooledFrom(io, p, image.x + u * kVec, position, i, j) - affine.mean.vec(u));
      }
      if (inverse.exact) product *= inverse.scale.vec(u);
      Sums::add(lanes + u * kVec, gradient, product);
    }
}

// Gradients of one image from windows of 2x2 side by side that cover it.
template <bool stream, class Io, class Vecs, class T>
void spreadTwoByTwo(Io io, Vecs vecs, const PooledNorm& p, const GradientMap& map,
                    const Pooled<T>& image, T* dx) {
  const ChannelView &small = p.small, &large = p.norm.view;
  const int64_t pixel = pixelStride(large), smallPixel = pixelStride(small);
  for (int64_t i = 0; i < small.height; ++i)
    for (int64_t j = 0; j < small.width; ++j)
      for (int u = 0; u < vecs; ++u) {
        const int64_t from = (i * small.width + j) * smallPixel + u * kVec;
        const Mask position = io.loadBytes(image.where + from);
        const Vec d = io.load(image.dy + from);
        for (int32_t k = 0; k < 4; ++k) {
          const int64_t at = ((2 * i + k / 2) * large.width + 2 * j + k % 2) * pixel + u * kVec;
          put<stream>(io, dx + at, map.apply(io.load(image.x + at), select(position == k, d), u));
        }
      }
}

template <bool stream, class T>
void backward(const PooledNorm& p, const Derivative& d, const Pooled<T>& all, T* dx) {
  const ChannelView &large = p.norm.view, &small = p.small;
  const auto imageOf = [&](int64_t b, int64_t g) {
    const int64_t first = b * small.batchStride + g * small.groupStride;
    return Pooled<T>{all.x + b * large.batchStride + g * large.groupStride, all.dy + first,
                     all.y + first, all.where + first};
  };
  const auto first = [&](int64_t g) {
    const Affine affine = d.affine(p.norm, g);
    constexpr float kSpared = std::is_same_v<T, float> ? 16 : 1;
    return [&, g, affine, inverse = Inverse(p, d, affine, g, kSpared)](int64_t b) {
      Sums* lanes = d.cleared(p.norm, b, g);
      withLanes(small, g, [&](auto io, auto vecs) {
        addPooledSums(io, vecs, p, affine, inverse, imageOf(b, g), lanes);
      });
    };
  };
  const auto second = [&](int64_t g) {
    return [&, g, map = GradientMap(p.norm, d, g)](int64_t b) {
      T* to = dx + b * large.batchStride + g * large.groupStride;
      const Pooled<T> image = imageOf(b, g);
      withLanes(large, g, [&](auto io, auto vecs) {
        if (p.isTwoByTwo())
          spreadTwoByTwo<stream>(io, vecs, p, map, image, to);
        else
          gatherGradients(io, vecs, p.geometry, small, large, image.dy, image.where,
                          [&](Vec d, int64_t at, int u) {
                            put<stream>(io, to + at, map.apply(io.load(image.x + at), d, u));
                          });
      });
    };
  };
  twoPasses(
      large, first, [&](int64_t g) { d.settleSums(p.norm, g); }, second);
}

inline LayoutAnswer chooseBackward(const LayoutQuestion& q) {
  return chooseBatchNorm(q, {{0, 1, 6}, {0}}, sizeof(Sums));
}

inline std::unique_ptr<Step> buildBackward(const Site& site) {
  const auto in = site.inputs, out = site.outputs;
  expectAlike(in[0], out[0]);
  expectAlike(in[1], in[6]);
  expectType(in[1], in[0].dtype);
  const PooledNorm p =
      pooledNormOf(site, batchNormOf(site, false, {2, 6}, {1, 3}, sizeof(Sums)), in[6], &in[7]);
  const Operand scratch = site.scratch;
  return withElement(in[0], [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const Pooled<T> all{in[0].data<T>(run), in[1].data<T>(run), in[6].data<T>(run),
                          in[7].data<uint8_t>(run)};
      T* dx = out[0].data<T>(run);
      const Derivative d(run, &in[2], &out[1], scratch);
      withFlags([&](auto stream) { backward<stream.value>(p, d, all, dx); },
                streams<T>(p.norm.view, dx, {all.x}));
    });
  });
}

}  // namespace lrscope::norm::LRSCOPE_WIDTH::pooled
