// The table of kernels.
#include "kernels/emulated.h"
#include "kernels/kernels.h"

namespace lrscope {

namespace {

struct TableRow {
  Kernel kernel;
  Signature signature;
};

const std::map<std::string, TableRow>& table() {
  static const auto* const rows = new std::map<std::string, TableRow>{
      {"conv2d",
       {kConv2d, {{2, 3}, {1, 1}, {"stride", "padding", "paddingAfter", "groups", "relu"}}}},
      {"conv2dBackwardData",
       {kConv2dBackwardData, {{2, 2}, {1, 1}, {"stride", "padding", "paddingAfter", "groups"}}}},
      {"conv2dBackwardWeights",
       {kConv2dBackwardWeights, {{2, 2}, {1, 2}, {"stride", "padding", "paddingAfter", "groups"}}}},
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
      {"conv2dNormPoolTrain",
       {kConvNormPoolTrain, {{6, 7}, {3, 4}, {"padding", "epsilon", "momentum", "relu"}}}},
      {"conv2dNormPoolBackward", {kConvNormPoolBackward, {{6, 6}, {3, 4}, {"padding", "epsilon"}}}},
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

void within(size_t count, const std::array<size_t, 2>& range, const char* what) {
  const auto [low, high] = range;
  if (count < low || count > high)
    throw Refusal("expects " + std::to_string(low) +
                  (low == high ? "" : " to " + std::to_string(high)) + " " + what + "; got " +
                  std::to_string(count));
}

// Of a question or a site.
template <class Asked>
void expectFits(const Asked& asked, const Signature& signature) {
  within(asked.inputs.size(), signature.inputs, "inputs");
  within(asked.outputs.size(), signature.outputs, "outputs");
  asked.attributes.expectOnly(signature.attributes);
}

}  // namespace

std::map<std::string, Signature> signatures() {
  std::map<std::string, Signature> all;
  for (const auto& [kind, row] : table()) all.emplace(kind, row.signature);
  return all;
}

LayoutAnswer layoutsFor(const LayoutQuestion& question) {
  const auto& [kernel, signature] = rowOf(question.kind);
  expectFits(question, signature);
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
  expectFits(site, signature);
  return emulated::names(site.implementation) ? emulated::makeStep(kernel, site)
                                              : kernel.build(site);
}

}  // namespace lrscope
