// reorder: the same logical tensor in another layout, on oneDNN.
#include <cstring>

#include "kernels.h"

namespace lrscope {

namespace {

// 2.x and 3.x make a reorder alike. Those of f32 take no scratchpad; one that did would bring its
// own, as the compiler inserts reorders without asking.
dnnl::reorder::primitive_desc prepare(const Tensor& from, const Tensor& to) {
  return {onednn::engine(), descriptor(from), onednn::engine(), descriptor(to)};
}

LayoutAnswer choose(const LayoutQuestion& q) {
  expectCounts(q, 1, 1, 1, 1);
  Tensor from = q.inputs[0], to = q.outputs[0];
  if (from.layout == "any") from.layout = plainLayout(from.shape.size());
  if (to.layout == "any") to.layout = plainLayout(to.shape.size());
  LayoutAnswer a;
  a.inputs = {from.layout};
  a.outputs = {to.layout};
  if (from.layout != to.layout) {
    a.implementation = prepare(from, to).impl_info_str();
  }
  return withBytes(q, a);
}

std::unique_ptr<Step> build(const Site& site) {
  expectOperands(site, 1, 1, 1, 1);
  const Operand &x = site.inputs[0], &y = site.outputs[0];
  expectShape(y, x.shape);
  if (x.dtype != y.dtype) throw Refusal("must not change the element type");
  if (x.layout == y.layout) {
    const size_t bytes = layoutBytes(x);
    return makeStep([=](const RunContext& run) { std::memmove(y.at(run), x.at(run), bytes); });
  }
  const auto pd = prepare(x, y);
  return std::make_unique<PrimitiveStep>(
      dnnl::reorder(pd),
      std::vector<std::pair<int, const Operand*>>{{DNNL_ARG_FROM, &x}, {DNNL_ARG_TO, &y}},
      site.scratch, onednn::Desc());
}

}  // namespace

const Kernel kReorder = {choose, build};

}  // namespace lrscope
