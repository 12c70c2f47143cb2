// Adaptive average pooling, in plain layout: y[i,j] is the mean of x from floor(i H / h) to
// ceil((i + 1) H / h) and likewise of columns; dx gathers dy over the window's size.
#include <vector>

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
  int64_t size() const { return to - from; }
};

// Of each output along one axis, the pixels whose mean it is. Made once: a division takes longer
// than a pixel's sum.
std::vector<Range> windows(int64_t outputs, int64_t extent) {
  std::vector<Range> all;
  for (int64_t i = 0; i < outputs; ++i)
    all.push_back({i * extent / outputs, ((i + 1) * extent + outputs - 1) / outputs});
  return all;
}

// Of each pixel along one axis, the outputs that it is a part of; those of neighbours overlap, or
// are the same.
std::vector<Range> holders(const std::vector<Range>& all, int64_t extent) {
  std::vector<Range> of(extent);
  for (int64_t pixel = 0, first = 0; pixel < extent; ++pixel) {
    while (all[first].to <= pixel) ++first;
    int64_t end = first;
    while (end < static_cast<int64_t>(all.size()) && all[end].from <= pixel) ++end;
    of[pixel] = {first, end};
  }
  return of;
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

std::unique_ptr<Step> build(const Site& site) {
  const Operand x = site.inputs[0], y = site.outputs[0];
  const Geometry g = checked(site, x, y);
  const auto rows = windows(g.outHeight, g.height), columns = windows(g.outWidth, g.width);
  return withElement(x, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* from = x.data<T>(run);
      T* to = y.data<T>(run);
#pragma omp parallel for schedule(static)
      for (int64_t plane = 0; plane < g.planes; ++plane) {
        const T* image = from + plane * g.height * g.width;
        T* pooled = to + plane * g.outHeight * g.outWidth;
        for (const Range& row : rows)
          for (const Range& column : columns) {
            double sum = 0;
            for (int64_t r = row.from; r < row.to; ++r)
              for (int64_t c = column.from; c < column.to; ++c) sum += wide(image[r * g.width + c]);
            const double count = static_cast<double>(row.size() * column.size());
            *pooled++ = narrow<T>(static_cast<float>(sum / count));
          }
      }
    });
  });
}

// Each pixel gathers from the windows that hold it, so that sums are rounded once.
std::unique_ptr<Step> buildBackward(const Site& site) {
  const Operand dy = site.inputs[0], dx = site.outputs[0];
  const Geometry g = checked(site, dx, dy);
  const auto rows = windows(g.outHeight, g.height), columns = windows(g.outWidth, g.width);
  const auto rowHolders = holders(rows, g.height), columnHolders = holders(columns, g.width);
  return withElement(dx, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* from = dy.data<T>(run);
      T* to = dx.data<T>(run);
#pragma omp parallel for schedule(static)
      for (int64_t plane = 0; plane < g.planes; ++plane) {
        const T* pooled = from + plane * g.outHeight * g.outWidth;
        T* image = to + plane * g.height * g.width;
        for (const Range& holdingRow : rowHolders)
          for (const Range& holdingColumn : columnHolders) {
            double sum = 0;
            for (int64_t i = holdingRow.from; i < holdingRow.to; ++i)
              for (int64_t j = holdingColumn.from; j < holdingColumn.to; ++j)
                sum += wide(pooled[i * g.outWidth + j]) /
                       static_cast<double>(rows[i].size() * columns[j].size());
            *image++ = narrow<T>(static_cast<float>(sum));
          }
      }
    });
  });
}

}  // namespace

const Kernel kAdaptiveAveragePool2d = {choose, build};
const Kernel kAdaptiveAveragePool2dBackward = {choose, buildBackward};

}  // namespace lrscope
