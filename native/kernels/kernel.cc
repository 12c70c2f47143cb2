// The table of kernels, and what they share.
#include "kernel.h"

#include <algorithm>
#include <cmath>

#include "emulated.h"
#include "kernels.h"

namespace lrscope {

namespace {

struct TableRow {
  Kernel kernel;
  Signature signature;
};

const std::map<std::string, TableRow>& table() {
  static const auto* const rows = new std::map<std::string, TableRow>{
      {"conv2d", {kConv2d, {{2, 3}, {1, 1}, {"stride", "padding", "groups", "relu"}}}},
      {"conv2dBackwardData",
       {kConv2dBackwardData, {{2, 2}, {1, 1}, {"stride", "padding", "groups"}}}},
      {"conv2dBackwardWeights",
       {kConv2dBackwardWeights, {{2, 2}, {1, 2}, {"stride", "padding", "groups"}}}},
      {"batchNormTrain", {kBatchNormTrain, {{5, 5}, {3, 4}, {"epsilon", "momentum", "relu"}}}},
      {"batchNormEvaluate", {kBatchNormEvaluate, {{5, 5}, {1, 1}, {"epsilon", "relu"}}}},
      {"batchNormEvaluateBackward", {kBatchNormEvaluateBackward, {{3, 3}, {1, 1}, {"epsilon"}}}},
      {"batchNormBackward", {kBatchNormBackward, {{6, 7}, {3, 3}, {"epsilon", "relu"}}}},
      {"batchNormPoolTrain",
       {kBatchNormPoolTrain,
        {{5, 5}, {3, 4}, {"epsilon", "momentum", "relu", "kernel", "stride", "padding"}}}},
      {"batchNormPoolBackward",
       {kBatchNormPoolBackward,
        {{8, 8}, {3, 3}, {"epsilon", "relu", "kernel", "stride", "padding"}}}},
      {"batchNormAddTrain",
       {kBatchNormAddTrain, {{6, 6}, {3, 4}, {"epsilon", "momentum", "relu"}}}},
      {"batchNormAddEvaluate", {kBatchNormAddEvaluate, {{6, 6}, {1, 1}, {"epsilon", "relu"}}}},
      {"batchNormAddBackward", {kBatchNormAddBackward, {{7, 8}, {4, 4}, {"epsilon"}}}},
      {"relu", {kRelu, {{1, 1}, {1, 1}, {}}}},
      {"reluBackward", {kReluBackward, {{2, 2}, {1, 1}, {}}}},
      {"relu6", {kRelu6, {{1, 1}, {1, 1}, {}}}},
      {"relu6Backward", {kRelu6Backward, {{2, 2}, {1, 1}, {}}}},
      {"add", {kAdd, {{2, 2}, {1, 1}, {"relu"}}}},
      {"maxPool2d", {kMaxPool2d, {{1, 1}, {1, 2}, {"kernel", "stride", "padding"}}}},
      {"maxPool2dBackward",
       {kMaxPool2dBackward, {{2, 2}, {1, 1}, {"kernel", "stride", "padding"}}}},
      {"globalAveragePool", {kGlobalAveragePool, {{1, 1}, {1, 1}, {}}}},
      {"globalAveragePoolBackward", {kGlobalAveragePoolBackward, {{1, 1}, {1, 1}, {}}}},
      {"adaptiveAveragePool2d", {kAdaptiveAveragePool2d, {{1, 1}, {1, 1}, {"outputSize"}}}},
      {"adaptiveAveragePool2dBackward",
       {kAdaptiveAveragePool2dBackward, {{1, 1}, {1, 1}, {"outputSize"}}}},
      {"dropout", {kDropoutKernel, {{1, 1}, {1, 1}, {"p", "layerIndex"}}}},
      {"dropoutBackward", {kDropoutKernel, {{1, 1}, {1, 1}, {"p", "layerIndex"}}}},
      {"linear", {kLinear, {{2, 3}, {1, 1}, {"relu"}}}},
      {"linearBackwardData", {kLinearBackwardData, {{2, 2}, {1, 1}, {}}}},
      {"linearBackwardWeights", {kLinearBackwardWeights, {{2, 2}, {1, 2}, {}}}},
      {"softmaxCrossEntropy", {kSoftmaxCrossEntropy, {{2, 3}, {2, 3}, {"labelSmoothing"}}}},
      {"softmax", {kSoftmax, {{1, 1}, {1, 1}, {}}}},
      {"reorder", {kReorder, {{1, 1}, {1, 1}, {}}}},
      {"optimizer", {kOptimizer, {{0, 0}, {0, 0}, {}}}},
  };
  return *rows;
}

const TableRow& rowOf(const std::string& kind) {
  const auto found = table().find(kind);
  if (found == table().end()) throw Refusal("the engine has no kernel for \"" + kind + "\"");
  return found->second;
}

}  // namespace

std::map<std::string, Signature> signatures() {
  std::map<std::string, Signature> all;
  for (const auto& [kind, row] : table()) all.emplace(kind, row.signature);
  return all;
}

LayoutAnswer layoutsFor(const LayoutQuestion& question) {
  const auto& [kernel, signature] = rowOf(question.kind);
  expectCounts(question, signature.inputs[0], signature.inputs[1], signature.outputs[0],
               signature.outputs[1]);
  question.attributes.expectOnly(signature.attributes);
  if (!question.wanted.empty() && !kernel.alternatives)
    throw Refusal("has one implementation only; got \"" + question.wanted + "\"");
  if (kernel.multiplies && emulated::concerns(question)) {
    if (question.emulateBf16) return emulated::choose(kernel, question);
    if (!onednn::multipliesBf16())
      throw Refusal("bf16 needs a processor with AVX512-BF16 or AMX; this one is " + onednn::isa());
  }
  return kernel.choose(question);
}

std::unique_ptr<Step> stepOf(const Site& site) {
  const auto& [kernel, signature] = rowOf(site.kind);
  expectOperands(site, signature.inputs[0], signature.inputs[1], signature.outputs[0],
                 signature.outputs[1]);
  site.attributes.expectOnly(signature.attributes);
  return emulated::names(site.implementation) ? emulated::makeStep(kernel, site)
                                              : kernel.build(site);
}

const Attributes::Value* Attributes::find(const char* name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

void Attributes::expectOnly(const std::vector<std::string>& names) const {
  for (const auto& [name, value] : values_)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw Refusal("takes no attribute " + name);
}

double Attributes::number(const char* name) const {
  const Value* value = find(name);
  if (!value || !std::holds_alternative<double>(*value))
    throw Refusal(std::string("attribute ") + name + " must be a number");
  return std::get<double>(*value);
}

int64_t Attributes::integer(const char* name) const {
  const double value = number(name);
  if (value != std::floor(value) || std::abs(value) > 4294967295.0)
    throw Refusal(std::string("attribute ") + name + " must be an integer");
  return static_cast<int64_t>(value);
}

int64_t Attributes::integerOr(const char* name, int64_t fallback) const {
  return find(name) ? integer(name) : fallback;
}

bool Attributes::flag(const char* name) const {
  const Value* value = find(name);
  return value && std::holds_alternative<bool>(*value) && std::get<bool>(*value);
}

Pair Attributes::pair(const char* name) const {
  const Value* value = find(name);
  const auto* list = value ? std::get_if<std::vector<double>>(value) : nullptr;
  if (!list || list->size() != 2)
    throw Refusal(std::string("attribute ") + name + " must be [h, w]");
  Pair pair{};
  for (size_t i = 0; i < 2; ++i) {
    const double extent = (*list)[i];
    if (!(extent >= 0 && extent <= 65535) || extent != std::floor(extent))
      throw Refusal(std::string("attribute ") + name + " must hold integers from 0 to 65535");
    pair[i] = static_cast<int64_t>(extent);
  }
  return pair;
}

LayoutAnswer withBytes(const LayoutQuestion& question, LayoutAnswer answer) {
  answer.outputBytes.resize(question.outputs.size());
  for (size_t i = 0; i < question.outputs.size(); ++i) {
    if (answer.outputs[i] == "opaque") continue;
    Tensor tensor = question.outputs[i];
    tensor.layout = answer.outputs[i];
    answer.outputBytes[i] = layoutBytes(tensor);
  }
  return answer;
}

namespace {

void within(size_t count, size_t low, size_t high, const char* what) {
  if (count < low || count > high)
    throw Refusal("expects " + std::to_string(low) +
                  (low == high ? "" : " to " + std::to_string(high)) + " " + what + "; got " +
                  std::to_string(count));
}

}  // namespace

void expectCounts(const LayoutQuestion& question, size_t minInputs, size_t maxInputs,
                  size_t minOutputs, size_t maxOutputs) {
  within(question.inputs.size(), minInputs, maxInputs, "inputs");
  within(question.outputs.size(), minOutputs, maxOutputs, "outputs");
}

void expectOperands(const Site& site, size_t minInputs, size_t maxInputs, size_t minOutputs,
                    size_t maxOutputs) {
  within(site.inputs.size(), minInputs, maxInputs, "inputs");
  within(site.outputs.size(), minOutputs, maxOutputs, "outputs");
}

void expectShape(const Operand& operand, const std::vector<int64_t>& shape) {
  if (operand.shape != shape)
    throw Refusal("\"" + operand.name + "\" must be " + formatShape(shape) + "; got " +
                  formatShape(operand.shape));
}

void expectLayout(const Operand& operand, const std::string& layout) {
  if (operand.layout != layout)
    throw Refusal("\"" + operand.name + "\" must have the layout \"" + layout + "\"; got \"" +
                  operand.layout + "\"");
}

void expectType(const Operand& operand, DType dtype) {
  if (operand.dtype != dtype)
    throw Refusal("\"" + operand.name + "\" has the wrong element type for this instruction");
}

void expectScratch(const Site& site, size_t bytes) {
  if (site.scratch.bytes < bytes)
    throw Refusal("needs a scratchpad of " + std::to_string(bytes) + " bytes; the program gives " +
                  std::to_string(site.scratch.bytes) +
                  " (was it compiled for other threads or another processor?)");
}

void expectAlike(const Operand& a, const Operand& b) {
  if (a.dtype != DType::bf16) expectType(a, DType::f32);
  expectType(b, a.dtype);
  expectShape(b, a.shape);
  expectLayout(b, a.layout);
}

void expectVector(const Operand& operand, int64_t count) {
  expectType(operand, DType::f32);
  expectShape(operand, {count});
  expectLayout(operand, "a");
}

PrimitiveStep::PrimitiveStep(dnnl::primitive primitive,
                             const std::vector<std::pair<int, const Operand*>>& operands,
                             const Operand& scratch, const onednn::Desc& scratchDesc)
    : primitive_(std::move(primitive)) {
  for (const auto& [argument, operand] : operands) {
    if (!operand->fixed && operand->layout != plainLayout(operand->shape.size()))
      throw Refusal("\"" + operand->name + "\" must have a plain layout in its region");
    dnnl::memory memory(descriptor(*operand), onednn::engine(),
                        operand->fixed ? operand->fixed : DNNL_MEMORY_NONE);
    if (!operand->fixed) moving_.push_back({memory, *operand});
    arguments_.emplace(argument, std::move(memory));
  }
  if (scratchDesc.get_size() > 0)
    arguments_.emplace(DNNL_ARG_SCRATCHPAD,
                       dnnl::memory(scratchDesc, onednn::engine(), scratch.fixed));
}

void PrimitiveStep::run(const RunContext& run) {
  for (Moving& moving : moving_) moving.memory.set_data_handle(moving.operand.at(run));
  primitive_.execute(onednn::stream(), arguments_);
  onednn::stream().wait();
}

}  // namespace lrscope
