// linear and its derivatives, on oneDNN's inner product. Every tensor stays plain, so that the
// optimizer and the other rooms see the weight as it is; oneDNN's gemm packs what it needs.
#include "kernels/product.h"

namespace lrscope::linear {

namespace {

using onednn::Desc;

struct Problem {
  Tensor x, weight, y;
  bool bias;
};

struct Prepared {
  std::string implementation;
  Desc scratch;
  dnnl::primitive primitive;
};

Problem makeProblem(Pass pass, const Tensor& x, const Tensor& weight, const Tensor& y, bool bias) {
  for (const Tensor* tensor : {&x, &weight, &y})
    if (tensor->shape.size() != 2)
      throw Refusal("expects matrices; got shape " + formatShape(tensor->shape));
  expectTypes(pass, x, weight, y);
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
  // Of the same factors, whatever type the result of this pass has.
  const auto hint = [&] {
    const DType type = pass == Pass::forward ? p.x.dtype : p.y.dtype;
    const auto alike = [&](Tensor tensor) {
      tensor.dtype = type;
      return descriptor(tensor);
    };
    return onednn::innerProductForward(alike(p.x), alike(p.weight), bias, alike(p.y), attributes);
  };
  switch (pass) {
    case Pass::forward:
      return prepared<dnnl::inner_product_forward>(forward());
    case Pass::backwardData:
      return prepared<dnnl::inner_product_backward_data>(
          onednn::innerProductBackwardData(x, weight, y, attributes, hint()));
    case Pass::backwardWeights:
      return prepared<dnnl::inner_product_backward_weights>(
          onednn::innerProductBackwardWeights(x, weight, bias, y, attributes, hint()));
  }
  throw Refusal("internal: unknown pass");
}

template <Pass pass>
LayoutAnswer choose(const LayoutQuestion& q) {
  AskedProduct o = askedOf(q, pass);
  o.x.layout = o.weight.layout = o.y.layout = "ab";
  const Prepared p = prepare(pass, makeProblem(pass, o.x, o.weight, o.y, o.bias));
  LayoutAnswer a;
  for (const Tensor& tensor : q.inputs) a.inputs.push_back(plainLayout(tensor.shape.size()));
  for (const Tensor& tensor : q.outputs) a.outputs.push_back(plainLayout(tensor.shape.size()));
  a.scratchBytes = p.scratch.get_size();
  a.implementation = p.implementation;
  return withBytes(q, a);
}

template <Pass pass>
std::unique_ptr<Step> build(const Site& site) {
  const Product o = productOf(site, pass);
  const Problem p = makeProblem(pass, o.x, o.weight, o.y, o.bias != nullptr);
  const Prepared ready = prepare(pass, p);
  return productStep(site, o, ready.primitive, ready.scratch);
}

}  // namespace

}  // namespace lrscope::linear

namespace lrscope {

template <Pass pass>
static constexpr Kernel kKernel = {linear::choose<pass>, linear::build<pass>, false, true};

const Kernel kLinear = kKernel<Pass::forward>;
const Kernel kLinearBackwardData = kKernel<Pass::backwardData>;
const Kernel kLinearBackwardWeights = kKernel<Pass::backwardWeights>;

}  // namespace lrscope
