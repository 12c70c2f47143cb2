// Batch normalisation over (B,H,W) for each channel, with the sum with a residual and ReLU where
// they follow. Our own loops: memory is what it costs, so the forward pass reads x twice, the
// residual once, and writes y once; the backward pass reads x and dy twice and writes dx once.
//
// Which outputs ReLU let pass is computed again from x, by the same expression, so that no
// workspace is kept. With a residual that is one bit a value, so that the derivative needs neither
// y nor the residual: it reads the gradient, or two that would have to be added before, once, and
// leaves what ReLU let pass as the residual's.
#pragma once
#include <algorithm>

#include "kernels/norm/batch_norm.h"

namespace lrscope::norm::LRSCOPE_WIDTH {

// Layouts of a question: `activations` lists the inputs and outputs that lie as x does; vectors
// are plain, bytes opaque and of no size unless the caller gives them one.
struct Activations {
  std::vector<size_t> inputs, outputs;
};
inline LayoutAnswer chooseBatchNorm(const LayoutQuestion& q, const Activations& activations,
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
  const ChannelView v = loopView(x);
  a.scratchBytes = v.batch * v.groups * v.lanes * partialBytes;
  return withBytes(q, a);
}

// Checks that x and its vectors fit each other: inputs [from, to) and outputs likewise are (C).
inline BatchNorm batchNormOf(const Site& site, bool training, Pair vectorInputs, Pair vectorOutputs,
                             size_t partialBytes) {
  const BatchNorm bn{loopView(site.inputs[0]), site.attributes.number("epsilon"),
                     training ? site.attributes.number("momentum") : 0,
                     site.attributes.flag("relu")};
  for (int64_t i = vectorInputs[0]; i < vectorInputs[1]; ++i)
    expectVector(site.inputs[i], bn.view.channels);
  for (int64_t i = vectorOutputs[0]; i < vectorOutputs[1]; ++i)
    expectVector(site.outputs[i], bn.view.channels);
  expectScratch(site, bn.partials() * partialBytes);
  return bn;
}

// One bit a value; image b of group g has vectors of its own.
struct Bits {
  int64_t imageVectors, images;

  explicit Bits(const ChannelView& v)
      : imageVectors(v.plain ? (v.pixels() + kVec - 1) / kVec : v.pixels() * vectorsOf(v)),
        images(v.batch * v.groups) {}

  size_t bytes() const { return imageVectors * images * sizeof(LaneBits); }
};

// The bits of each vector of a span: of(r, i).
struct BitRow {
  LaneBits* first;
  int64_t vecs;

  // `all` may be null: then nothing is remembered.
  BitRow(LaneBits* all, const ChannelView& v, int64_t b, int64_t g, int64_t offset, int64_t vecs)
      : first(all ? all + (b * v.groups + g) * Bits(v).imageVectors +
                        (offset - b * v.batchStride - g * v.groupStride) / v.rowStride * vecs
                  : nullptr),
        vecs(vecs) {}
  LaneBits& of(int64_t r, int64_t i) const { return first[r * vecs + i]; }
};

template <class T>
struct Forward {
  const T *x, *residual;
  T* y;
  LaneBits* bits;  // null where nothing is remembered
};

template <bool relu, bool stream, bool added, class T>
void normaliseImage(const ChannelView& v, int64_t b, int64_t g, const Affine& affine,
                    Forward<T> all) {
  forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
    const BitRow row(added ? all.bits : nullptr, v, b, g, offset, vecs);
    for (int64_t r = 0; r < rows; ++r)
      for (int i = 0; i < vecs; ++i) {
        const int64_t at = offset + r * v.rowStride + i * kVec;
        Vec value = affine.apply(io.load(all.x + at), i);
        if constexpr (added) value = value + io.load(all.residual + at);
        // A NaN is not below 0: it passes.
        put<stream>(io, all.y + at, relu ? select(~(value < 0.0f), value) : value);
        if constexpr (added && relu)
          if (all.bits) row.of(r, i) = bitsOf(value > 0.0f);
      }
  });
}

