// Batch normalisation over (B,H,W) for each channel, with ReLU fused (Ioffe & Szegedy 2015,
// algorithm 1). Our own loops: memory is what it costs, so the forward pass reads x twice and
// writes y once, the backward pass reads x and dy twice and writes dx once. Which outputs ReLU let
// pass is computed again from x, by the same expression, so that no workspace is kept.
//
// Sums are taken in float over a few hundred values, then in double, in an order that does not
// depend on the threads.
#include <cmath>

#include "kernels.h"
#include "lanes.h"

namespace lrscope {

namespace {

constexpr int64_t kChunk = 256;  // rows: a chunk's 8 or 16 KiB stay in L1 between its two passes

// Count, mean and sum of squared deviations; merged by Chan, Golub and LeVeque (1983), eq. 2.1.
struct Moments {
  double count = 0, mean = 0, m2 = 0;

  void merge(double n, double otherMean, double otherM2) {
    const double total = count + n, delta = otherMean - mean;
    mean += delta * n / total;
    m2 += otherM2 + delta * delta * count * n / total;
    count = total;
  }
};

// y = (x - mean) * scale + beta
struct Affine {
  LaneValues mean, scale, beta;

  Vec apply(Vec x, int i) const { return (x - mean.vec(i)) * scale.vec(i) + beta.vec(i); }
};

float inverseDeviation(float variance, double epsilon) {
  return static_cast<float>(1 / std::sqrt(variance + epsilon));
}

Affine affineOf(const ChannelView& v, int64_t g, const float* mean, const float* variance,
                const float* gamma, const float* beta, double epsilon) {
  return {LaneValues::of(v, g, [&](int64_t c) { return mean[c]; }),
          LaneValues::of(
              v, g, [&](int64_t c) { return gamma[c] * inverseDeviation(variance[c], epsilon); }),
          LaneValues::of(v, g, [&](int64_t c) { return beta[c]; })};
}

// Moments of every lane of one span, merged into `lanes`.
template <class Io, class Vecs>
void addMoments(Io io, Vecs vecs, const float* x, int64_t rows, int64_t stride, int count,
                Moments* lanes) {
  for (int64_t begin = 0; begin < rows; begin += kChunk) {
    const int64_t n = rows - begin < kChunk ? rows - begin : kChunk;
    const float* from = x + begin * stride;
    for (int i = 0; i < vecs; ++i) {
      const auto at = [&](int64_t r) { return io.load(from + r * stride + i * kVec); };
      // Four sums run side by side, to hide the latency of an addition.
      Vec sum[4] = {};
      int64_t r = 0;
      for (; r + 4 <= n; r += 4)
        for (int u = 0; u < 4; ++u) sum[u] += at(r + u);
      for (; r < n; ++r) sum[0] += at(r);
      const Vec mean = ((sum[0] + sum[1]) + (sum[2] + sum[3])) / static_cast<float>(n);
      Vec square[4] = {};
      const auto squared = [&](int64_t row) {
        const Vec d = at(row) - mean;
        return d * d;
      };
      r = 0;
      for (; r + 4 <= n; r += 4)
        for (int u = 0; u < 4; ++u) square[u] += squared(r + u);
      for (; r < n; ++r) square[0] += squared(r);
      const Vec m2 = (square[0] + square[1]) + (square[2] + square[3]);
      for (int l = 0; l < kVec && l < count; ++l)
        lanes[i * kVec + l].merge(static_cast<double>(n), mean[l], m2[l]);
    }
  }
}

int lanesIn(Whole) { return kVec; }
int lanesIn(Part part) { return part.count; }

template <bool relu, bool stream>
void normaliseInto(const ChannelView& v, Walk walk, const float* x, float* y, const float* mean,
                   const float* variance, const float* gamma, const float* beta, double epsilon) {
  forImages(v, walk, [&](int64_t b, int64_t g) {
    const Affine affine = affineOf(v, g, mean, variance, gamma, beta, epsilon);
    forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
      for (int64_t r = 0; r < rows; ++r)
        for (int i = 0; i < vecs; ++i) {
          const int64_t at = offset + r * v.rowStride + i * kVec;
          const Vec value = affine.apply(io.load(x + at), i);
          // A NaN is not below 0: it passes.
          put<stream>(io, y + at, relu ? select(~(value < 0.0f), value) : value);
        }
    });
  });
}

