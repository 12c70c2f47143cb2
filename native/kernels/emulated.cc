// The scratchpad holds the widened operands, inputs first, then what the f32 kernel needs itself.
#include "kernels/emulated.h"

#include <omp.h>

#include <string_view>

namespace lrscope::emulated {

namespace {

// No std::string: it would be made while the module is loaded, before the processor is asked.
constexpr std::string_view kPrefix = "emulated bf16: ";

int64_t paddedElements(const Tensor& tensor) {
  return LayoutMap(tensor.layout, tensor.shape).paddedElements();
}

// Bytes of a tensor as f32, to the next line.
size_t widenedBytes(const Tensor& tensor) {
  constexpr size_t kLine = 64;
  return (paddedElements(tensor) * sizeof(float) + kLine - 1) / kLine * kLine;
}

// A pair of the same tensor, as the program has it and as the f32 kernel sees it.
struct Twin {
  Operand narrow, wide;
  int64_t elements;
};

void widen(const Twin& twin, const RunContext& run) {
  const Bf16* from = twin.narrow.data<Bf16>(run);
  float* to = twin.wide.f32(run);
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < twin.elements; ++i) to[i] = wide(from[i]);
}

void round(const Twin& twin, const RunContext& run) {
  const float* from = twin.wide.f32(run);
  Bf16* to = twin.narrow.data<Bf16>(run);
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < twin.elements; ++i) to[i] = narrow<Bf16>(from[i]);
}

}  // namespace

bool concerns(const LayoutQuestion& question) {
  for (const auto* operands : {&question.inputs, &question.outputs})
    for (const Tensor& tensor : *operands)
      if (tensor.dtype == DType::bf16) return true;
  return false;
}

bool names(const std::string& implementation) { return implementation.rfind(kPrefix, 0) == 0; }

LayoutAnswer choose(const Kernel& kernel, const LayoutQuestion& question) {
  // Our own, whose products are of f32 in any case.
  if (question.wanted == "winograd") return kernel.choose(question);
  LayoutQuestion wide = question;
  if (kernel.alternatives && wide.wanted.empty()) wide.wanted = "direct";
  for (auto* operands : {&wide.inputs, &wide.outputs})
    for (Tensor& tensor : *operands)
      if (tensor.dtype == DType::bf16) tensor.dtype = DType::f32;
  LayoutAnswer a = kernel.choose(wide);
  const auto addWidened = [&](std::vector<Tensor> operands, const std::vector<std::string>& in) {
    for (size_t i = 0; i < operands.size(); ++i) {
      if (operands[i].dtype != DType::bf16) continue;
      operands[i].layout = in[i];
      a.scratchBytes += widenedBytes(operands[i]);
    }
  };
  addWidened(question.inputs, a.inputs);
  addWidened(question.outputs, a.outputs);
  a.implementation.insert(0, kPrefix);
  return withBytes(question, a);
}

std::unique_ptr<Step> makeStep(const Kernel& kernel, const Site& site) {
  Site wide = site;
  wide.implementation = site.implementation.substr(kPrefix.size());
  size_t used = 0;
  std::vector<Twin> from, to;
  const auto widenAll = [&](std::vector<Operand>& operands, std::vector<Twin>& twins) {
    for (Operand& operand : operands) {
      if (operand.dtype != DType::bf16) continue;
      const Operand before = operand;
      const size_t bytes = widenedBytes(operand);
      expectScratch(site, used + bytes);
      operand.dtype = DType::f32;
      operand.bytes = bytes;
      operand.region = site.scratch.region;
      operand.offset = site.scratch.offset + used;
      operand.fixed = site.scratch.fixed + used;
      used += bytes;
      twins.push_back({before, operand, paddedElements(operand)});
    }
  };
  widenAll(wide.inputs, from);
  widenAll(wide.outputs, to);
  wide.scratch.bytes -= used;
  wide.scratch.offset += used;
  wide.scratch.fixed += used;
  const std::shared_ptr<Step> product = kernel.build(wide);
  return lrscope::makeStep([=](const RunContext& run) {
    for (const Twin& twin : from) widen(twin, run);
    product->run(run);
    for (const Twin& twin : to) round(twin, run);
  });
}

}  // namespace lrscope::emulated