// Calls work with the function that normalises an image: once, whatever the flags.
template <bool added, class T, class Work>
void withImage(const BatchNorm& bn, const Forward<T>& all, Work work) {
  const bool past = added ? streams<T>(bn.view, all.y, {all.x, all.residual})
                          : streams<T>(bn.view, all.y, {all.x});
  withFlags(
      [&](auto relu, auto stream) {
        work([&](int64_t b, int64_t g, const Affine& affine) {
          normaliseImage<relu.value, stream.value, added>(bn.view, b, g, affine, all);
        });
      },
      bn.relu, past);
}

template <bool added>
Activations forwardActivations() {
  if (added) return {{0, 5}, {0}};
  return {{0}, {0}};
}

template <bool added>
void expectForward(const Site& site) {
  expectAlike(site.inputs[0], site.outputs[0]);
  if (added) expectAlike(site.inputs[0], site.inputs[5]);
}

template <bool added>
LayoutAnswer chooseTrain(const LayoutQuestion& q) {
  LayoutAnswer a = chooseBatchNorm(q, forwardActivations<added>(), sizeof(Moments));
  Tensor x = q.inputs[0];
  x.layout = a.inputs[0];
  if (added && q.outputs.size() == 4) a.outputBytes[3] = Bits(loopView(x)).bytes();
  return a;
}

template <bool added>
std::unique_ptr<Step> buildTrain(const Site& site) {
  expectForward<added>(site);
  const BatchNorm bn = batchNormOf(site, true, {1, 5}, {1, 3}, sizeof(Moments));
  const auto in = site.inputs, out = site.outputs;
  const bool remembers = added && out.size() == 4;
  if (remembers && out[3].bytes < Bits(bn.view).bytes())
    throw Refusal("the workspace is too small");
  const Operand scratch = site.scratch;
  return withElement(in[0], [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const Statistics s(run, &in[1], &out[1], scratch);
      const Forward<T> all{in[0].data<T>(run), added ? in[5].data<T>(run) : nullptr,
                           out[0].data<T>(run), remembers ? out[3].data<LaneBits>(run) : nullptr};
      withImage<added>(bn, all, [&](auto image) {
        normaliseBatch(bn, s, all.x, [&](int64_t g) {
          return [&, g, affine = s.affine(bn, g)](int64_t b) { image(b, g, affine); };
        });
      });
    });
  });
}

template <bool added>
LayoutAnswer chooseEvaluate(const LayoutQuestion& q) {
  return chooseBatchNorm(q, forwardActivations<added>(), 0);
}

template <bool added>
std::unique_ptr<Step> buildEvaluate(const Site& site) {
  expectForward<added>(site);
  const BatchNorm bn = batchNormOf(site, false, {1, 5}, {0, 0}, 0);
  const auto in = site.inputs;
  const Operand y = site.outputs[0];
  return withElement(y, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const Forward<T> all{in[0].data<T>(run), added ? in[5].data<T>(run) : nullptr, y.data<T>(run),
                           nullptr};
      withImage<added>(bn, all, [&](auto image) {
        forImages(bn.view, Walk::backwards, [&](int64_t b, int64_t g) {
          image(b, g,
                affineOf(bn.view, g, in[3].f32(run), in[4].f32(run), in[1].f32(run), in[2].f32(run),
                         bn.epsilon));
        });
      });
    });
  });
}

inline LayoutAnswer chooseEvaluateBackward(const LayoutQuestion& q) {
  return chooseBatchNorm(q, {{0}, {0}}, 0);
}

