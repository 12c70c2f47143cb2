// linear and its derivatives, on oneDNN's inner product. Every tensor stays plain, so that the
// optimizer and the other rooms see the weight as it is; oneDNN's gemm packs what it needs.
#include "kernels.h"

namespace lrscope {

namespace {

using onednn::Desc;

enum class Pass { forward, backwardData, backwardWeights };

struct Problem {
  Tensor x, weight, y;
  bool bias;
};

struct Prepared {
  std::string implementation;
  Desc scratch;
  dnnl::primitive primitive;
};

Problem makeProblem(const Attributes& attributes, const Tensor& x, const Tensor& weight,
                    const Tensor& y, bool bias) {
  for (const Tensor* tensor : {&x, &weight, &y})
    if (tensor->shape.size() != 2 || tensor->dtype != DType::f32)
      throw Refusal("expects f32 matrices; got shape " + formatShape(tensor->shape));
  if (x.dim(0) != y.dim(0) || x.dim(1) != weight.dim(1) || weight.dim(0) != y.dim(1))
    throw Refusal("x " + formatShape(x.shape) + ", weight " + formatShape(weight.shape) +
                  " and y " + formatShape(y.shape) + " do not fit each other");
  return {x, weight, y, bias};
}

template <class Primitive, class PrimitiveDesc>
Prepared prepared(const PrimitiveDesc& pd) {
  return {pd.impl_info_str(), pd.scratchpad_desc(), Primitive(pd)};
}

Prepared prepare(Pass pass, const Problem& p) {
  const Desc x = descriptor(p.x), weight = descriptor(p.weight), y = descriptor(p.y);
  const Desc bias =
      p.bias ? Desc({p.y.dim(1)}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a)
             : Desc();
  const auto attributes = onednn::attributes();
  const auto forward = [&] { return onednn::innerProductForward(x, weight, bias, y, attributes); };
  switch (pass) {
    case Pass::forward:
      return prepared<dnnl::inner_product_forward>(forward());
    case Pass::backwardData:
      return prepared<dnnl::inner_product_backward_data>(
          onednn::innerProductBackwardData(x, weight, y, attributes, forward()));
    case Pass::backwardWeights:
      return prepared<dnnl::inner_product_backward_weights>(
          onednn::innerProductBackwardWeights(x, weight, bias, y, attributes, forward()));
  }
  throw Refusal("internal: unknown pass");
}

LayoutAnswer choosePlain(const LayoutQuestion& q, Pass pass, Tensor x, Tensor weight, Tensor y,
                         bool bias) {
  x.layout = weight.layout = y.layout = "ab";
  const Prepared p = prepare(pass, makeProblem(q.attributes, x, weight, y, bias));
  LayoutAnswer a;
  for (const Tensor& tensor : q.inputs) a.inputs.push_back(plainLayout(tensor.shape.size()));
  for (const Tensor& tensor : q.outputs) a.outputs.push_back(plainLayout(tensor.shape.size()));
  a.scratchBytes = p.scratch.get_size();
  a.implementation = p.implementation;
  return withBytes(q, a);
}

std::unique_ptr<Step> build(const Site& site, Pass pass, const Operand& x, const Operand& weight,
                            const Operand& y, const Operand* bias,
                            const std::array<int, 4>& arguments) {
  if (bias) expectVector(*bias, weight.dim(0));
  Prepared p = prepare(pass, makeProblem(site.attributes, x, weight, y, bias != nullptr));
  expectScratch(site, p.scratch.get_size());
  std::vector<std::pair<int, const Operand*>> operands = {
      {arguments[0], &x}, {arguments[1], &weight}, {arguments[2], &y}};
  if (bias) operands.emplace_back(arguments[3], bias);
  std::unique_ptr<Step> step =
      std::make_unique<PrimitiveStep>(p.primitive, operands, site.scratch, p.scratch);
  return site.attributes.flag("relu") ? thenRelu(std::move(step), y) : std::move(step);
}

LayoutAnswer chooseForward(const LayoutQuestion& q) {
  expectCounts(q, 2, 3, 1, 1);
  return choosePlain(q, Pass::forward, q.inputs[0], q.inputs[1], q.outputs[0],
                     q.inputs.size() == 3);
}

LayoutAnswer chooseBackwardData(const LayoutQuestion& q) {
  expectCounts(q, 2, 2, 1, 1);
  return choosePlain(q, Pass::backwardData, q.outputs[0], q.inputs[1], q.inputs[0], false);
}

LayoutAnswer chooseBackwardWeights(const LayoutQuestion& q) {
  expectCounts(q, 2, 2, 1, 2);
  return choosePlain(q, Pass::backwardWeights, q.inputs[0], q.outputs[0], q.inputs[1],
                     q.outputs.size() == 2);
}

std::unique_ptr<Step> buildForward(const Site& site) {
  expectOperands(site, 2, 3, 1, 1);
  return build(site, Pass::forward, site.inputs[0], site.inputs[1], site.outputs[0],
               site.inputs.size() == 3 ? &site.inputs[2] : nullptr,
               {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS});
}

std::unique_ptr<Step> buildBackwardData(const Site& site) {
  expectOperands(site, 2, 2, 1, 1);
  return build(site, Pass::backwardData, site.outputs[0], site.inputs[1], site.inputs[0], nullptr,
               {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST, 0});
}

std::unique_ptr<Step> buildBackwardWeights(const Site& site) {
  expectOperands(site, 2, 2, 1, 2);
  return build(site, Pass::backwardWeights, site.inputs[0], site.outputs[0], site.inputs[1],
               site.outputs.size() == 2 ? &site.outputs[1] : nullptr,
               {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_BIAS});
}

}  // namespace

const Kernel kLinear = {chooseForward, buildForward};
const Kernel kLinearBackwardData = {chooseBackwardData, buildBackwardData};
const Kernel kLinearBackwardWeights = {chooseBackwardWeights, buildBackwardWeights};

}  // namespace lrscope
