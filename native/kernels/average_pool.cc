// Global average pooling: x (B,C,H,W) -> y (B,C), and its derivative dx = dy / (H W).
#include "kernels/kernels.h"
#include "kernels/simd/lanes.h"

namespace lrscope {

namespace {

constexpr int64_t kChunk = 256;

LayoutAnswer choose(const LayoutQuestion& q) {
  LayoutAnswer a;
  a.inputs = {viewLayout(q.inputs[0])};
  a.outputs = {"ab"};
  return withBytes(q, a);
}

ChannelView checked(const Operand& image, const Operand& vector) {
  expectType(vector, image.dtype);
  const ChannelView v = channelView(image);
  expectShape(vector, {v.batch, v.channels});
  expectLayout(vector, "ab");
  return v;
}

std::unique_ptr<Step> build(const Site& site) {
  const Operand x = site.inputs[0], y = site.outputs[0];
  const ChannelView v = checked(x, y);
  return withElement(x, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* from = x.data<T>(run);
      T* to = y.data<T>(run);
      forImages(v, Walk::backwards, [&](int64_t b, int64_t g) {
        double sum[16] = {};
        forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
          for (int64_t begin = 0; begin < rows; begin += kChunk) {
            const int64_t end = rows - begin < kChunk ? rows : begin + kChunk;
            for (int i = 0; i < vecs; ++i) {
              Vec chunk{};
              for (int64_t r = begin; r < end; ++r)
                chunk += io.load(from + offset + r * v.rowStride + i * kVec);
              for (int l = 0; l < kVec; ++l) sum[i * kVec + l] += chunk[l];
            }
          }
        });
        const double count = static_cast<double>(v.pixels());
        const auto mean = [&](int64_t l) { return narrow<T>(static_cast<float>(sum[l] / count)); };
        if (v.plain) {
          for (int l = 1; l < kVec; ++l) sum[0] += sum[l];
          to[b * v.channels + g] = mean(0);
        } else {
          for (int64_t l = 0; l < v.channelsOf(g); ++l)
            to[b * v.channels + g * v.lanes + l] = mean(l);
        }
      });
    });
  });
}

LayoutAnswer chooseBackward(const LayoutQuestion& q) {
  LayoutAnswer a;
  a.inputs = {"ab"};
  a.outputs = {viewLayout(q.outputs[0])};
  return withBytes(q, a);
}

std::unique_ptr<Step> buildBackward(const Site& site) {
  const Operand dy = site.inputs[0], dx = site.outputs[0];
  const ChannelView v = checked(dx, dy);
  return withElement(dx, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* from = dy.data<T>(run);
      T* to = dx.data<T>(run);
      const auto count = static_cast<float>(v.pixels());
      forImages(v, Walk::backwards, [&](int64_t b, int64_t g) {
        const LaneValues values =
            LaneValues::of(v, g, [&](int64_t c) { return wide(from[b * v.channels + c]) / count; });
        forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
          for (int64_t r = 0; r < rows; ++r)
            for (int i = 0; i < vecs; ++i)
              io.store(to + offset + r * v.rowStride + i * kVec, values.vec(i));
        });
      });
    });
  });
}

}  // namespace

const Kernel kGlobalAveragePool = {choose, build};
const Kernel kGlobalAveragePoolBackward = {chooseBackward, buildBackward};

}  // namespace lrscope
