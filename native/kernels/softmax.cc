// softmax, and its fusion with cross-entropy: PyTorch's cross_entropy(weight, label_smoothing,
// reduction "mean") over the rows whose label is not -1,
//   loss = sum over rows of [(1 - s) w[y] (-log p[y]) + s / K * sum over k of w[k] (-log p[k])] /
//   sum of w[y]
// in doubles: the logits are the smallest activation of a network. With no row left, or none of
// positive weight, loss and gradient are 0.
#include <cmath>
#include <limits>

#include "kernels/kernels.h"

namespace lrscope {

namespace {

LayoutAnswer choosePlain(const LayoutQuestion& q) {
  LayoutAnswer a;
  for (const Tensor& tensor : q.inputs) a.inputs.push_back(plainLayout(tensor.shape.size()));
  for (const Tensor& tensor : q.outputs) a.outputs.push_back(plainLayout(tensor.shape.size()));
  return withBytes(q, a);
}

// log of the sum of exp(row); the maximum is subtracted before exp. A NaN stays one.
double logSumExp(const float* row, int64_t classes) {
  double maximum = -std::numeric_limits<double>::infinity();
  for (int64_t k = 0; k < classes; ++k)
    maximum = row[k] > maximum || std::isnan(row[k]) ? static_cast<double>(row[k]) : maximum;
  double sum = 0;
  for (int64_t k = 0; k < classes; ++k) sum += std::exp(row[k] - maximum);
  return maximum + std::log(sum);
}

// Index of the first largest value.
int64_t argmax(const float* row, int64_t classes) {
  int64_t best = 0;
  for (int64_t k = 1; k < classes; ++k)
    if (row[k] > row[best]) best = k;
  return best;
}

void expectMatrix(const Operand& operand) {
  expectType(operand, DType::f32);
  if (operand.shape.size() != 2)
    throw Refusal("\"" + operand.name + "\" must be (B,K); got " + formatShape(operand.shape));
  expectLayout(operand, "ab");
}

LayoutAnswer chooseSoftmax(const LayoutQuestion& q) { return choosePlain(q); }

std::unique_ptr<Step> buildSoftmax(const Site& site) {
  const Operand &logits = site.inputs[0], &probabilities = site.outputs[0];
  expectMatrix(logits);
  expectAlike(logits, probabilities);
  const int64_t batch = logits.dim(0), classes = logits.dim(1);
  return makeStep([=](const RunContext& run) {
    for (int64_t b = 0; b < batch; ++b) {
      const float* row = logits.f32(run) + b * classes;
      float* to = probabilities.f32(run) + b * classes;
      const double logSum = logSumExp(row, classes);
      for (int64_t k = 0; k < classes; ++k) to[k] = static_cast<float>(std::exp(row[k] - logSum));
    }
  });
}

LayoutAnswer chooseCrossEntropy(const LayoutQuestion& q) { return choosePlain(q); }

std::unique_ptr<Step> buildCrossEntropy(const Site& site) {
  const Operand &logits = site.inputs[0], &labels = site.inputs[1];
  const Operand &loss = site.outputs[0], &correct = site.outputs[1];
  expectMatrix(logits);
  const int64_t batch = logits.dim(0), classes = logits.dim(1);
  expectShape(labels, {batch});
  expectType(labels, DType::i32);
  const bool weighted = site.inputs.size() == 3, derived = site.outputs.size() == 3;
  const Operand classWeights = weighted ? site.inputs[2] : Operand();
  const Operand dlogits = derived ? site.outputs[2] : Operand();
  if (weighted) expectVector(classWeights, classes);
  if (derived) expectAlike(logits, dlogits);
  expectVector(loss, 1);
  expectShape(correct, {1});
  const bool integral = correct.dtype == DType::i32;
  if (!integral) expectType(correct, DType::f32);
  const double smoothing = site.attributes.number("labelSmoothing");
  return makeStep([=](const RunContext& run) {
    const auto* label = labels.data<const int32_t>(run);
    const float* weights = weighted ? classWeights.f32(run) : nullptr;
    const auto weightOf = [&](int64_t k) {
      return weights ? static_cast<double>(weights[k]) : 1.0;
    };
    const auto counts = [&](int64_t b) { return label[b] >= 0 && label[b] < classes; };
    double weightOfAll = 0, total = 0, sum = 0;
    for (int64_t k = 0; k < classes; ++k) weightOfAll += weightOf(k);
    for (int64_t b = 0; b < batch; ++b) {
      if (label[b] >= classes)
        throw Refusal("label " + std::to_string(label[b]) + " of row " + std::to_string(b) +
                      " is not below the number of classes, " + std::to_string(classes));
      if (counts(b)) total += weightOf(label[b]);
    }
    const double scale = total > 0 ? 1 / total : 0;
    int32_t hits = 0;
    for (int64_t b = 0; b < batch; ++b) {
      const float* row = logits.f32(run) + b * classes;
      float* gradient = derived ? dlogits.f32(run) + b * classes : nullptr;
      if (!counts(b)) {
        for (int64_t k = 0; gradient && k < classes; ++k) gradient[k] = 0;
        continue;
      }
      if (argmax(row, classes) == label[b]) ++hits;
      const double logSum = logSumExp(row, classes);
      const double mass = (1 - smoothing) * weightOf(label[b]) + smoothing / classes * weightOfAll;
      for (int64_t k = 0; k < classes; ++k) {
        const double target =
            ((k == label[b] ? 1 - smoothing : 0) + smoothing / classes) * weightOf(k);
        const double logP = row[k] - logSum;
        if (target != 0) sum -= target * logP;
        if (gradient) gradient[k] = static_cast<float>((std::exp(logP) * mass - target) * scale);
      }
    }
    loss.f32(run)[0] = static_cast<float>(sum * scale);
    if (integral)
      correct.data<int32_t>(run)[0] = hits;
    else
      correct.f32(run)[0] = static_cast<float>(hits);
  });
}

}  // namespace

const Kernel kSoftmax = {chooseSoftmax, buildSoftmax};
const Kernel kSoftmaxCrossEntropy = {chooseCrossEntropy, buildCrossEntropy};

}  // namespace lrscope
