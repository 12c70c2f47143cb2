// Max pooling. Padding counts as minus infinity and the first maximum of a window wins, a NaN
// before all, as in PyTorch. The workspace holds, after a header that names the layout, each
// output's position in its window (kw * row + column), one byte, in the order of the outputs: the
// header lets the derivative find it when its gradient arrives in another layout.
#include "core/dispatch.h"
#include "kernels/kernels.h"
#include "kernels/pool_window.h"

namespace lrscope {

namespace {

constexpr size_t kHeader = 64;

size_t workspaceBytes(Tensor y, const std::string& layout) {
  y.layout = layout;
  return kHeader + layoutBytes(y) / sizeOf(y.dtype);
}

uint32_t layoutCode(const ChannelView& v) {
  return v.plain ? 1 : !v.padded ? 2 : static_cast<uint32_t>(v.lanes);
}

LayoutAnswer choose(const LayoutQuestion& q) {
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

std::unique_ptr<Step> build(const Site& site) {
  const Operand x = site.inputs[0], y = site.outputs[0];
  expectType(y, x.dtype);
  expectLayout(y, x.layout);
  const Geometry geometry = geometryOf(site.attributes, x, y);
  const ChannelView from = channelView(x), to = channelView(y);
  const bool remember = site.outputs.size() == 2;
  const Operand workspace = remember ? site.outputs[1] : Operand();
  if (remember && workspace.bytes < workspaceBytes(y, y.layout))
    throw Refusal("the workspace is too small");
  return withElement(x, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* input = x.data<T>(run);
      T* output = y.data<T>(run);
      uint8_t* where = nullptr;
      if (remember) {
        *workspace.data<uint32_t>(run) = layoutCode(to);
        where = workspace.data<uint8_t>(run) + kHeader;
      }
      forImages(to, Walk::backwards, [&](int64_t b, int64_t g) {
        const T* image = input + b * from.batchStride + g * from.groupStride;
        const int64_t first = b * to.batchStride + g * to.groupStride;
        uint8_t* positions = where ? where + first : nullptr;
        withLanes(to, g, [&](auto io, auto vecs) {
          findMaxima(
              io, vecs, geometry, from, to, image, [](Vec value, int) { return value; },
              [&](const Best& best, int64_t at) {
                io.store(output + first + at, best.value);
                if (positions) io.storeBytes(positions + at, best.index);
              });
        });
      });
    });
  });
}

LayoutAnswer chooseBackward(const LayoutQuestion& q) {
  const Tensor &dy = q.inputs[0], &dx = q.outputs[0];
  geometryOf(q.attributes, dx, dy);
  // A gradient that comes plain out of a flatten is better reordered here, where it is small.
  std::string layout = dx.layout;
  if (!hasView(layout)) layout = dy.layout;
  if (!hasView(layout) || layout == "abcd") layout = activationLayout(dy.dim(1), dy.dtype);
  LayoutAnswer a;
  a.inputs = {layout, "opaque"};
  a.outputs = {layout};
  return withBytes(q, a);
}

// Gradients to where their maxima came from, when the windows tile the image: each pixel is
// written once.
template <bool stream, class Io, class Vecs, class T>
void spreadTiles(Io io, Vecs vecs, const Geometry& geometry, const ChannelView& small,
                 const ChannelView& large, const T* dy, const uint8_t* where, T* dx) {
  const int64_t pixel = pixelStride(large), smallPixel = pixelStride(small);
  const auto clear = [&](int64_t h, int64_t fromColumn) {
    for (int64_t w = fromColumn; w < large.width; ++w)
      for (int u = 0; u < vecs; ++u)
        put<stream>(io, dx + (h * large.width + w) * pixel + u * kVec, Vec{});
  };
  const int64_t kh = geometry.kernel[0], kw = geometry.kernel[1];
  for (int64_t h = 0; h < small.height * kh; ++h) {
    T* row = dx + h * large.width * pixel;
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

// Offset of channel c, pixel p of image b.
int64_t offsetOf(const ChannelView& v, int64_t b, int64_t c, int64_t p) {
  if (v.plain) return b * v.batchStride + c * v.groupStride + p;
  return b * v.batchStride + c / v.lanes * v.groupStride + p * v.rowStride + c % v.lanes;
}

// From the positions that a forward pass in another layout left, one value at a time.
template <class T>
void gatherAcross(const Geometry& geometry, const ChannelView& small, const ChannelView& written,
                  const ChannelView& large, const T* dy, const uint8_t* where, T* dx,
                  size_t dxBytes) {
  std::memset(dx, 0, dxBytes);
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t b = 0; b < small.batch; ++b)
    for (int64_t c = 0; c < small.channels; ++c)
      for (int64_t h = 0; h < large.height; ++h)
        for (int64_t w = 0; w < large.width; ++w) {
          const Pair rows = geometry.windowsOf(0, h, small.height);
          const Pair columns = geometry.windowsOf(1, w, small.width);
          float sum = 0;
          for (int64_t i = rows[0]; i <= rows[1]; ++i)
            for (int64_t j = columns[0]; j <= columns[1]; ++j) {
              const int64_t p = i * small.width + j;
              if (where[offsetOf(written, b, c, p)] == geometry.positionOf(h, w, i, j))
                sum += wide(dy[offsetOf(small, b, c, p)]);
            }
          dx[offsetOf(large, b, c, h * large.width + w)] = narrow<T>(sum);
        }
}

std::unique_ptr<Step> buildBackward(const Site& site) {
  const Operand dy = site.inputs[0], workspace = site.inputs[1], dx = site.outputs[0];
  expectType(dx, dy.dtype);
  expectLayout(dx, dy.layout);
  const Geometry geometry = geometryOf(site.attributes, dx, dy);
  const ChannelView small = channelView(dy), large = channelView(dx);
  const size_t bytes = layoutBytes(dx);
  return withElement(dy, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* gradient = dy.data<T>(run);
      const uint8_t* where = workspace.data<uint8_t>(run) + kHeader;
      T* to = dx.data<T>(run);
      const uint32_t code = *workspace.data<uint32_t>(run);
      Tensor writer = dy;
      if (code != layoutCode(small)) {
        writer.layout = code == 1 ? "abcd" : code == 2 ? "acdb" : code == 8 ? "aBcd8b" : "aBcd16b";
        if (workspace.bytes < workspaceBytes(dy, writer.layout))
          throw Refusal("the workspace is not the forward pass's");
        gatherAcross(geometry, small, channelView(writer), large, gradient, where, to, bytes);
        return;
      }
      forImages(large, Walk::backwards, [&](int64_t b, int64_t g) {
        const int64_t from = b * small.batchStride + g * small.groupStride;
        T* image = to + b * large.batchStride + g * large.groupStride;
        withLanes(large, g, [&](auto io, auto vecs) {
          const T* dyImage = gradient + from;
          withFlags(
              [&](auto stream) {
                if (geometry.tiles())
                  spreadTiles<stream.value>(io, vecs, geometry, small, large, dyImage, where + from,
                                            image);
                else
                  gatherGradients(
                      io, vecs, geometry, small, large, dyImage, where + from,
                      [&](Vec d, int64_t at, int) { put<stream.value>(io, image + at, d); });
              },
              streams<T>(large));
        });
      });
    });
  });
}

}  // namespace

const Kernel kMaxPool2d = {choose, build};
const Kernel kMaxPool2dBackward = {chooseBackward, buildBackward};

}  // namespace lrscope
