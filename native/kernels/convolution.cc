// conv2d and its derivatives, on oneDNN or by our own Winograd.
#include <functional>
#include <optional>

#include "kernels/depthwise.h"
#include "kernels/few_channels.h"
#include "kernels/simd/lanes.h"
#include "kernels/tiles/tiles.h"
#include "kernels/winograd/winograd.h"

namespace lrscope::convolution {

namespace {

using onednn::Desc;

// The three tensors of a convolution, whichever of them is being computed, and the bias.
struct Problem {
  Tensor x, weight, y;
  bool bias = false;
  onednn::Convolution geometry;

  Desc biasDesc() const {
    if (!bias) return {};
    return {{weight.dim(0)}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a};
  }
};

struct Chosen {
  Desc x, weight, y, scratch;
  std::string implementation;
  dnnl::primitive primitive;
};

Problem makeProblem(Pass pass, const Attributes& attributes, const Tensor& x, const Tensor& weight,
                    const Tensor& y, bool bias) {
  for (const Tensor* tensor : {&x, &weight, &y})
    if (tensor->shape.size() != 4)
      throw Refusal("expects tensors of rank 4; got shape " + formatShape(tensor->shape));
  expectTypes(pass, x, weight, y);
  const Pair stride = attributes.pair("stride");
  const Pair padding = attributes.pair("padding");
  const Pair paddingAfter = attributes.pairOr("paddingAfter", padding);
  Problem problem{x, weight, y, bias, {}};
  const int64_t groups = attributes.integerOr("groups", 1);
  problem.weight.groups = groups;
  if (groups < 1 || weight.dim(0) % groups != 0)
    throw Refusal("weight " + formatShape(weight.shape) + " has no " + std::to_string(groups) +
                  " groups");
  if (weight.dim(1) * groups != x.dim(1) || weight.dim(0) != y.dim(1) || x.dim(0) != y.dim(0))
    throw Refusal("x " + formatShape(x.shape) + ", weight " + formatShape(weight.shape) +
                  " and y " + formatShape(y.shape) + " do not fit each other");
  onednn::Dims after(2);
  for (size_t i = 0; i < 2; ++i) {
    const int64_t extent = x.dim(2 + i), kernel = weight.dim(2 + i), out = y.dim(2 + i);
    const int64_t padded = padding[i] + extent + paddingAfter[i];
    if (stride[i] < 1 || padded < kernel || out != (padded - kernel) / stride[i] + 1)
      throw Refusal("stride and padding do not lead from " + formatShape(x.shape) + " to " +
                    formatShape(y.shape));
    // What the window does not reach is not padding: oneDNN wants the exact sum.
    after[i] = (out - 1) * stride[i] + kernel - extent - padding[i];
  }
  problem.geometry = {
      dnnl::algorithm::convolution_direct, {stride[0], stride[1]}, {padding[0], padding[1]}, after};
  return problem;
}

template <class Primitive, class PrimitiveDesc>
Chosen chosen(const PrimitiveDesc& pd, const Desc& x, const Desc& weight, const Desc& y) {
  return {x, weight, y, pd.scratchpad_desc(), pd.impl_info_str(), Primitive(pd)};
}

bool isBf16(const Problem& p) {
  return p.x.dtype == DType::bf16 || p.weight.dtype == DType::bf16 || p.y.dtype == DType::bf16;
}

dnnl::convolution_forward::primitive_desc forwardHint(const Problem& p) {
  // A result may be f32 where the factors are not.
  const auto any = [&](Tensor tensor) {
    tensor.layout = "any";
    if (isBf16(p)) tensor.dtype = DType::bf16;
    return descriptor(tensor);
  };
  return onednn::convolutionForward(p.geometry, any(p.x), any(p.weight), p.biasDesc(), any(p.y),
                                    onednn::attributes());
}

Chosen prepare(Pass pass, Problem p) {
  const Desc x = descriptor(p.x), weight = descriptor(p.weight), y = descriptor(p.y);
  switch (pass) {
    case Pass::forward: {
      const auto pd =
          onednn::convolutionForward(p.geometry, x, weight, p.biasDesc(), y, onednn::attributes());
      return chosen<dnnl::convolution_forward>(pd, pd.src_desc(), pd.weights_desc(), pd.dst_desc());
    }
    case Pass::backwardData: {
      const auto pd = onednn::convolutionBackwardData(p.geometry, x, weight, y,
                                                      onednn::attributes(), forwardHint(p));
      return chosen<dnnl::convolution_backward_data>(pd, pd.diff_src_desc(), pd.weights_desc(),
                                                     pd.diff_dst_desc());
    }
    case Pass::backwardWeights: {
      const auto pd = onednn::convolutionBackwardWeights(p.geometry, x, weight, p.biasDesc(), y,
                                                         onednn::attributes(), forwardHint(p));
      return chosen<dnnl::convolution_backward_weights>(pd, pd.src_desc(), pd.diff_weights_desc(),
                                                        pd.diff_dst_desc());
    }
  }
  throw Refusal("internal: unknown pass");
}

// Generated code; the others ("ref", "gemm") are there for correctness.
bool isFast(const std::string& implementation) {
  return implementation.find("jit") != std::string::npos ||
         implementation.find("brg") != std::string::npos;
}

bool isWinograd(const Problem& p) {
  return p.weight.groups == 1 && p.weight.dim(2) == 3 && p.weight.dim(3) == 3 &&
         p.geometry.strides == onednn::Dims{1, 1};
}

// A result whose layouts all have names; an unnamed one is pinned to the plain layout instead.
bool tryPrepare(Pass pass, Problem p, Chosen& result) {
  for (int attempt = 0; attempt < 4; ++attempt) {
    try {
      result = prepare(pass, p);
    } catch (const dnnl::error&) {
      return false;
    }
    if (layoutOf(result.x).empty())
      p.x.layout = "abcd";
    else if (layoutOf(result.weight).empty())
      p.weight.layout = "abcd";
    else if (layoutOf(result.y).empty())
      p.y.layout = "abcd";
    else
      return true;
  }
  return false;
}

// Layouts that are given are kept where generated code exists for them; then the weights are let
// go (a reorder of theirs is cheap), and at last everything.
Chosen chooseOneDnn(Pass pass, Problem p) {
  const auto freeIfPlain = [](Tensor& tensor) {
    // Blocked or channels-last kernels need eight channels to be worth a reorder.
    if (tensor.layout == "abcd" && tensor.dim(1) >= 8) tensor.layout = "any";
  };
  freeIfPlain(p.x);
  freeIfPlain(p.y);
  Problem freeWeight = p;
  freeWeight.weight.layout = "any";
  Problem free = freeWeight;
  free.x.layout = free.y.layout = "any";
  Chosen result, fallback;
  bool found = false;
  for (const Problem& attempt : {p, freeWeight, free}) {
    if (!tryPrepare(pass, attempt, result)) continue;
    if (isFast(result.implementation)) return result;
    if (!found) fallback = result;
    found = true;
  }
  if (!found) throw Refusal("oneDNN has no such convolution for these shapes");
  return fallback;
}

// The layouts of the three, whichever of them an instruction has as inputs.
struct Choice {
  std::string x, weight, y;
  size_t scratchBytes;
  std::string implementation;
};

Choice oneDnn(Pass pass, const Problem& p) {
  const Chosen c = chooseOneDnn(pass, p);
  return {layoutOf(c.x), layoutOf(c.weight), layoutOf(c.y), c.scratch.get_size(), c.implementation};
}

Choice channelsLast(Pass pass, Problem p) {
  p.x.layout = p.y.layout = "acdb";
  Chosen c;
  for (const std::string& layout : {p.weight.layout, std::string("any")}) {
    p.weight.layout = layout;
    if (tryPrepare(pass, p, c) && isFast(c.implementation))
      return {"acdb", layoutOf(c.weight), "acdb", c.scratch.get_size(), c.implementation};
  }
  throw Refusal("oneDNN has no fast channels-last kernel for these shapes on " + onednn::isa());
}

bool hasOwnWinograd(Pass pass, const Problem& p) {
  const auto& padding = p.geometry.padBefore;
  const bool isWide = pass != Pass::backwardWeights || p.weight.dtype == DType::f32;
  return winograd::available() && isWinograd(p) && isWide && padding[0] <= 2 && padding[1] <= 2;
}

// Activations stay as they are where it can take them; the weights in any case.
Choice ownWinograd(Pass pass, const Problem& p) {
  winograd::Problem own{p.x, p.weight, p.y, {p.geometry.padBefore[0], p.geometry.padBefore[1]}};
  for (Tensor* tensor : {&own.x, &own.y})
    if (!winograd::takes(*tensor)) {
      tensor->layout = activationLayout(tensor->dim(1), tensor->dtype);
      if (!winograd::takes(*tensor)) tensor->layout = winograd::blockedLayout();
    }
  if (own.weight.layout == "any") own.weight.layout = winograd::weightLayout();
  return {own.x.layout, own.weight.layout, own.y.layout, winograd::scratchBytes(pass, own),
          winograd::implementation()};
}

// Whether our own Winograd is likely faster. Small images fill their tiles badly, and few tiles do
// not make up for the weights' transforms; oneDNN's gradients of weights are slow for just those.
// The numbers are from measurements of 2x2 to 16x16 images with 16 to 512 channels.
bool paysOff(Pass pass, const Problem& p) {
  const Tensor& result = pass == Pass::backwardData ? p.x : p.y;
  const int64_t height = result.dim(2), width = result.dim(3);
  const int64_t pixels = result.dim(0) * height * width;
  const int64_t tiles = result.dim(0) * ((height + 3) / 4) * ((width + 3) / 4);
  return pass == Pass::backwardWeights ? pixels >= 3 * tiles + 40 : pixels >= 8 * tiles + 80;
}

Pair pairOf(const onednn::Dims& dims) { return {dims[0], dims[1]}; }

// Gradients of depthwise weights that oneDNN would compute by matrix products, or not in generated
// code.
bool takesDepthwise(Pass pass, const Choice& c, const Tensor& x, const Problem& p,
                    const Tensor& y) {
  const bool isSlow =
      c.implementation.find("gemm") != std::string::npos || !isFast(c.implementation);
  return pass == Pass::backwardWeights && isSlow && depthwise::takes(x, p.weight, y);
}

// Direct: oneDNN's, but for what our own do better.
Choice direct(Pass pass, const Problem& p) {
  const Choice c = oneDnn(pass, p);
  const std::string blocked = activationLayout(p.x.dim(1), p.x.dtype);
  Tensor image = p.x, gradient = p.y;
  image.layout = gradient.layout = blocked;
  if (takesDepthwise(pass, c, image, p, gradient))
    return {blocked, p.weight.layout == "any" ? "abcd" : p.weight.layout, blocked,
            depthwise::scratchBytes(image, p.weight, gradient, pairOf(p.geometry.strides)),
            depthwise::kName};
  const bool ours = pass == Pass::backwardWeights && p.weight.groups == 1 && !isBf16(p);
  if (!ours || onednn::isa().rfind("avx2", 0) != 0) return c;
  Tensor x = p.x, weight = p.weight, y = p.y;
  if (x.layout == "any") x.layout = "abcd";
  if (weight.layout == "any") weight.layout = c.weight;
  if (y.layout == "any") y.layout = c.y;
  if (!few_channels::takes(x, y)) return c;
  return {x.layout, weight.layout, y.layout,
          few_channels::scratchBytes(x, weight, y, pairOf(p.geometry.strides)),
          few_channels::kName};
}

// Gradients of weights by tiles, ours.
std::optional<Choice> gradientByTiles(const Problem& p) {
  tiles::Problem own{p.x, p.weight, p.y, pairOf(p.geometry.strides), pairOf(p.geometry.padBefore)};
  own.x.layout = own.dy.layout = "acdb";
  own.weight.layout = tiles::weightLayout(p.weight.dim(1));
  if (!tiles::takes(own)) return {};
  return Choice{"acdb", own.weight.layout, "acdb", tiles::scratchBytes(own), tiles::kName};
}

// By tiles (AMX): oneDNN's, which it has channels-last alone, or ours; nothing where there is none.
std::optional<Choice> byTiles(Pass pass, const Problem& p) {
  if (!isBf16(p) || !onednn::multipliesTiles()) return {};
  if (pass == Pass::backwardWeights)
    if (const auto own = gradientByTiles(p)) return own;
  try {
    const Choice c = channelsLast(pass, p);
    if (c.implementation.find("amx") != std::string::npos) return c;
  } catch (const Refusal&) {
    // It has none for these shapes.
  }
  return {};
}

// The rule for this machine: Winograd for 16 or more channels. Ours, with AVX-512 too, where oneDNN
// has one: it takes 1.5 to 2.1 times as long in each pass (docs/decisions/0028). In bf16 on a
// processor with AMX direct products, which take half as long as Winograd (docs/decisions/0034,
// 0045).
Choice byRule(Pass pass, const Problem& p) {
  const bool wide = p.weight.dim(0) >= 16 && p.weight.dim(1) >= 16;
  // Of few channels, a tile takes a row of the kernel at a time.
  const bool fillsTiles = p.weight.dim(0) >= 16 && p.weight.dim(1) * p.weight.dim(3) >= 16;
  if (const auto tiles = fillsTiles ? byTiles(pass, p) : std::nullopt) return *tiles;
  if (wide && hasOwnWinograd(pass, p) && paysOff(pass, p)) return ownWinograd(pass, p);
  return direct(pass, p);
}

Choice wantedWinograd(Pass pass, const Problem& p) {
  if (hasOwnWinograd(pass, p)) return ownWinograd(pass, p);
  throw Refusal(
      "has no Winograd here: it takes 3x3 kernels, one group, stride 1, padding up to 2, f32 for "
      "gradients of weights, and AVX2; got " +
      formatShape(p.weight.shape) + ", stride " + formatShape(p.geometry.strides) + ", padding " +
      formatShape(p.geometry.padBefore) + " on " + onednn::isa());
}

// The wanted implementation, refused where there is none; by the rule where none is wanted.
Choice choose(Pass pass, const Problem& p, const std::string& wanted) {
  if (wanted.empty()) return byRule(pass, p);
  if (wanted == "direct") return direct(pass, p);
  if (wanted == "winograd") return wantedWinograd(pass, p);
  if (wanted == "channels-last") return channelsLast(pass, p);
  if (wanted == "product")
    throw Refusal("has no matrix product of its own: oneDNN's direct 1x1 kernels are one");
  throw Refusal("has no implementation \"" + wanted + "\"");
}

template <Pass pass>
LayoutAnswer chooseLayouts(const LayoutQuestion& q) {
  const AskedProduct o = askedOf(q, pass);
  const Choice c =
      choose(pass, makeProblem(pass, q.attributes, o.x, o.weight, o.y, o.bias), q.wanted);
  LayoutAnswer a;
  a.inputs = {pass == Pass::backwardData ? c.y : c.x,
              pass == Pass::backwardWeights ? c.y : c.weight};
  a.outputs = {pass == Pass::forward ? c.y : pass == Pass::backwardData ? c.x : c.weight};
  a.inputs.resize(q.inputs.size(), "a");  // the bias
  a.outputs.resize(q.outputs.size(), "a");
  a.scratchBytes = c.scratchBytes;
  a.implementation = c.implementation;
  return withBytes(q, a);
}

template <Pass pass>
std::unique_ptr<Step> build(const Site& site) {
  const Product o = productOf(site, pass);
  const Problem p = makeProblem(pass, site.attributes, o.x, o.weight, o.y, o.bias != nullptr);
  if (winograd::isOurs(site.implementation)) return winograd::makeStep(pass, site, o);
  if (site.implementation == few_channels::kName) return few_channels::makeStep(site, o);
  if (site.implementation == depthwise::kName) return depthwise::makeStep(site, o);
  if (site.implementation == tiles::kName) return tiles::makeStep(site, o);
  const Chosen prepared = prepare(pass, p);
  Operand weight = o.weight;
  weight.groups = p.weight.groups;
  return productStep(site, {o.x, weight, o.y, o.bias, o.arguments}, prepared.primitive,
                     prepared.scratch);
}

}  // namespace

}  // namespace lrscope::convolution

