// Batch normalisation, the sum with a residual, and ReLU as one. Forward reads x twice, the
// residual once, and writes y; with ReLU it keeps one bit a value, whether it let the value pass,
// so that the derivative needs neither y nor the residual. That reads the gradient, or two that
// would have to be added before, once, and leaves what ReLU let pass as the residual's.
#include "kernels/norm/batch_norm.h"

namespace lrscope {

namespace {

// One byte for eight values; image b of group g has bytes of its own.
struct Bits {
  int64_t imageBytes, images;

  explicit Bits(const ChannelView& v)
      : imageBytes(v.plain ? (v.pixels() + kVec - 1) / kVec
                           : v.pixels() * (v.lanes == 2 * kVec ? 2 : 1)),
        images(v.batch * v.groups) {}

  size_t bytes() const { return imageBytes * images; }
};

// The byte of each vector of a span: of(r, i).
struct BitRow {
  uint8_t* first;
  int64_t vecs;

  // `all` may be null: then nothing is remembered.
  BitRow(uint8_t* all, const ChannelView& v, int64_t b, int64_t g, int64_t offset, int64_t vecs)
      : first(all ? all + (b * v.groups + g) * Bits(v).imageBytes +
                        (offset - b * v.batchStride - g * v.groupStride) / v.rowStride * vecs
                  : nullptr),
        vecs(vecs) {}
  uint8_t& of(int64_t r, int64_t i) const { return first[r * vecs + i]; }
};

template <bool relu, bool stream, class T>
void addImage(const ChannelView& v, int64_t b, int64_t g, const Affine& affine, const T* x,
              const T* residual, T* y, uint8_t* bits) {
  forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
    const BitRow row(bits, v, b, g, offset, vecs);
    for (int64_t r = 0; r < rows; ++r)
      for (int i = 0; i < vecs; ++i) {
        const int64_t at = offset + r * v.rowStride + i * kVec;
        const Vec value = affine.apply(io.load(x + at), i) + io.load(residual + at);
        put<stream>(io, y + at, relu ? select(~(value < 0.0f), value) : value);
        if (relu && bits) row.of(r, i) = bitsOf(value > 0.0f);
      }
  });
}

template <class T>
auto addImageFor(const BatchNorm& bn, const T* x, const T* residual, const T* y) {
  return streams<T>(bn.view, y, {x, residual})
             ? (bn.relu ? addImage<true, true, T> : addImage<false, true, T>)
             : (bn.relu ? addImage<true, false, T> : addImage<false, false, T>);
}

LayoutAnswer chooseTrain(const LayoutQuestion& q) {
  expectCounts(q, 6, 6, 3, 4);
  LayoutAnswer a = chooseBatchNorm(q, {{0, 5}, {0}}, sizeof(Moments));
  Tensor x = q.inputs[0];
  x.layout = a.inputs[0];
  if (q.outputs.size() == 4) a.outputBytes[3] = Bits(channelView(x)).bytes();
  return a;
}

std::unique_ptr<Step> buildTrain(const Site& site) {
  expectOperands(site, 6, 6, 3, 4);
  const auto in = site.inputs, out = site.outputs;
  expectAlike(in[0], in[5]);
  expectAlike(in[0], out[0]);
  const BatchNorm bn = batchNormOf(site, true, {1, 5}, {1, 3}, sizeof(Moments));
  const bool remembers = out.size() == 4;
  if (remembers && out[3].bytes < Bits(bn.view).bytes())
    throw Refusal("the workspace is too small");
  const Operand scratch = site.scratch;
  return withElement(in[0], [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const Statistics s(run, &in[1], &out[1], scratch);
      const T *x = in[0].data<T>(run), *residual = in[5].data<T>(run);
      T* y = out[0].data<T>(run);
      uint8_t* bits = remembers ? out[3].data<uint8_t>(run) : nullptr;
      const auto image = addImageFor<T>(bn, x, residual, y);
      normaliseBatch(bn, s, x, [&](int64_t g) {
        return [&, g, affine = s.affine(bn, g)](int64_t b) {
          image(bn.view, b, g, affine, x, residual, y, bits);
        };
      });
    });
  });
}

LayoutAnswer chooseEvaluate(const LayoutQuestion& q) {
  expectCounts(q, 6, 6, 1, 1);
  return chooseBatchNorm(q, {{0, 5}, {0}}, 0);
}

