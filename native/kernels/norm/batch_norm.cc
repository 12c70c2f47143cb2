// Batch normalisation over (B,H,W) for each channel, with ReLU fused. Our own loops: memory is what
// it costs, so the forward pass reads x twice and writes y once, the backward pass reads x and dy
// twice and writes dx once. Which outputs ReLU let pass is computed again from x, by the same
// expression, so that no workspace is kept.
#include "kernels/norm/batch_norm.h"

#include <algorithm>

namespace lrscope {

LayoutAnswer chooseBatchNorm(const LayoutQuestion& q, const Activations& activations,
                             size_t partialBytes) {
  const std::string layout = viewLayout(q.inputs[0]);
  const auto layoutsOf = [&](const std::vector<Tensor>& operands,
                             const std::vector<size_t>& likeX) {
    std::vector<std::string> layouts;
    for (size_t i = 0; i < operands.size(); ++i) {
      const bool follows = std::find(likeX.begin(), likeX.end(), i) != likeX.end();
      layouts.push_back(operands[i].dtype == DType::u8 ? "opaque" : follows ? layout : "a");
    }
    return layouts;
  };
  LayoutAnswer a;
  a.outputBytes.assign(q.outputs.size(), 0);
  a.inputs = layoutsOf(q.inputs, activations.inputs);
  a.outputs = layoutsOf(q.outputs, activations.outputs);
  Tensor x = q.inputs[0];
  x.layout = layout;
  const ChannelView v = channelView(x);
  a.scratchBytes = v.batch * v.groups * v.lanes * partialBytes;
  return withBytes(q, a);
}

BatchNorm batchNormOf(const Site& site, bool training, Pair vectorInputs, Pair vectorOutputs,
                      size_t partialBytes) {
  const BatchNorm bn{channelView(site.inputs[0]), site.attributes.number("epsilon"),
                     training ? site.attributes.number("momentum") : 0,
                     site.attributes.flag("relu")};
  for (int64_t i = vectorInputs[0]; i < vectorInputs[1]; ++i)
    expectVector(site.inputs[i], bn.view.channels);
  for (int64_t i = vectorOutputs[0]; i < vectorOutputs[1]; ++i)
    expectVector(site.outputs[i], bn.view.channels);
  expectScratch(site, bn.partials() * partialBytes);
  return bn;
}

namespace {

template <bool relu, bool stream, class T>
void normaliseImage(const ChannelView& v, int64_t b, int64_t g, const Affine& affine, const T* x,
                    T* y) {
  forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
    for (int64_t r = 0; r < rows; ++r)
      for (int i = 0; i < vecs; ++i) {
        const int64_t at = offset + r * v.rowStride + i * kVec;
        const Vec value = affine.apply(io.load(x + at), i);
        // A NaN is not below 0: it passes.
        put<stream>(io, y + at, relu ? select(~(value < 0.0f), value) : value);
      }
  });
}

template <class T>
auto normaliseImageFor(const BatchNorm& bn, const T* x, const T* y) {
  return streams<T>(bn.view, y, {x})
             ? (bn.relu ? normaliseImage<true, true, T> : normaliseImage<false, true, T>)
             : (bn.relu ? normaliseImage<true, false, T> : normaliseImage<false, false, T>);
}

LayoutAnswer chooseTrain(const LayoutQuestion& q) {
  expectCounts(q, 5, 5, 3, 4);
  return chooseBatchNorm(q, {{0}, {0}}, sizeof(Moments));
}

std::unique_ptr<Step> buildTrain(const Site& site) {
  expectOperands(site, 5, 5, 3, 4);
  expectAlike(site.inputs[0], site.outputs[0]);
  const BatchNorm bn = batchNormOf(site, true, {1, 5}, {1, 3}, sizeof(Moments));
  const auto in = site.inputs, out = site.outputs;
  const Operand scratch = site.scratch;
  return withElement(in[0], [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const Statistics s(run, &in[1], &out[1], scratch);
      const T* x = in[0].data<T>(run);
      T* y = out[0].data<T>(run);
      const auto image = normaliseImageFor<T>(bn, x, y);
      normaliseBatch(bn, s, x, [&](int64_t g) {
        return [&, g, affine = s.affine(bn, g)](int64_t b) { image(bn.view, b, g, affine, x, y); };
      });
    });
  });
}

LayoutAnswer chooseEvaluate(const LayoutQuestion& q) {
  expectCounts(q, 5, 5, 1, 1);
  return chooseBatchNorm(q, {{0}, {0}}, 0);
}