// dx = dy gamma / sqrt(runningVariance + epsilon)
inline std::unique_ptr<Step> buildEvaluateBackward(const Site& site) {
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

template <bool relu, bool stream, class T>
void backward(const BatchNorm& bn, const Derivative& d, const T* x, const T* dy, T* dx) {
  const ChannelView& v = bn.view;
  // dy where ReLU let the output pass.
  const auto passed = [=](auto io, const Affine& affine, int64_t at, int i, Vec value) {
    const Vec gradient = io.load(dy + at);
    return relu ? select(affine.apply(value, i) > 0.0f, gradient) : gradient;
  };
  const auto sums = [&](const Affine& affine, int64_t b, int64_t g, Sums* lanes) {
    forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
      addSums(
          io, vecs, affine, x, offset, rows, v.rowStride, lanes,
          [&](int64_t, int64_t at, int i, Vec value) { return passed(io, affine, at, i, value); });
    });
  };
  differentiate<stream>(bn, d, x, dx, sums, passed);
}

inline LayoutAnswer chooseBackward(const LayoutQuestion& q) {
  return chooseBatchNorm(q, {{0, 1}, {0}}, sizeof(Sums));
}

inline std::unique_ptr<Step> buildBackward(const Site& site) {
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
      const Derivative d(run, &in[2], &out[1], scratch);
      withFlags(
          [&](auto relu, auto stream) { backward<relu.value, stream.value>(bn, d, x, dy, dx); },
          bn.relu, streams<T>(bn.view, dx, {x, dy}));
    });
  });
}

template <class T>
struct Gradients {
  const T *x, *dy, *other;  // other: a second gradient of y, or null
  LaneBits* bits;
  T *dx, *dresidual;
};

// What ReLU let pass of the gradient is written as the residual's, which the second pass reads.
template <bool two, bool stream, class T>
void backwardAdded(const BatchNorm& bn, const Derivative& d, const Gradients<T>& all) {
  const ChannelView& v = bn.view;
  const auto sums = [&](const Affine& affine, int64_t b, int64_t g, Sums* lanes) {
    forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
      const BitRow row(all.bits, v, b, g, offset, vecs);
      addSums(io, vecs, affine, all.x, offset, rows, v.rowStride, lanes,
              [&](int64_t r, int64_t at, int i, Vec) {
                Vec gradient = io.load(all.dy + at);
                if (two) gradient += io.load(all.other + at);
                gradient = select(maskOf(row.of(r, i)), gradient);
                io.store(all.dresidual + at, gradient);
                return std::is_same_v<T, float> ? gradient : io.load(all.dresidual + at);
              });
    });
  };
  const auto passed = [&](auto io, const Affine&, int64_t at, int, Vec) {
    return io.load(all.dresidual + at);
  };
  differentiate<stream>(bn, d, all.x, all.dx, sums, passed);
}

inline LayoutAnswer chooseBackwardAdded(const LayoutQuestion& q) {
  return chooseBatchNorm(q, {{0, 1, 7}, {0, 3}}, sizeof(Sums));
}

inline std::unique_ptr<Step> buildBackwardAdded(const Site& site) {
  const auto in = site.inputs, out = site.outputs;
  const bool two = in.size() == 8;
  for (const Operand* operand : {&in[1], &out[0], &out[3]}) expectAlike(in[0], *operand);
  if (two) expectAlike(in[0], in[7]);
  const BatchNorm bn = batchNormOf(site, false, {2, 6}, {1, 3}, sizeof(Sums));
  if (in[6].bytes < Bits(bn.view).bytes()) throw Refusal("the workspace is too small");
  const Operand scratch = site.scratch;
  return withElement(in[0], [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const Gradients<T> all{
          in[0].data<T>(run),        in[1].data<T>(run),  two ? in[7].data<T>(run) : nullptr,
          in[6].data<LaneBits>(run), out[0].data<T>(run), out[3].data<T>(run)};
      const Derivative d(run, &in[2], &out[1], scratch);
      withFlags(
          [&](auto both, auto stream) { backwardAdded<both.value, stream.value>(bn, d, all); }, two,
          streams<T>(bn.view, all.dx, {all.x}));
    });
  });
}

}  // namespace lrscope::norm::LRSCOPE_WIDTH
