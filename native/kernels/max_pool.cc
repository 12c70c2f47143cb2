// Max pooling. Padding counts as minus infinity and the first maximum of a window wins, a NaN
// before all, as in PyTorch. The workspace holds, after a header that names the layout, each
// output's position in its window (kw * row + column), one byte, in the order of the outputs: the
// header lets the derivative find it when its gradient arrives in another layout.
#include "kernels.h"
#include "pool_window.h"

namespace lrscope {

namespace {

constexpr size_t kHeader = 64;

size_t workspaceBytes(Tensor y, const std::string& layout) {
  y.layout = layout;
  return kHeader + layoutBytes(y) / sizeof(float);
}

uint32_t layoutCode(const ChannelView& v) {
  return v.plain ? 1 : !v.padded ? 2 : static_cast<uint32_t>(v.lanes);
}

LayoutAnswer choose(const LayoutQuestion& q) {
  expectCounts(q, 1, 1, 1, 2);
  const std::string layout = viewLayout(q.inputs[0]);
  geometryOf(q.attributes, q.inputs[0], q.outputs[0]);
  LayoutAnswer a;
  a.inputs = {layout};
  a.outputs = {layout};
  a.outputBytes.assign(q.outputs.size(), 0);
  if (q.outputs.size() == 2) {
    a.outputs.push_back("opaque");
    a.outputBytes[1] = workspaceBytes(q.outputs[0], layout);
  }
  return withBytes(q, a);
}

// One image of one group, any window.
template <class Io, class Vecs>
void pool(Io io, Vecs vecs, const Geometry& geometry, const ChannelView& from,
          const ChannelView& to, const float* x, float* y, uint8_t* where) {
  const int64_t pixel = pixelStride(from), outPixel = pixelStride(to);
  for (int64_t i = 0; i < to.height; ++i) {
    const auto rows = geometry.range(0, i, from.height);
    for (int64_t j = 0; j < to.width; ++j) {
      const auto columns = geometry.range(1, j, from.width);
      const int64_t at = (i * to.width + j) * outPixel;
      const auto position = [&](int64_t r, int64_t c) {
        return static_cast<int32_t>((r - rows.start) * geometry.kernel[1] + (c - columns.start));
      };
      for (int u = 0; u < vecs; ++u) {
        Best best;
        best.index += position(rows.from, columns.from);
        for (int64_t r = rows.from; r < rows.to; ++r)
          for (int64_t c = columns.from; c < columns.to; ++c)
            best.offer(io.load(x + (r * from.width + c) * pixel + u * kVec), position(r, c));
        io.store(y + at + u * kVec, best.value);
        if (where) io.storeBytes(where + at + u * kVec, best.index);
      }
    }
  }
}

// The same for the window of the vanilla network.
template <class Io, class Vecs>
void poolTwoByTwo(Io io, Vecs vecs, const ChannelView& from, const ChannelView& to, const float* x,
                  float* y, uint8_t* where) {
  const int64_t pixel = pixelStride(from), outPixel = pixelStride(to);
  for (int64_t i = 0; i < to.height; ++i) {
    const float* upper = x + 2 * i * from.width * pixel;
    const float* lower = upper + from.width * pixel;
    for (int64_t j = 0; j < to.width; ++j) {
      const int64_t at = (i * to.width + j) * outPixel;
      for (int u = 0; u < vecs; ++u) {
        const int64_t left = 2 * j * pixel + u * kVec, right = left + pixel;
        Best best;
        best.offer(io.load(upper + left), 0);
        best.offer(io.load(upper + right), 1);
        best.offer(io.load(lower + left), 2);
        best.offer(io.load(lower + right), 3);
        io.store(y + at + u * kVec, best.value);
        if (where) io.storeBytes(where + at + u * kVec, best.index);
      }
    }
  }
}

std::unique_ptr<Step> build(const Site& site) {
  expectOperands(site, 1, 1, 1, 2);
  const Operand x = site.inputs[0], y = site.outputs[0];
  expectType(x, DType::f32);
  expectType(y, DType::f32);
  expectLayout(y, x.layout);
  const Geometry geometry = geometryOf(site.attributes, x, y);
  const ChannelView from = channelView(x), to = channelView(y);
  const bool remember = site.outputs.size() == 2;
  const Operand workspace = remember ? site.outputs[1] : Operand();
  if (remember && workspace.bytes < workspaceBytes(y, y.layout))
    throw Refusal("the workspace is too small");
  return makeStep([=](const RunContext& run) {
    const float* input = x.f32(run);
    float* output = y.f32(run);
    uint8_t* where = nullptr;
    if (remember) {
      *workspace.data<uint32_t>(run) = layoutCode(to);
      where = workspace.data<uint8_t>(run) + kHeader;
    }
    forImages(to, Walk::backwards, [&](int64_t b, int64_t g) {
      const float* image = input + b * from.batchStride + g * from.groupStride;
      const int64_t first = b * to.batchStride + g * to.groupStride;
      uint8_t* positions = where ? where + first : nullptr;
      withLanes(to, g, [&](auto io, auto vecs) {
        if (geometry.isTwoByTwo())
          poolTwoByTwo(io, vecs, from, to, image, output + first, positions);
        else
          pool(io, vecs, geometry, from, to, image, output + first, positions);
      });
    });
  });
}

LayoutAnswer chooseBackward(const LayoutQuestion& q) {
  expectCounts(q, 2, 2, 1, 1);
  const Tensor &dy = q.inputs[0], &dx = q.outputs[0];
  geometryOf(q.attributes, dx, dy);
  // A gradient that comes plain out of a flatten is better reordered here, where it is small.
  std::string layout = dx.layout;
  if (!hasView(layout)) layout = dy.layout;
  if (!hasView(layout) || layout == "abcd") layout = activationLayout(dy.dim(1));
  LayoutAnswer a;
  a.inputs = {layout, "opaque"};
  a.outputs = {layout};
  return withBytes(q, a);
}

// Gradients to where their maxima came from, when the windows tile the image: each pixel is
// written once.
template <bool stream, class Io, class Vecs>
void spreadTiles(Io io, Vecs vecs, const Geometry& geometry, const ChannelView& small,
                 const ChannelView& large, const float* dy, const uint8_t* where, float* dx) {
  const int64_t pixel = pixelStride(large), smallPixel = pixelStride(small);
  const auto clear = [&](int64_t h, int64_t fromColumn) {
    for (int64_t w = fromColumn; w < large.width; ++w)
      for (int u = 0; u < vecs; ++u)
        put<stream>(io, dx + (h * large.width + w) * pixel + u * kVec, Vec{});
  };
  const int64_t kh = geometry.kernel[0], kw = geometry.kernel[1];
  for (int64_t h = 0; h < small.height * kh; ++h) {
    float* row = dx + h * large.width * pixel;
    const int64_t i = h / kh;
    for (int64_t j = 0; j < small.width; ++j) {
      const int64_t at = (i * small.width + j) * smallPixel;
      for (int64_t k = 0; k < kw; ++k) {
        const auto position = static_cast<int32_t>((h - i * kh) * kw + k);
        for (int u = 0; u < vecs; ++u)
          put<stream>(
              io, row + (j * kw + k) * pixel + u * kVec,
              select(io.loadBytes(where + at + u * kVec) == position, io.load(dy + at + u * kVec)));
      }
    }
    clear(h, small.width * kw);
  }
  for (int64_t h = small.height * kh; h < large.height; ++h) clear(h, 0);
}

// The same for any windows: zeros first, then sums.
template <class Io, class Vecs>
void scatter(Io io, Vecs vecs, const Geometry& geometry, const ChannelView& small,
             const ChannelView& large, const float* dy, const uint8_t* where, float* dx) {
  const int64_t pixel = pixelStride(large), smallPixel = pixelStride(small);
  for (int64_t p = 0; p < large.pixels(); ++p)
    for (int u = 0; u < vecs; ++u) io.store(dx + p * pixel + u * kVec, Vec{});
  for (int64_t i = 0; i < small.height; ++i) {
    const auto rows = geometry.range(0, i, large.height);
    for (int64_t j = 0; j < small.width; ++j) {
      const auto columns = geometry.range(1, j, large.width);
      const int64_t at = (i * small.width + j) * smallPixel;
      for (int u = 0; u < vecs; ++u) {
        const Mask index = io.loadBytes(where + at + u * kVec);
        const Vec gradient = io.load(dy + at + u * kVec);
        for (int64_t r = rows.from; r < rows.to; ++r)
          for (int64_t c = columns.from; c < columns.to; ++c) {
            float* to = dx + (r * large.width + c) * pixel + u * kVec;
            const auto position =
                static_cast<int32_t>((r - rows.start) * geometry.kernel[1] + (c - columns.start));
            io.store(to, io.load(to) + select(index == position, gradient));
          }
      }
    }
  }
}

// Offset of channel c, pixel p of image b.
int64_t offsetOf(const ChannelView& v, int64_t b, int64_t c, int64_t p) {
  if (v.plain) return b * v.batchStride + c * v.groupStride + p;
  return b * v.batchStride + c / v.lanes * v.groupStride + p * v.rowStride + c % v.lanes;
}

// The positions that a forward pass in another layout left, one value at a time.
void scatterAcross(const Geometry& geometry, const ChannelView& small, const ChannelView& written,
                   const ChannelView& large, const float* dy, const uint8_t* where, float* dx,
                   size_t dxElements) {
  std::memset(dx, 0, dxElements * sizeof(float));
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t b = 0; b < small.batch; ++b)
    for (int64_t c = 0; c < small.channels; ++c)
      for (int64_t p = 0; p < small.pixels(); ++p) {
        const int64_t k = where[offsetOf(written, b, c, p)];
        const int64_t h =
            p / small.width * geometry.stride[0] - geometry.padding[0] + k / geometry.kernel[1];
        const int64_t w =
            p % small.width * geometry.stride[1] - geometry.padding[1] + k % geometry.kernel[1];
        if (h < 0 || h >= large.height || w < 0 || w >= large.width) continue;
        dx[offsetOf(large, b, c, h * large.width + w)] += dy[offsetOf(small, b, c, p)];
      }
}

std::unique_ptr<Step> buildBackward(const Site& site) {
  expectOperands(site, 2, 2, 1, 1);
  const Operand dy = site.inputs[0], workspace = site.inputs[1], dx = site.outputs[0];
  expectType(dy, DType::f32);
  expectType(dx, DType::f32);
  expectLayout(dx, dy.layout);
  const Geometry geometry = geometryOf(site.attributes, dx, dy);
  const ChannelView small = channelView(dy), large = channelView(dx);
  const size_t elements = layoutBytes(dx) / sizeof(float);
  return makeStep([=](const RunContext& run) {
    const float* gradient = dy.f32(run);
    const uint8_t* where = workspace.data<uint8_t>(run) + kHeader;
    float* to = dx.f32(run);
    const uint32_t code = *workspace.data<uint32_t>(run);
    Tensor writer = dy;
    if (code != layoutCode(small)) {
      writer.layout = code == 1 ? "abcd" : code == 2 ? "acdb" : code == 8 ? "aBcd8b" : "aBcd16b";
      if (workspace.bytes < workspaceBytes(dy, writer.layout))
        throw Refusal("the workspace is not the forward pass's");
      scatterAcross(geometry, small, channelView(writer), large, gradient, where, to, elements);
      return;
    }
    forImages(large, Walk::backwards, [&](int64_t b, int64_t g) {
      const int64_t from = b * small.batchStride + g * small.groupStride;
      float* image = to + b * large.batchStride + g * large.groupStride;
      withLanes(large, g, [&](auto io, auto vecs) {
        if (geometry.tiles() && streams(large))
          spreadTiles<true>(io, vecs, geometry, small, large, gradient + from, where + from, image);
        else if (geometry.tiles())
          spreadTiles<false>(io, vecs, geometry, small, large, gradient + from, where + from,
                             image);
        else
          scatter(io, vecs, geometry, small, large, gradient + from, where + from, image);
      });
    });
  });
}

}  // namespace

const Kernel kMaxPool2d = {choose, build};
const Kernel kMaxPool2dBackward = {chooseBackward, buildBackward};

}  // namespace lrscope