namespace lrscope {

template <Pass pass>
static constexpr Kernel kKernel = {convolution::chooseLayouts<pass>, convolution::build<pass>, true,
                                   true};

const Kernel kConv2d = kKernel<Pass::forward>;
const Kernel kConv2dBackwardData = kKernel<Pass::backwardData>;
const Kernel kConv2dBackwardWeights = kKernel<Pass::backwardWeights>;

std::string activationLayout(int64_t channels, DType dtype) {
  if (channels < 8) return "abcd";
  const auto ask = [](DType type) {
    Tensor x{{8, 64, 32, 32}, type, "any"};
    Tensor weight{{64, 64, 3, 3}, type, "any"};
    Attributes attributes;
    attributes.set("stride", std::vector<double>{1, 1});
    attributes.set("padding", std::vector<double>{1, 1});
    const auto p = convolution::makeProblem(Pass::forward, attributes, x, weight, x, false);
    return layoutOf(convolution::chooseOneDnn(Pass::forward, p).y);
  };
  static const auto* const blocked = new std::string(ask(DType::f32));
  if (dtype != DType::bf16 || !onednn::multipliesBf16()) return *blocked;
  static const auto* const halves = new std::string(ask(DType::bf16));
  return hasView(*halves) ? *halves : *blocked;
}

}  // namespace lrscope
