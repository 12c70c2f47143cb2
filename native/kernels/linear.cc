// linear and its derivatives, on oneDNN's inner product. Activations stay plain. So do small
// weights; large ones lie in the blocks that oneDNN's products read, as its gemm would pack them
// anew at each use, which costs more than the product where a batch is small beside the weights.
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
  Desc weight, scratch;
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
Prepared prepared(const PrimitiveDesc& pd, const Desc& weight) {
  return {pd.impl_info_str(), weight, pd.scratchpad_desc(), Primitive(pd)};
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
    case Pass::forward: {
      const auto pd = forward();
      return prepared<dnnl::inner_product_forward>(pd, pd.weights_desc());
    }
    case Pass::backwardData: {
      const auto pd = onednn::innerProductBackwardData(x, weight, y, attributes, hint());
      return prepared<dnnl::inner_product_backward_data>(pd, pd.weights_desc());
    }
    case Pass::backwardWeights: {
      const auto pd = onednn::innerProductBackwardWeights(x, weight, bias, y, attributes, hint());
      return prepared<dnnl::inner_product_backward_weights>(pd, pd.diff_weights_desc());
    }
  }
  throw Refusal("internal: unknown pass");
}

// Weights of fewer outputs or elements stay plain: a block of outputs would be mostly padding, and
// what a cache holds is packed in no time.
constexpr int64_t kLeastOutputs = 64, kLeastElements = 1 << 18;

bool isLarge(const Tensor& weight) {
  return weight.dim(0) >= kLeastOutputs && weight.elements() >= kLeastElements;
}

// The weights as they come, where generated code reads them so; else as that wants them; else
// plain.
Prepared preferred(Pass pass, Problem& p) {
  const std::string given = p.weight.layout;
  if (isLarge(p.weight))
    for (const std::string& layout : {given, std::string("any")}) {
      if (layout == "ab") continue;
      p.weight.layout = layout;
      try {
        const Prepared found = prepare(pass, p);
        p.weight.layout = layoutOf(found.weight);
        if (!p.weight.layout.empty() && found.implementation.rfind("ref", 0) != 0) return found;
      } catch (const dnnl::error&) {
        // It has none in that layout.
      }
    }
  p.weight.layout = "ab";
  return prepare(pass, p);
}

template <Pass pass>
LayoutAnswer choose(const LayoutQuestion& q) {
  AskedProduct o = askedOf(q, pass);
  o.x.layout = o.y.layout = "ab";
  Problem problem = makeProblem(pass, o.x, o.weight, o.y, o.bias);
  const Prepared p = preferred(pass, problem);
  LayoutAnswer a;
  for (const Tensor& tensor : q.inputs) a.inputs.push_back(plainLayout(tensor.shape.size()));
  for (const Tensor& tensor : q.outputs) a.outputs.push_back(plainLayout(tensor.shape.size()));
  (pass == Pass::backwardWeights ? a.outputs[0] : a.inputs[1]) = problem.weight.layout;
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
