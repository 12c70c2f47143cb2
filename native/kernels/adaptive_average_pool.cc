// Adaptive average pooling, in plain layout: y[i,j] is the mean of x from floor(i H / h) to
// ceil((i + 1) H / h) and likewise of columns; dx gathers dy over the window's size.
#include "kernels/kernels.h"
#include "kernels/simd/lanes.h"

namespace lrscope {

namespace {

LayoutAnswer choose(const LayoutQuestion& q) {
  LayoutAnswer a;
  a.inputs = {"abcd"};
  a.outputs = {"abcd"};
  return withBytes(q, a);
}

struct Geometry {
  int64_t planes, height, width, outHeight, outWidth;
};

struct Range {
  int64_t from, to;
};

Range window(int64_t i, int64_t outputs, int64_t extent) {
  return {i * extent / outputs, ((i + 1) * extent + outputs - 1) / outputs};
}

Geometry checked(const Site& site, const Operand& image, const Operand& pooled) {
  for (const Operand* operand : {&image, &pooled}) {
    expectType(*operand, image.dtype);
    if (operand->shape.size() != 4)
      throw Refusal("expects tensors (B,C,H,W); got shape " + formatShape(operand->shape));
    expectLayout(*operand, "abcd");
  }
  const Pair size = site.attributes.pair("outputSize");
  if (size[0] < 1 || size[1] < 1 || image.elements() == 0)
    throw Refusal("must have an output and an input of one pixel at least");
  expectShape(pooled, {image.dim(0), image.dim(1), size[0], size[1]});
  return {image.dim(0) * image.dim(1), image.dim(2), image.dim(3), size[0], size[1]};
}

// Calls visit(plane's image, plane's output, offset of the output, rows, columns) for each window.
template <class Visit>
void forWindows(const Geometry& g, Visit visit) {
#pragma omp parallel for schedule(static)
  for (int64_t plane = 0; plane < g.planes; ++plane)
    for (int64_t i = 0; i < g.outHeight; ++i)
      for (int64_t j = 0; j < g.outWidth; ++j)
        visit(plane * g.height * g.width, (plane * g.outHeight + i) * g.outWidth + j,
              window(i, g.outHeight, g.height), window(j, g.outWidth, g.width));
}

std::unique_ptr<Step> build(const Site& site) {
  const Operand x = site.inputs[0], y = site.outputs[0];
  const Geometry g = checked(site, x, y);
  return withElement(x, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* from = x.data<T>(run);
      T* to = y.data<T>(run);
      forWindows(g, [&](int64_t image, int64_t at, Range rows, Range columns) {
        double sum = 0;
        for (int64_t r = rows.from; r < rows.to; ++r)
          for (int64_t c = columns.from; c < columns.to; ++c)
            sum += wide(from[image + r * g.width + c]);
        const int64_t count = (rows.to - rows.from) * (columns.to - columns.from);
        to[at] = narrow<T>(static_cast<float>(sum / static_cast<double>(count)));
      });
    });
  });
}

// Each pixel gathers from the windows that hold it, so that sums are rounded once.
std::unique_ptr<Step> buildBackward(const Site& site) {
  const Operand dy = site.inputs[0], dx = site.outputs[0];
  const Geometry g = checked(site, dx, dy);
  return withElement(dx, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* from = dy.data<T>(run);
      T* to = dx.data<T>(run);
#pragma omp parallel for schedule(static)
      for (int64_t plane = 0; plane < g.planes; ++plane)
        for (int64_t r = 0; r < g.height; ++r)
          for (int64_t c = 0; c < g.width; ++c) {
            double sum = 0;
            for (int64_t i = r * g.outHeight / g.height; i < g.outHeight; ++i) {
              const Range rows = window(i, g.outHeight, g.height);
              if (rows.from > r) break;
              if (rows.to <= r) continue;
              for (int64_t j = c * g.outWidth / g.width; j < g.outWidth; ++j) {
                const Range columns = window(j, g.outWidth, g.width);
                if (columns.from > c) break;
                if (columns.to <= c) continue;
                const int64_t count = (rows.to - rows.from) * (columns.to - columns.from);
                sum += wide(from[(plane * g.outHeight + i) * g.outWidth + j]) /
                       static_cast<double>(count);
              }
            }
            to[(plane * g.height + r) * g.width + c] = narrow<T>(static_cast<float>(sum));
          }
    });
  });
}

}  // namespace

const Kernel kAdaptiveAveragePool2d = {choose, build};
const Kernel kAdaptiveAveragePool2dBackward = {choose, buildBackward};

}  // namespace lrscope
