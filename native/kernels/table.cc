// The table of kernels.
#include "kernels/emulated.h"
#include "kernels/kernels.h"

namespace lrscope {

const Kernel& kernelFor(const std::string& kind) {
  static const auto* const kernels = new std::map<std::string, Kernel>{
      {"conv2d", kConv2d},
      {"conv2dBackwardData", kConv2dBackwardData},
      {"conv2dBackwardWeights", kConv2dBackwardWeights},
      {"batchNormTrain", kBatchNormTrain},
      {"batchNormEvaluate", kBatchNormEvaluate},
      {"batchNormEvaluateBackward", kBatchNormEvaluateBackward},
      {"batchNormBackward", kBatchNormBackward},
      {"batchNormPoolTrain", kBatchNormPoolTrain},
      {"batchNormPoolBackward", kBatchNormPoolBackward},
      {"batchNormAddTrain", kBatchNormAddTrain},
      {"batchNormAddEvaluate", kBatchNormAddEvaluate},
      {"batchNormAddBackward", kBatchNormAddBackward},
      {"relu", kRelu},
      {"reluBackward", kReluBackward},
      {"relu6", kRelu6},
      {"relu6Backward", kRelu6Backward},
      {"add", kAdd},
      {"maxPool2d", kMaxPool2d},
      {"maxPool2dBackward", kMaxPool2dBackward},
      {"globalAveragePool", kGlobalAveragePool},
      {"globalAveragePoolBackward", kGlobalAveragePoolBackward},
      {"adaptiveAveragePool2d", kAdaptiveAveragePool2d},
      {"adaptiveAveragePool2dBackward", kAdaptiveAveragePool2dBackward},
      {"dropout", kDropoutKernel},
      {"dropoutBackward", kDropoutKernel},
      {"linear", kLinear},
      {"linearBackwardData", kLinearBackwardData},
      {"linearBackwardWeights", kLinearBackwardWeights},
      {"softmaxCrossEntropy", kSoftmaxCrossEntropy},
      {"softmax", kSoftmax},
      {"reorder", kReorder},
      {"optimizer", kOptimizer},
  };
  const auto found = kernels->find(kind);
  if (found == kernels->end()) throw Refusal("the engine has no kernel for \"" + kind + "\"");
  return found->second;
}

LayoutAnswer layoutsFor(const LayoutQuestion& question) {
  const Kernel& kernel = kernelFor(question.kind);
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
  const Kernel& kernel = kernelFor(site.kind);
  return emulated::names(site.implementation) ? emulated::makeStep(kernel, site)
                                              : kernel.build(site);
}

}  // namespace lrscope
