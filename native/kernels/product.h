// What convolution and linear have in common: three passes over x, weight, y and a bias, of which
// each computes one from the others.
#pragma once
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/kernels.h"

namespace lrscope {

enum class Pass { forward, backwardData, backwardWeights };

struct Product {
  const Operand &x, &weight, &y;
  // Of the forward pass, or its gradient; null where there is none.
  const Operand* bias;
  // oneDNN's names of the four.
  std::array<int, 4> arguments;
};

// Refuses types that do not go together: both factors f32, or both bf16 with a result of either.
inline void expectTypes(Pass pass, const Tensor& x, const Tensor& weight, const Tensor& y) {
  const Tensor& result = pass == Pass::forward ? y : pass == Pass::backwardData ? x : weight;
  const Tensor& factor = pass == Pass::forward ? x : y;
  for (const Tensor* tensor : {&x, &weight, &y}) {
    const bool fits = tensor == &result && factor.dtype == DType::bf16
                          ? tensor->dtype == DType::f32 || tensor->dtype == DType::bf16
                          : tensor->dtype == factor.dtype;
    if (!fits || (factor.dtype != DType::f32 && factor.dtype != DType::bf16))
      throw Refusal("expects f32, or bf16 with a result of either");
  }
}

// The same of a question, as layouts are chosen.
struct AskedProduct {
  Tensor x, weight, y;
  bool bias;
};

inline AskedProduct askedOf(const LayoutQuestion& q, Pass pass) {
  const auto &in = q.inputs, &out = q.outputs;
  switch (pass) {
    case Pass::forward:
      return {in[0], in[1], out[0], in.size() == 3};
    case Pass::backwardData:
      return {out[0], in[1], in[0], false};
    case Pass::backwardWeights:
      return {in[0], out[0], in[1], out.size() == 2};
  }
  throw Refusal("internal: unknown pass");
}

// The operands of an instruction, in the order of program/types.ts, by what they are.
inline Product productOf(const Site& site, Pass pass) {
  const auto &in = site.inputs, &out = site.outputs;
  switch (pass) {
    case Pass::forward:
      return {in[0],
              in[1],
              out[0],
              in.size() == 3 ? &in[2] : nullptr,
              {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS}};
    case Pass::backwardData:
      return {out[0],
              in[1],
              in[0],
              nullptr,
              {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST, 0}};
    case Pass::backwardWeights:
      return {in[0],
              out[0],
              in[1],
              out.size() == 2 ? &out[1] : nullptr,
              {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_BIAS}};
  }
  throw Refusal("internal: unknown pass");
}

// A prepared primitive over them, with ReLU behind it where the instruction asks for it.
inline std::unique_ptr<Step> productStep(const Site& site, const Product& product,
                                         const dnnl::primitive& primitive,
                                         const onednn::Desc& scratch) {
  if (product.bias) expectVector(*product.bias, product.weight.dim(0));
  expectScratch(site, scratch.get_size());
  std::vector<std::pair<int, const Operand*>> operands = {{product.arguments[0], &product.x},
                                                          {product.arguments[1], &product.weight},
                                                          {product.arguments[2], &product.y}};
  if (product.bias) operands.emplace_back(product.arguments[3], product.bias);
  std::unique_ptr<Step> step =
      std::make_unique<PrimitiveStep>(primitive, operands, site.scratch, scratch);
  return site.attributes.flag("relu") ? thenRelu(std::move(step), product.y) : std::move(step);
}

}  // namespace lrscope
