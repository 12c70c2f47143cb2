// Every kernel of the engine, by instruction; table.cc has the table.
#pragma once
#include "engine/kernel.h"

namespace lrscope {

extern const Kernel kConv2d, kConv2dBackwardData, kConv2dBackwardWeights;     // convolution.cc
extern const Kernel kLinear, kLinearBackwardData, kLinearBackwardWeights;     // linear.cc
extern const Kernel kBatchNormTrain, kBatchNormEvaluate, kBatchNormBackward;  // norm/norm.cc
extern const Kernel kBatchNormEvaluateBackward;                               // norm/norm.cc
extern const Kernel kBatchNormPoolTrain, kBatchNormPoolBackward;              // norm/norm.cc
extern const Kernel kBatchNormAddTrain, kBatchNormAddEvaluate,
    kBatchNormAddBackward;                                      // norm/norm.cc
extern const Kernel kConvNormPoolTrain, kConvNormPoolBackward;  // conv_norm_pool.cc
extern const Kernel kRelu, kReluBackward, kAdd;                 // elementwise.cc
extern const Kernel kRelu6, kRelu6Backward;                     // elementwise.cc
extern const Kernel kAdaptiveAveragePool2d,
    kAdaptiveAveragePool2dBackward;                                  // adaptive_average_pool.cc
extern const Kernel kMaxPool2d, kMaxPool2dBackward;                  // max_pool.cc
extern const Kernel kGlobalAveragePool, kGlobalAveragePoolBackward;  // average_pool.cc
extern const Kernel kDropoutKernel;                                  // dropout.cc
extern const Kernel kSoftmaxCrossEntropy, kSoftmax;                  // softmax.cc
extern const Kernel kReorder;                                        // reorder.cc
extern const Kernel kOptimizer;                                      // optimizer.cc

// Whether this build and this processor have the last two but for shapes that they refuse.
bool hasConvNormPool();

// `step`, then ReLU over its result. oneDNN's own post-op turns a NaN into 0, which would hide a
// network that has diverged.
std::unique_ptr<Step> thenRelu(std::unique_ptr<Step> step, const Operand& y);

}  // namespace lrscope