template <bool relu>
void normalise(const ChannelView& v, Walk walk, const float* x, float* y, const float* mean,
               const float* variance, const float* gamma, const float* beta, double epsilon) {
  (streams(v) ? normaliseInto<relu, true>
              : normaliseInto<relu, false>)(v, walk, x, y, mean, variance, gamma, beta, epsilon);
}

struct Sums {
  double gradient = 0, product = 0;
};

struct BatchNorm {
  ChannelView view;
  double epsilon, momentum;
  bool relu;

  size_t partials() const { return view.batch * view.groups * view.lanes; }
};

// Lanes of a partial that belong to channel c, in the group that holds it.
int64_t groupOf(const ChannelView& v, int64_t c) { return v.plain ? c : c / v.lanes; }

template <class Visit>
void forLanesOf(const ChannelView& v, int64_t c, Visit visit) {
  for (int64_t b = 0; b < v.batch; ++b) {
    const int64_t first = (b * v.groups + groupOf(v, c)) * v.lanes;
    if (!v.plain) {
      visit(first + c % v.lanes);
    } else {
      for (int64_t l = 0; l < v.lanes; ++l) visit(first + l);
    }
  }
}

LayoutAnswer choose(const LayoutQuestion& q, size_t activations, size_t partialBytes) {
  const std::string layout = viewLayout(q.inputs[0]);
  LayoutAnswer a;
  a.outputBytes.assign(q.outputs.size(), 0);  // no workspace is kept
  for (size_t i = 0; i < q.inputs.size(); ++i)
    a.inputs.push_back(q.inputs[i].dtype == DType::u8 ? "opaque" : i < activations ? layout : "a");
  for (size_t i = 0; i < q.outputs.size(); ++i)
    a.outputs.push_back(q.outputs[i].dtype == DType::u8 ? "opaque" : i == 0 ? layout : "a");
  Tensor x = q.inputs[0];
  x.layout = layout;
  const ChannelView v = channelView(x);
  a.scratchBytes = v.batch * v.groups * v.lanes * partialBytes;
  return withBytes(q, a);
}

BatchNorm make(const Site& site, bool training) {
  const Operand &x = site.inputs[0], &y = site.outputs[0];
  expectAlike(x, y);
  BatchNorm bn{channelView(x), site.attributes.number("epsilon"),
               training ? site.attributes.number("momentum") : 0, site.attributes.flag("relu")};
  return bn;
}

LayoutAnswer chooseTrain(const LayoutQuestion& q) {
  expectCounts(q, 5, 5, 3, 4);
  return choose(q, 1, sizeof(Moments));
}