std::unique_ptr<Step> buildEvaluate(const Site& site) {
  expectOperands(site, 5, 5, 1, 1);
  expectAlike(site.inputs[0], site.outputs[0]);
  const BatchNorm bn = batchNormOf(site, false, {1, 5}, {0, 0}, 0);
  const auto in = site.inputs;
  const Operand y = site.outputs[0];
  return withElement(y, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* x = in[0].data<T>(run);
      T* to = y.data<T>(run);
      const auto image = normaliseImageFor<T>(bn, x, to);
      forImages(bn.view, Walk::backwards, [&](int64_t b, int64_t g) {
        const Affine affine = affineOf(bn.view, g, in[3].f32(run), in[4].f32(run), in[1].f32(run),
                                       in[2].f32(run), bn.epsilon);
        image(bn.view, b, g, affine, x, to);
      });
    });
  });
}

LayoutAnswer chooseEvaluateBackward(const LayoutQuestion& q) {
  expectCounts(q, 3, 3, 1, 1);
  return chooseBatchNorm(q, {{0}, {0}}, 0);
}

// dx = dy gamma / sqrt(runningVariance + epsilon)
std::unique_ptr<Step> buildEvaluateBackward(const Site& site) {
  expectOperands(site, 3, 3, 1, 1);
  const auto in = site.inputs;
  const Operand out = site.outputs[0];
  expectAlike(in[0], out);
  const BatchNorm bn = batchNormOf(site, false, {1, 3}, {0, 0}, 0);
  return withElement(out, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const ChannelView& v = bn.view;
      const T* dy = in[0].data<T>(run);
      const float *gamma = in[1].f32(run), *variance = in[2].f32(run);
      T* dx = out.data<T>(run);
      forImages(v, Walk::backwards, [&](int64_t b, int64_t g) {
        const LaneValues scale = LaneValues::of(
            v, g, [&](int64_t c) { return gamma[c] * inverseDeviation(variance[c], bn.epsilon); });
        forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
          for (int64_t r = 0; r < rows; ++r)
            for (int i = 0; i < vecs; ++i) {
              const int64_t at = offset + r * v.rowStride + i * kVec;
              io.store(dx + at, io.load(dy + at) * scale.vec(i));
            }
        });
      });
    });
  });
}

// dy where ReLU let the output pass.
template <bool relu>
Vec passed(const Affine& affine, Vec x, Vec dy, int i) {
  return relu ? select(affine.apply(x, i) > 0.0f, dy) : dy;
}

template <bool relu, class Io, class Vecs, class T>
void addSums(Io io, Vecs vecs, const Affine& affine, const T* x, const T* dy, int64_t rows,
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

template <bool relu, bool stream, class T>
void backward(const BatchNorm& bn, const Derivative& d, const T* x, const T* dy, T* dx) {
  const ChannelView& v = bn.view;
  const auto first = [&](int64_t g) {
    return [&, g, affine = d.affine(bn, g)](int64_t b) {
      Sums* lanes = d.cleared(bn, b, g);
      forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
        addSums<relu>(io, vecs, affine, x + offset, dy + offset, rows, v.rowStride, lanes);
      });
    };
  };
  const auto second = [&](int64_t g) {
    return [&, g, map = GradientMap(bn, d, g)](int64_t b) {
      forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
        for (int64_t r = 0; r < rows; ++r)
          for (int i = 0; i < vecs; ++i) {
            const int64_t at = offset + r * v.rowStride + i * kVec;
            const Vec value = io.load(x + at);
            const Vec gradient = passed<relu>(map.affine, value, io.load(dy + at), i);
            put<stream>(io, dx + at, map.apply(value, gradient, i));
          }
      });
    };
  };
  twoPasses(
      v, first, [&](int64_t g) { d.settleSums(bn, g); }, second);
}

LayoutAnswer chooseBackward(const LayoutQuestion& q) {
  expectCounts(q, 6, 7, 3, 3);
  return chooseBatchNorm(q, {{0, 1}, {0}}, sizeof(Sums));
}

std::unique_ptr<Step> buildBackward(const Site& site) {
  expectOperands(site, 6, 7, 3, 3);
  expectAlike(site.inputs[0], site.inputs[1]);
  expectAlike(site.inputs[0], site.outputs[0]);
  const BatchNorm bn = batchNormOf(site, false, {2, 6}, {1, 3}, sizeof(Sums));
  const auto in = site.inputs, out = site.outputs;
  const Operand scratch = site.scratch;
  return withElement(in[0], [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T *x = in[0].data<T>(run), *dy = in[1].data<T>(run);
      T* dx = out[0].data<T>(run);
      const auto work = streams<T>(bn.view, dx, {x, dy})
                            ? (bn.relu ? backward<true, true, T> : backward<false, true, T>)
                            : (bn.relu ? backward<true, false, T> : backward<false, false, T>);
      work(bn, Derivative(run, &in[2], &out[1], scratch), x, dy, dx);
    });
  });
}

}  // namespace

const Kernel kBatchNormTrain = {chooseTrain, buildTrain};
const Kernel kBatchNormEvaluate = {chooseEvaluate, buildEvaluate};
const Kernel kBatchNormEvaluateBackward = {chooseEvaluateBackward, buildEvaluateBackward};
const Kernel kBatchNormBackward = {chooseBackward, buildBackward};

}  // namespace lrscope