std::unique_ptr<Step> buildEvaluate(const Site& site) {
  expectOperands(site, 6, 6, 1, 1);
  const auto in = site.inputs;
  const Operand y = site.outputs[0];
  expectAlike(in[0], in[5]);
  expectAlike(in[0], y);
  const BatchNorm bn = batchNormOf(site, false, {1, 5}, {0, 0}, 0);
  return withElement(y, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T *x = in[0].data<T>(run), *residual = in[5].data<T>(run);
      T* to = y.data<T>(run);
      const auto image = addImageFor<T>(bn, x, residual, to);
      forImages(bn.view, Walk::backwards, [&](int64_t b, int64_t g) {
        const Affine affine = affineOf(bn.view, g, in[3].f32(run), in[4].f32(run), in[1].f32(run),
                                       in[2].f32(run), bn.epsilon);
        image(bn.view, b, g, affine, x, residual, to, nullptr);
      });
    });
  });
}

template <class T>
struct Gradients {
  const T *x, *dy, *other;  // other: a second gradient of y, or null
  uint8_t* bits;
  T *dx, *dresidual;
};

// What ReLU let pass of the gradient, written as the residual's, and its sums.
template <bool two, class Io, class Vecs, class T>
void passAndSum(Io io, Vecs vecs, const Affine& affine, const BitRow& row, const Gradients<T>& from,
                int64_t offset, int64_t rows, int64_t stride, Sums* lanes) {
  for (int64_t begin = 0; begin < rows; begin += kChunk) {
    const int64_t end = rows - begin < kChunk ? rows : begin + kChunk;
    for (int i = 0; i < vecs; ++i) {
      const Vec mean = affine.mean.vec(i);
      Vec gradient[2] = {}, product[2] = {};
      const auto add = [&](int64_t r, int u) {
        const int64_t at = offset + r * stride + i * kVec;
        Vec d = io.load(from.dy + at);
        if (two) d += io.load(from.other + at);
        d = select(maskOf(row.of(r, i)), d);
        io.store(from.dresidual + at, d);
        // What the second pass will read.
        if (!std::is_same_v<T, float>) d = io.load(from.dresidual + at);
        gradient[u] += d;
        product[u] += d * (io.load(from.x + at) - mean);
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

template <bool two, bool stream, class T>
void backward(const BatchNorm& bn, const Derivative& d, const Gradients<T>& all) {
  const ChannelView& v = bn.view;
  const auto first = [&](int64_t g) {
    return [&, g, affine = d.affine(bn, g)](int64_t b) {
      Sums* lanes = d.cleared(bn, b, g);
      forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
        const BitRow row(all.bits, v, b, g, offset, vecs);
        passAndSum<two>(io, vecs, affine, row, all, offset, rows, v.rowStride, lanes);
      });
    };
  };
  const auto second = [&](int64_t g) {
    return [&, g, map = GradientMap(bn, d, g)](int64_t b) {
      forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
        for (int64_t r = 0; r < rows; ++r)
          for (int i = 0; i < vecs; ++i) {
            const int64_t at = offset + r * v.rowStride + i * kVec;
            const Vec x = io.load(all.x + at), passed = io.load(all.dresidual + at);
            put<stream>(io, all.dx + at, map.apply(x, passed, i));
          }
      });
    };
  };
  twoPasses(
      v, first, [&](int64_t g) { d.settleSums(bn, g); }, second);
}

LayoutAnswer chooseBackward(const LayoutQuestion& q) {
  expectCounts(q, 7, 8, 4, 4);
  return chooseBatchNorm(q, {{0, 1, 7}, {0, 3}}, sizeof(Sums));
}

std::unique_ptr<Step> buildBackward(const Site& site) {
  expectOperands(site, 7, 8, 4, 4);
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
          in[0].data<T>(run),       in[1].data<T>(run),  two ? in[7].data<T>(run) : nullptr,
          in[6].data<uint8_t>(run), out[0].data<T>(run), out[3].data<T>(run)};
      const auto work = streams<T>(bn.view, all.dx, {all.x})
                            ? (two ? backward<true, true, T> : backward<false, true, T>)
                            : (two ? backward<true, false, T> : backward<false, false, T>);
      work(bn, Derivative(run, &in[2], &out[1], scratch), all);
    });
  });
}

}  // namespace

const Kernel kBatchNormAddTrain = {chooseTrain, buildTrain};
const Kernel kBatchNormAddEvaluate = {chooseEvaluate, buildEvaluate};
const Kernel kBatchNormAddBackward = {chooseBackward, buildBackward};

}  // namespace lrscope