std::unique_ptr<Step> buildTrain(const Site& site) {
  expectOperands(site, 5, 5, 3, 4);
  const BatchNorm bn = make(site, true);
  const ChannelView v = bn.view;
  for (size_t i = 1; i < 5; ++i) expectVector(site.inputs[i], v.channels);
  for (size_t i = 1; i < 3; ++i) expectVector(site.outputs[i], v.channels);
  expectScratch(site, bn.partials() * sizeof(Moments));
  const auto in = site.inputs, out = site.outputs;
  const Operand scratch = site.scratch;
  return makeStep([=](const RunContext& run) {
    const float *x = in[0].f32(run), *gamma = in[1].f32(run), *beta = in[2].f32(run);
    float *runningMean = in[3].f32(run), *runningVariance = in[4].f32(run);
    float *y = out[0].f32(run), *mean = out[1].f32(run), *variance = out[2].f32(run);
    auto* partial = scratch.data<Moments>(run);
    forImages(v, Walk::backwards, [&](int64_t b, int64_t g) {
      Moments* lanes = partial + (b * v.groups + g) * v.lanes;
      for (int64_t l = 0; l < v.lanes; ++l) lanes[l] = {};
      forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
        addMoments(io, vecs, x + offset, rows, v.rowStride, lanesIn(io), lanes);
      });
    });
    for (int64_t c = 0; c < v.channels; ++c) {
      Moments all;
      forLanesOf(v, c, [&](int64_t i) {
        if (partial[i].count > 0) all.merge(partial[i].count, partial[i].mean, partial[i].m2);
      });
      const double biased = all.m2 / all.count;
      const double unbiased = all.count > 1 ? all.m2 / (all.count - 1) : biased;
      mean[c] = static_cast<float>(all.mean);
      variance[c] = static_cast<float>(biased);
      runningMean[c] =
          static_cast<float>((1 - bn.momentum) * runningMean[c] + bn.momentum * all.mean);
      runningVariance[c] =
          static_cast<float>((1 - bn.momentum) * runningVariance[c] + bn.momentum * unbiased);
    }
    (bn.relu ? normalise<true> : normalise<false>)(v, Walk::forwards, x, y, mean, variance, gamma,
                                                   beta, bn.epsilon);
  });
}

LayoutAnswer chooseEvaluate(const LayoutQuestion& q) {
  expectCounts(q, 5, 5, 1, 1);
  return choose(q, 1, 0);
}

std::unique_ptr<Step> buildEvaluate(const Site& site) {
  expectOperands(site, 5, 5, 1, 1);
  const BatchNorm bn = make(site, false);
  for (size_t i = 1; i < 5; ++i) expectVector(site.inputs[i], bn.view.channels);
  const auto in = site.inputs;
  const Operand y = site.outputs[0];
  return makeStep([=](const RunContext& run) {
    (bn.relu ? normalise<true> : normalise<false>)(bn.view, Walk::backwards, in[0].f32(run),
                                                   y.f32(run), in[3].f32(run), in[4].f32(run),
                                                   in[1].f32(run), in[2].f32(run), bn.epsilon);
  });
}

// dy where ReLU let the output pass.
template <bool relu>
Vec passed(const Affine& affine, Vec x, Vec dy, int i) {
  return relu ? select(affine.apply(x, i) > 0.0f, dy) : dy;
}

template <bool relu, class Io, class Vecs>
void addSums(Io io, Vecs vecs, const Affine& affine, const float* x, const float* dy, int64_t rows,
             int64_t stride, Sums* lanes) {
  for (int64_t begin = 0; begin < rows; begin += kChunk) {
    const int64_t end = rows - begin < kChunk ? rows : begin + kChunk;
    for (int i = 0; i < vecs; ++i) {
      const Vec mean = affine.mean.vec(i);
      Vec gradient[2] = {}, product[2] = {};
      const auto add = [&](int64_t r, int u) {
        const int64_t at = r * stride + i * kVec;
        const Vec value = io.load(x + at);
        const Vec d = passed<relu>(affine, value, io.load(dy + at), i);
        gradient[u] += d;
        product[u] += d * (value - mean);
      };
      int64_t r = begin;
      for (; r + 2 <= end; r += 2) {
        add(r, 0);
        add(r + 1, 1);
      }
      if (r < end) add(r, 0);
      const Vec g = gradient[0] + gradient[1], p = product[0] + product[1];
      for (int l = 0; l < kVec; ++l) {
        lanes[i * kVec + l].gradient += g[l];
        lanes[i * kVec + l].product += p[l];
      }
    }
  }
}

// With h = (x - mean) / sqrt(variance + epsilon), d the gradient that ReLU let pass and n = B*H*W:
//   dbeta = sum d,  dgamma = sum d h,  dx = gamma / sqrt(variance + epsilon) * (d - dbeta / n - h
//   dgamma / n)
template <bool relu, bool stream>
void backward(const BatchNorm& bn, const std::vector<Operand>& in, const std::vector<Operand>& out,
              const Operand& scratch, const RunContext& run) {
  const ChannelView& v = bn.view;
  const float *x = in[0].f32(run), *dy = in[1].f32(run), *gamma = in[2].f32(run);
  const float *beta = in[3].f32(run), *mean = in[4].f32(run), *variance = in[5].f32(run);
  float *dx = out[0].f32(run), *dgamma = out[1].f32(run), *dbeta = out[2].f32(run);
  auto* partial = scratch.data<Sums>(run);
  forImages(v, Walk::forwards, [&](int64_t b, int64_t g) {
    const Affine affine = affineOf(v, g, mean, variance, gamma, beta, bn.epsilon);
    Sums* lanes = partial + (b * v.groups + g) * v.lanes;
    for (int64_t l = 0; l < v.lanes; ++l) lanes[l] = {};
    forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
      addSums<relu>(io, vecs, affine, x + offset, dy + offset, rows, v.rowStride, lanes);
    });
  });
  for (int64_t c = 0; c < v.channels; ++c) {
    Sums all;
    forLanesOf(v, c, [&](int64_t i) {
      all.gradient += partial[i].gradient;
      all.product += partial[i].product;
    });
    dbeta[c] = static_cast<float>(all.gradient);
    dgamma[c] = static_cast<float>(all.product / std::sqrt(variance[c] + bn.epsilon));
  }
  const double count = static_cast<double>(v.batch) * v.pixels();
  forImages(v, Walk::backwards, [&](int64_t b, int64_t g) {
    const Affine affine = affineOf(v, g, mean, variance, gamma, beta, bn.epsilon);
    // dx = scale * d - offset - slope * (x - mean)
    const LaneValues offsets = LaneValues::of(v, g, [&](int64_t c) {
      return static_cast<float>(gamma[c] / std::sqrt(variance[c] + bn.epsilon) * dbeta[c] / count);
    });
    const LaneValues slopes = LaneValues::of(v, g, [&](int64_t c) {
      return static_cast<float>(gamma[c] / (variance[c] + bn.epsilon) * dgamma[c] / count);
    });
    forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
      for (int64_t r = 0; r < rows; ++r)
        for (int i = 0; i < vecs; ++i) {
          const int64_t at = offset + r * v.rowStride + i * kVec;
          const Vec value = io.load(x + at);
          const Vec d = passed<relu>(affine, value, io.load(dy + at), i);
          put<stream>(io, dx + at,
                      affine.scale.vec(i) * d - offsets.vec(i) -
                          slopes.vec(i) * (value - affine.mean.vec(i)));
        }
    });
  });
}

LayoutAnswer chooseBackward(const LayoutQuestion& q) {
  expectCounts(q, 6, 7, 3, 3);
  return choose(q, 2, sizeof(Sums));
}

std::unique_ptr<Step> buildBackward(const Site& site) {
  expectOperands(site, 6, 7, 3, 3);
  const BatchNorm bn = make(site, false);
  expectAlike(site.inputs[0], site.inputs[1]);
  for (size_t i = 2; i < 6; ++i) expectVector(site.inputs[i], bn.view.channels);
  for (size_t i = 1; i < 3; ++i) expectVector(site.outputs[i], bn.view.channels);
  expectScratch(site, bn.partials() * sizeof(Sums));
  const auto in = site.inputs, out = site.outputs;
  const Operand scratch = site.scratch;
  return makeStep([=](const RunContext& run) {
    const auto work = streams(bn.view) ? (bn.relu ? backward<true, true> : backward<false, true>)
                                       : (bn.relu ? backward<true, false> : backward<false, false>);
    work(bn, in, out, scratch, run);
  });
}

}  // namespace

const Kernel kBatchNormTrain = {chooseTrain, buildTrain};
const Kernel kBatchNormEvaluate = {chooseEvaluate, buildEvaluate};
const Kernel kBatchNormBackward = {chooseBackward, buildBackward};

}  // namespace lrscope
